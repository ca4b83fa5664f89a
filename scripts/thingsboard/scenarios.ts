/**
 * What has to come right on a ThingsBoard server, whether it is a real one or the double in tests/doubles: what the
 * device does, and what the server's own records say of it. `xs-ota device` is the device.
 */
import assert from "node:assert/strict";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";
import type { ThingsBoardOperator } from "../../host-sim/operators/thingsboard/operator";
import { Bench, SIZE } from "./bench";

/** How the bytes come. */
export type Way = "MQTT" | "HTTP";

export interface Scenario {
  readonly title: string;
  /** Where it means something; default: both. */
  readonly way?: Way;
  /** Of those, where it waits for more than a few seconds: `npm test` leaves that out. */
  readonly slow?: readonly Way[];
  /** Resolves to the server's states. */
  run(bench: Bench): Promise<readonly string[]>;
}

const WHOLE = ["QUEUED", "INITIATED", "DOWNLOADING", "DOWNLOADED", "VERIFIED", "UPDATING", "UPDATED"];

/** UPDATED, with the version. */
async function updated(bench: Bench, version: string): Promise<readonly string[]> {
  await bench.until(`${version} confirmed`, (event) => event["event"] === "confirmed" && event["version"] === version);
  const states = await bench.states("UPDATED");
  assert.deepEqual([await bench.latest("current_fw_version"), await bench.latest("fw_error")], [version, ""]);
  return states;
}

/** FAILED, with a text that fits and the version that still runs. */
async function failed(bench: Bench, error: RegExp, version: string): Promise<readonly string[]> {
  const states = await bench.states("FAILED");
  assert.match((await bench.latest("fw_error")) ?? "", error);
  assert.equal(await bench.latest("current_fw_version"), version);
  return states;
}

const JSON_ERROR = { status: 400, json: { status: 400, message: "Required request parameter is not present" } };

/** In this order: each leaves the board with the firmware that the next one expects. */
export const SCENARIOS: readonly Scenario[] = [
  {
    title: "an update that nothing disturbs",
    async run(bench) {
      await bench.until("the connection", ({ event }) => event === "boot");
      await bench.offer("0.2.0");
      const states = await updated(bench, "0.2.0");
      assert.deepEqual(states, WHOLE);
      return states;
    },
  },
  {
    title: "power lost in the download",
    async run(bench) {
      await bench.halfway("0.3.0");
      await bench.cutPower();
      bench.powerOn();
      await bench.until("resume", ({ event }) => event === "resume");
      return updated(bench, "0.3.0");
    },
  },
  {
    title: "another package is assigned while the line is down, in the middle of the download",
    async run(bench) {
      const next = await bench.upload("0.3.2");
      await bench.halfway("0.3.1");
      bench.loseLine();
      await bench.operator.assign(bench.id, next);
      return updated(bench, "0.3.2");
    },
  },
  {
    title: "assigned while the device has no power",
    async run(bench) {
      await bench.cutPower();
      await bench.offer("0.4.0");
      bench.powerOn();
      return updated(bench, "0.4.0");
    },
  },
  {
    title: "another package is assigned in the middle of the download",
    async run(bench) {
      const next = await bench.upload("0.6.0");
      await bench.halfway("0.5.0");
      await bench.operator.assign(bench.id, next);
      return updated(bench, "0.6.0");
    },
  },
  {
    title: "withdrawn in the middle of the download",
    async run(bench) {
      await bench.halfway("0.7.0");
      await bench.withdraw();
      return failed(bench, /^canceled$/, "0.6.0");
    },
  },
  {
    title: "firmware that throws is rolled back",
    async run(bench) {
      await bench.offer("0.8.0", "throw");
      return failed(bench, /^trial: /, "0.6.0");
    },
  },
  {
    title: "the offer stands after the failure: a restart does not begin it again, xs_ota_retry does",
    async run(bench) {
      await bench.cutPower();
      bench.powerOn();
      const { events } = bench.device;
      await bench.until("the boot", ({ event }) => event === "boot");
      assert.ok(!events.some(({ event }) => event === "offer"));
      await bench.operator.setShared(bench.id, { xs_ota_retry: 1 });
      await bench.until("the offer", ({ event }) => event === "offer");
      // The outcome of the first trial may have been told twice: the power was cut before its PUBACK came.
      await bench.begin();
      await bench.until("the second trial", ({ event }) => event === "rollback");
      return failed(bench, /^trial: /, "0.6.0");
    },
  },
  {
    title: "a checksum that proves nothing",
    async run(bench) {
      await bench.offer("0.9.0", undefined, { algorithm: "CRC32" });
      return failed(bench, /^refused: .*CRC32/, "0.6.0");
    },
  },
  {
    title: "another version inside the image than the package says",
    async run(bench) {
      await bench.offer("0.10.0", undefined, { bytes: await sampleImage("0.10.1", undefined, SIZE) });
      return failed(bench, /^refused: version in the image/, "0.6.0");
    },
  },
  {
    title: "the server restarts in the middle of the download",
    async run(bench) {
      await bench.halfway("0.11.0");
      await bench.operator.restart?.();
      return updated(bench, "0.11.0");
    },
  },
  {
    title: "firmware that hangs is rolled back",
    slow: ["MQTT", "HTTP"],
    async run(bench) {
      await bench.offer("0.12.0", "hang");
      return failed(bench, /^trial: /, "0.11.0");
    },
  },
  {
    title: "firmware that never reaches the server is rolled back",
    slow: ["MQTT", "HTTP"],
    async run(bench) {
      await bench.offer("0.13.0", "offline");
      return failed(bench, /^trial: /, "0.11.0");
    },
  },
  {
    title: "another credential in the middle of the download, and the old one again",
    slow: ["HTTP"],
    async run(bench) {
      let giveBack = async (): Promise<void> => undefined;
      await bench.halfway("0.14.0", async () => (giveBack = await bench.takeToken()));
      await giveBack();
      return updated(bench, "0.14.0");
    },
  },
  {
    title: "the HTTP API answers 429, 500 and an error as JSON in the middle of the download",
    way: "HTTP",
    async run(bench) {
      bench.refuse({ status: 429, headers: { "Retry-After": "1" } }, { status: 500 }, JSON_ERROR);
      await bench.offer("0.15.0");
      const states = await updated(bench, "0.15.0");
      assert.ok(bench.refused);
      return states;
    },
  },
  {
    title: "a package that is only an address",
    async run(bench) {
      await bench.offerLink("0.16.0");
      return updated(bench, "0.16.0");
    },
  },
];

export const scenariosOf = (way: Way, slow: boolean): readonly Scenario[] =>
  SCENARIOS.filter((each) => (each.way ?? way) === way && (slow || each.slow?.includes(way) !== true));

/** Runs them on a device of its own; `tell` hears of each. False: one failed, and those behind it were not run. */
export async function runScenarios(
  operator: ThingsBoardOperator,
  folder: string,
  { way, slow }: { readonly way: Way; readonly slow: boolean },
  tell: (title: string, states: readonly string[] | Error) => void,
): Promise<boolean> {
  const bench = await Bench.make(operator, folder, way === "HTTP");
  try {
    for (const { title, run } of scenariosOf(way, slow)) {
      try {
        await bench.begin();
        tell(title, await run(bench));
      } catch (error) {
        tell(title, error as Error);
        return false;
      }
    }
    return true;
  } finally {
    await bench.close();
  }
}
