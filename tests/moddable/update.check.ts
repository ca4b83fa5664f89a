/**
 * The firmware as mcconfig builds it for the Linux simulator, against the local cloud: whole updates, power cuts, a
 * rollback.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openFlashOf } from "../../host-sim/board/board-folder";
import { describe } from "../../host-sim/board/describe";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { Served } from "../../host-sim/cloud/core/files/file-server";
import { firmwarePayload } from "../../host-sim/board/firmware/bundle";
import type { Fault } from "../../host-sim/board/firmware/bundle";
import { readRecording } from "../../host-sim/replay/read-recording";
import { replay } from "../../host-sim/replay/replay";
import { buildImage } from "../../hal/model-chip/build-image";
import { WINDOW } from "../../src/constants";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless, warnings } from "./harness";
import type { Line } from "./harness";
import { bundledFirmware } from "./bundled-firmware";
import { firmwareWithout } from "./left-out-app";

const SIZE = 400_001;
const DEVICE = { productId: "A1B2C3D4E5", deviceName: "moddable-01", deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" };

let folder: string;
let headless: string;
let cloud: Cloud;
let count = 0;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "xs-ota-moddable-"));
  headless = buildHeadless(BUILD);
  cloud = await createCloud();
  await cloud.start();
});

after(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true });
});

/** A new device in a folder of its own, known to the cloud. */
class Bench {
  readonly folder: string;
  readonly device: string;
  readonly #app: string;
  run: HeadlessRun | undefined;

  constructor(app: string, settings: object = {}) {
    const name = `${DEVICE.deviceName}-${++count}`;
    this.#app = app;
    this.folder = join(folder, name);
    this.device = cloud.addDevice("tencent", { ...DEVICE, deviceName: name });
    mkdirSync(this.folder);
    writeFileSync(
      join(this.folder, "device.json"),
      JSON.stringify({ ...cloud.deviceConfig(this.device), ...settings }),
      { mode: 0o600 },
    );
  }

  power(): HeadlessRun {
    this.run = new HeadlessRun(headless, this.#app, { XS_OTA_SIM: this.folder });
    return this.run;
  }

  async push(version: string, fault?: Fault) {
    const payload = await firmwarePayload(version, fault);
    return cloud.push(this.device, await cloud.packages.add(buildImage({ version, payload, size: SIZE })));
  }

  /** The flash file as `xs-ota inspect` reads it. */
  inspect() {
    const { chip, close } = openFlashOf(this.folder);
    try {
      return describe(chip);
    } finally {
      close();
    }
  }
}

/** The checkpoint, as it lies in NVS (docs/SPEC.md). */
const sectorsStored = (bench: Bench): number =>
  (bench.inspect().store.find(({ key }) => key === "off")?.value as number) & 0xffff;

/** The device deletes its checkpoint when the outcome was acknowledged: a write to its flash file. */
async function checkpointDeleted(bench: Bench): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(join(bench.folder, "flash.bin"), () => check());
    const check = (): void => {
      if (sectorsStored(bench) > 0) return;
      watcher.close();
      resolve();
    };
    check();
  });
}

const is =
  (event: string, state?: string) =>
  (line: Line): boolean =>
    line["event"] === event && (state === undefined || line["state"] === state);
const percent =
  (least: number) =>
  (line: Line): boolean =>
    line["state"] === "downloading" && (line["percent"] as number) >= least;

/** The firmware at the root in each way in which it is built. */
const BUILDS = {
  "release build": () => build(ROOT, BUILD),
  "instrument build": () => build(ROOT, BUILD, "instrument"),
  "release build of the bundled library": async () => build(await bundledFirmware(), BUILD),
};

