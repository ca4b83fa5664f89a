/**
 * The firmware on the ESP32 port, TypeScript and C, in the SDK's engine, over fakes of ESP-IDF: an update with a power
 * cut, and firmware that throws. The simulated board's bootloader starts the flash file that the port writes; the code
 * that runs is the one built for the version in the slot.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { Bootloader } from "../../hal/model-chip/bootloader";
import { FileCells } from "../../host-sim/board/file-cells";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { flashFactory } from "../../hal/model-chip/flash-factory";
import { Slots } from "../../hal/model-chip/slots";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import { buildImage } from "../../hal/model-chip/build-image";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless, warnings } from "./harness";
import type { Line } from "./harness";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

const SIZE = 300_001;
const FLASH = 4 << 20;
/** esp_reset_reason_t */
const POWER_ON = 1;
const SOFTWARE = 3;
const SECRET = "3ZxkQmVyVGVzdFZlY3Rvcg==";

let folder: string;
let headless: string;
let cloud: Cloud;
/** Apps by the version that they are. */
const apps = new Map<string, string>();

/** The app again, as firmware of another version. */
function firmware(version: string, config: object = {}): void {
  const app = join(BUILD, `esp32-${version}`);
  mkdirSync(app, { recursive: true });
  const include = relative(app, join(ROOT, "tests", "moddable", "esp32-firmware", "manifest.json"));
  writeFileSync(
    join(app, "manifest.json"),
    JSON.stringify({
      include: [include],
      defines: { xsota: { product: "xs-ota", version } },
      config: { sntp: "", ...config },
    }),
  );
  const { path, output } = build(app, BUILD);
  assert.deepEqual(warnings(output), []);
  apps.set(version, path);
}

const image = (version: string, size = SIZE): Buffer =>
  Buffer.from(buildImage({ product: "xs-ota", version, payload: Buffer.from(`// ${version}`), size }));

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "xs-ota-moddable-"));
  headless = buildHeadless(BUILD);
  // Slow enough that a power cut in the middle of a download comes before its end.
  cloud = await createCloud({ throttle: 100_000 });
  await cloud.start();
  firmware("0.1.0");
  firmware("0.2.0");
  firmware("0.3.0", { fault: "throw" });
  firmware("0.4.0", { network: "never", trialSeconds: 30 });
});

after(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true });
});

class Bench {
  readonly device: string;
  readonly #folder: string;
  readonly #table = partitionTableFor(FLASH);
  run: HeadlessRun | undefined;

  constructor(deviceName: string) {
    this.device = cloud.addDevice("tencent", { productId: "A1B2C3D4E5", deviceName, deviceSecret: SECRET });
    this.#folder = join(folder, deviceName);
    mkdirSync(this.#folder);
    const { mqtt } = cloud.deviceConfig(this.device) as { mqtt: { host: string; port: number } };
    const settings = {
      platform: "tencent",
      productId: "A1B2C3D4E5",
      deviceName,
      deviceSecret: SECRET,
      mqttHost: mqtt.host,
      mqttPort: mqtt.port,
      mqttTls: "false",
    };
    writeFileSync(join(this.#folder, "settings.json"), JSON.stringify(settings));
    const cells = FileCells.create(join(this.#folder, "flash.bin"), FLASH);
    flashFactory(new FlashChip(cells), this.#table, image("0.1.0", 200_000));
    cells.close();
  }

  /** The bootloader, then the firmware that it chose. */
  power(reason = POWER_ON): HeadlessRun {
    const cells = FileCells.open(join(this.#folder, "flash.bin"));
    const chip = new FlashChip(cells);
    const started = new Bootloader(chip, this.#table, new Slots(chip, this.#table, 0)).boot();
    cells.close();
    assert.ok(started.bricked === undefined, started.bricked);
    const slot = started.slot === "ota_0" ? "0" : "1";
    this.run = new HeadlessRun(headless, apps.get(started.version)!, {
      XS_OTA_SIM: this.#folder,
      XS_OTA_SLOT: slot,
      XS_OTA_REASON: String(reason),
    });
    return this.run;
  }

  async push(version: string) {
    return cloud.push(this.device, await cloud.packages.add(image(version)));
  }
}

const is =
  (event: string, state?: string) =>
  (line: Line): boolean =>
    line["event"] === event && (state === undefined || line["state"] === state);
const percent =
  (least: number) =>
  (line: Line): boolean =>
    line["state"] === "downloading" && (line["percent"] as number) >= least;
const says =
  (pattern: RegExp) =>
  (line: Line): boolean =>
    pattern.test(String(line["text"] ?? ""));

test("an update with a power cut: resumed, switched, confirmed, done", async () => {
  const bench = new Bench("esp32-01");
  const task = await bench.push("0.2.0");
  let run = bench.power();
  await run.line(percent(40));
  await run.cut();
  run = bench.power();
  assert.ok(((await run.line(is("resume")))["offset"] as number) > 0);
  await run.line(is("reboot"));
  await run.line(({ restart }) => restart === true);
  run = bench.power(SOFTWARE);
  await run.line(is("confirmed"));
  await run.line(is("state", "done"));
  assert.equal((await cloud.settled(task.id)).status, "success");
  assert.ok(!run.lines.some(says(/the last run ended/)), "a wanted restart is no fault");
  await run.cut();
  run = bench.power();
  await run.line(says(/network: up/));
  await run.cut();
});

test("firmware that throws is rolled back, and the exception is reported at the next start", async () => {
  const bench = new Bench("esp32-02");
  const task = await bench.push("0.3.0");
  let run = bench.power();
  await run.line(({ restart }) => restart === true);
  run = bench.power(SOFTWARE);
  // Out of the abort hook: had it returned, the engine would have ended the run without this line.
  await run.line(({ restart }) => restart === true);
  run = bench.power(SOFTWARE);
  const { text } = await run.line(says(/the last run ended/));
  assert.equal(
    text,
    "the last run ended: 0.3.0: no address; unhandled exception: RangeError: deliberate (software reset)",
  );
  await run.line(is("rollback"));
  await run.line(is("state", "fail"));
  const { status, code, message } = await cloud.settled(task.id);
  assert.deepEqual([status, code], ["failure", -5]);
  assert.match(message ?? "", /^trial: no address; unhandled exception: RangeError: deliberate \(software reset\)$/);
  await run.cut();
});

test("firmware whose network never comes up is rolled back at the deadline of its trial", async () => {
  const bench = new Bench("esp32-03");
  const task = await bench.push("0.4.0");
  let run = bench.power();
  await run.line(({ restart }) => restart === true);
  run = bench.power(SOFTWARE);
  await run.line(is("state", "trial"));
  // Without an address the trial is extended once: twice 30 s.
  await run.line(({ restart }) => restart === true, 120_000);
  run = bench.power(SOFTWARE);
  await run.line(is("rollback"));
  const { status, code, message } = await cloud.settled(task.id);
  assert.deepEqual(
    [status, code, message],
    ["failure", -5, "trial: no address within 60 s; 0.1.0 reached it after the rollback"],
  );
  await run.cut();
});
