/**
 * What has to come right on a ThingsBoard server, whether it is a real one or the double in tests/doubles: what the
 * device does, and what the server's own records say of it. `xs-ota device` is the device.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage } from "../../hal/model-chip/build-image";
import { firmwarePayload } from "../../host-sim/board/firmware/bundle";
import type { Fault } from "../../host-sim/board/firmware/bundle";
import { Device } from "../../host-sim/demo/device-process";
import type { Line } from "../../host-sim/demo/device-process";
import { WeakLink } from "../../host-sim/faults/weak-link";
import type { Package, PackageId, ThingsBoardOperator } from "../../host-sim/operators/thingsboard/operator";

/** Bytes. */
const SIZE = 400_000;
/** Bytes per second of a line on which the download has a middle: progress is told once a second. */
const RATE = 100_000;

let serial = 0;
const unique = (what: string): string => `xs-ota-${what}-${Date.now().toString(36)}-${++serial}`;

/** A board in front of a server. It keeps its flash and, but for power cuts, its process from scenario to scenario. */
export class Bench {
  readonly operator: ThingsBoardOperator;
  readonly id: string;
  readonly title: string;
  device: Device;
  readonly #line: WeakLink;
  readonly #profile: string;
  readonly #paths: readonly [config: string, state: string];
  /** Events before this one belong to an earlier scenario. */
  #from = 0;
  /** `fw_state` values before this one, likewise. */
  #told = 0;

  private constructor(
    operator: ThingsBoardOperator,
    made: { readonly id: string; readonly title: string; readonly profile: string },
    paths: readonly [string, string],
    line: WeakLink,
  ) {
    this.operator = operator;
    this.id = made.id;
    this.title = made.title;
    this.#profile = made.profile;
    this.#paths = paths;
    this.#line = line;
    this.device = Device.start(...paths);
  }

  /** `http`: the bytes come over HTTP, else in chunks over MQTT. */
  static async make(operator: ThingsBoardOperator, folder: string, http: boolean): Promise<Bench> {
    const profile = await operator.createProfile(unique("profile"));
    const { id, accessToken } = await operator.createDevice(unique("device"), profile);
    const title = unique("app");
    const paths = [join(folder, "device.json"), join(folder, "board")] as const;
    const { hostname: host, port = "80" } = new URL(operator.server);
    const line = await WeakLink.open({
      targets: [operator.mqtt, { host, port: Number(port) }],
    });
    const [mqttPort, httpPort] = line.ports;
    const config = {
      platform: "thingsboard",
      mqtt: { host: "127.0.0.1", port: mqttPort, tls: false },
      accessToken,
      title,
      ...(http ? { server: `http://127.0.0.1:${httpPort}` } : {}),
    };
    writeFileSync(paths[0], JSON.stringify(config), { mode: 0o600 });
    return new Bench(operator, { id, title, profile }, paths, line);
  }

  /** What came before is no answer to what comes now. */
  async begin(): Promise<void> {
    this.#from = this.device.events.length;
    this.#told = (await this.#all("fw_state")).length;
  }

  async upload(version: string, fault?: Fault, more: Partial<Package> = {}): Promise<PackageId> {
    const payload = await firmwarePayload(version, fault);
    const bytes = buildImage({ version, size: SIZE, payload });
    return this.operator.upload(this.#profile, { title: this.title, version, bytes, ...more });
  }

  async offer(version: string, fault?: Fault, more?: Partial<Package>): Promise<void> {
    await this.operator.assign(this.id, await this.upload(version, fault, more));
  }

  async withdraw(): Promise<void> {
    await this.operator.assign(this.id, undefined);
  }

  loseLine(): void {
    this.#line.cut();
  }

  async close(): Promise<void> {
    await this.device.kill();
    await this.#line.close();
  }

  async cutPower(): Promise<void> {
    await this.device.kill();
  }

  powerOn(): void {
    this.device = Device.start(...this.#paths);
    this.#from = 0;
  }

  /** The first event of this scenario that fits, past or to come. */
  until(what: string, fits: (event: Line) => boolean): Promise<Line> {
    const from = this.#from;
    const { device } = this;
    return device.until(what, (event) => fits(event) && device.events.indexOf(event) >= from);
  }

  /** Offers it over a slow line, and resolves in the middle of the download. */
  async halfway(version: string): Promise<void> {
    this.#line.quality = { rate: RATE };
    await this.offer(version);
    await this.until("20 %", ({ percent }) => Number(percent) >= 20);
    this.#line.quality = {};
  }

  /** The states that the server has of this scenario, without repetitions, once the last one is `last`. */
  async states(last: string): Promise<readonly string[]> {
    for (;;) {
      const states = (await this.#all("fw_state")).slice(this.#told);
      if (states.at(-1) === last) return states.filter((state, at) => state !== states[at - 1]);
    }
  }

  async latest(key: string): Promise<string | undefined> {
    return (await this.#all(key)).at(-1);
  }

  async #all(key: string): Promise<readonly string[]> {
    return (await this.operator.telemetry(this.id, [key]))[key] ?? [];
  }
}

export interface Scenario {
  readonly title: string;
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
      const payload = await firmwarePayload("0.10.1");
      await bench.offer("0.10.0", undefined, { bytes: buildImage({ version: "0.10.1", size: SIZE, payload }) });
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
];

/** Runs them all on a device of its own; `tell` hears of each. False: one failed, and those behind it were not run. */
export async function runScenarios(
  operator: ThingsBoardOperator,
  folder: string,
  http: boolean,
  tell: (title: string, states: readonly string[] | Error) => void,
): Promise<boolean> {
  const bench = await Bench.make(operator, folder, http);
  try {
    for (const { title, run } of SCENARIOS) {
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