for (const [kind, make] of Object.entries(BUILDS)) {
  let app: string;

  test(`${kind}: mcconfig builds the firmware from the root without a warning of ours`, async () => {
    const built = await make();
    app = built.path;
    assert.deepEqual(warnings(built.output), []);
  });

  test(`${kind}: power cuts in mid-download cost little and lose nothing; the new firmware stays`, async (context) => {
    const bench = new Bench(app);
    const task = await bench.push("0.2.0");
    const served: Served[] = [];
    const listen = (one: Served): void => void (one.device === bench.device && served.push(one));
    cloud.on("served", listen);
    let run = bench.power();
    await run.line(percent(20));
    for (const least of [45, 70, 90]) {
      await run.cut();
      const stored = sectorsStored(bench) * 4096;
      run = bench.power();
      assert.equal((await run.line(is("resume")))["offset"], stored, "it goes on from its checkpoint");
      await run.line(percent(least));
    }
    await run.cut();
    run = bench.power();
    await run.line(is("confirmed"));
    await run.line(is("state", "done"));
    assert.equal((await cloud.settled(task.id)).status, "success");
    cloud.off("served", listen);
    const again = served.reduce((sum, { sent }) => sum + sent, 0) - SIZE;
    assert.ok(again <= 4 * WINDOW, `${again} bytes fetched again in four cuts`);
    context.diagnostic(`${SIZE} bytes, 4 cuts: ${again} bytes fetched again, ${served.length} requests`);
    await checkpointDeleted(bench);
    await run.cut();
    const { slots, boot, store } = bench.inspect();
    assert.equal(slots[1]?.version, "0.2.0");
    assert.deepEqual(boot.find((entry) => entry?.decides)?.slot, "ota_1");
    assert.deepEqual(boot.find((entry) => entry?.decides)?.state, "valid");
    assert.equal(
      store.find(({ key }) => key === "job"),
      undefined,
      "nothing of the job is left",
    );
    assert.deepEqual(
      cloud.violations().filter(({ device }) => device === bench.device),
      [],
    );
  });
}

test("an app without all that can be left out takes an update, and reports a failed one", async () => {
  const built = build(firmwareWithout(join(BUILD, "without-app")), BUILD);
  assert.deepEqual(warnings(built.output), []);
  const bench = new Bench(built.path);
  const update = await bench.push("0.2.0");
  const run = bench.power();
  await run.line(is("confirmed"));
  assert.equal((await cloud.settled(update.id)).status, "success");
  const older = await bench.push("0.1.0");
  assert.match((await cloud.settled(older.id)).message ?? "", /older than the running 0\.2\.0/);
  assert.ok(!run.lines.some(({ text }) => String(text).startsWith("recording")), run.transcript());
  await run.cut();
});

/** What the SDK's engine has recorded replays in Node. */
async function checkRecording(run: HeadlessRun): Promise<void> {
  const { text } = await run.line((line) => /^recording [0-9a-f]{6}: /.test(String(line["text"])));
  const recording = readRecording(Buffer.from(String(text).slice("recording 000000: ".length), "base64"));
  assert.equal(replay(recording.run).doubt, undefined);
  assert.equal(recording.run.end?.cause, "rolled-back");
}

/** What the cloud hears of each. */
const FAULTY: { readonly [fault in Fault]: RegExp } = {
  throw: /^trial: the new firmware did not come to powerOn \(software reset\)$/,
  hang: /^trial: the new firmware did not come to powerOn \(watchdog reset\)$/,
  offline: /^trial: no connection within 10 s$/,
  "no-network": /^trial: no address within 60 s$/,
  "no-clock": /^trial: clock not set within 60 s$/,
  "throw-late": /^trial: cloud not reached; unhandled exception: Error: thrown late \(software reset\)$/,
  reject: /^trial: no agent was constructed; Error: rejected at its start \(software reset\)$/,
  "out-of-memory": /^trial: cloud not reached; software reset that nobody announced/,
};

for (const [fault, told] of Object.entries(FAULTY) as [Fault, RegExp][]) {
  test(`firmware that is ${fault} in its trial is rolled back, and the cloud is told`, async () => {
    const { path } = build(ROOT, BUILD);
    await rolledBack(path, fault, told);
  });
}

test("over the bundled library, firmware that throws late is rolled back, and the cloud is told", async () => {
  const { path } = build(await bundledFirmware(), BUILD);
  await rolledBack(path, "throw-late", FAULTY["throw-late"]);
});

async function rolledBack(path: string, fault: Fault, told: RegExp): Promise<void> {
  const bench = new Bench(path, { trialSeconds: 30 });
  const task = await bench.push("0.3.0", fault);
  const run = bench.power();
  // A trial without an address is silent for twice its length.
  await run.line(is("rollback"), 120_000);
  await run.line(is("state", "fail"));
  const { status, code, message } = await cloud.settled(task.id);
  assert.equal(status, "failure");
  assert.equal(code, -5);
  // The old firmware has looked whether the cloud is there.
  assert.match((message ?? "").replace(/; \S+ reached it after the rollback$/, ""), told);
  await checkRecording(run);
  await run.cut();
  const entries = bench.inspect().boot;
  assert.equal(entries.find((entry) => entry?.decides)?.slot, "ota_0");
  assert.match(entries.find((entry) => entry?.slot === "ota_1")?.state ?? "", /aborted|invalid/);
}
