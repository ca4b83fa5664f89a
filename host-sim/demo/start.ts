/**
 * `npm start`: a cloud updates one board from firmware 0.1.0 to 0.2.0. The board is a process of its own. It is killed
 * in the middle of the download, which is a power cut. Started again, it resumes from its flash, switches slots,
 * confirms the new firmware and reports done.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "../cli/inspect";
import { randomDevice } from "../cloud/core/platforms/sides";
import { createCloud } from "../cloud/core/cloud";
import type { Cloud } from "../cloud/core/cloud";
import { firmwareSource } from "../board/firmware/bundle";
import { buildImage } from "../../hal/model-chip/build-image";
import { Device } from "./device-process";
import { Screen } from "./screen";
import { problems, summarize } from "./summary";
import type { Measured } from "./summary";

const [OLD, NEW] = ["0.1.0", "0.2.0"];
/** About the size of a firmware with the agent on a chip, bytes. */
const SIZE = 708_482;
/** Bytes per second: the download takes some eight seconds. */
const THROTTLE = 90_000;
/** The power is cut up to CUT_WITHIN milliseconds after this percentage was reported. */
const CUT_AT = 40;
const CUT_WITHIN = 1_000;
/** Milliseconds. README.md promises less than a minute. */
const TIMEOUT = 55_000;

const screen = new Screen(process.stdout);
const folder = mkdtempSync(join(tmpdir(), "xs-ota-demo-"));
let device: Device | undefined;
process.once("SIGINT", () => void finish(130));

try {
  const measured = await within(TIMEOUT, demonstrate());
  for (const line of summarize(measured)) screen.line(line);
  const found = problems(measured);
  if (found.length > 0) throw new Error(found.join("; "));
  const { again, sectors, seconds, cutPercent, wear } = measured;
  screen.line(
    `ok: ${OLD} -> ${NEW} over a power cut at ${cutPercent} %: ${again} bytes fetched again, ${wear["ota_1"]?.erases} sectors erased for ${sectors}, ${seconds.toFixed(1)} s`,
  );
  await finish(0);
} catch (error) {
  screen.line(`failed: ${(error as Error).message}`);
  await finish(1);
}

async function demonstrate(): Promise<Measured> {
  const started = performance.now();
  screen.line(`making firmware ${NEW}, ${SIZE} bytes, and a cloud on this machine (MQTT and HTTPS over TLS)`);
  const cloud = await createCloud({ throttle: THROTTLE, tls: { kind: "ec" }, mqttPort: false, httpPort: false });
  await cloud.start();
  const image = buildImage({ version: NEW!, payload: Buffer.from(await firmwareSource(NEW!)), size: SIZE });
  const name = cloud.addDevice("tencent", randomDevice("tencent", "board-1").identity);
  const task = cloud.push(name, await cloud.packages.add(image, { name: `firmware-${NEW}.bin` }));
  const [config, state] = [writeConfig(cloud, name), join(folder, "board")];

  screen.line(`power on: a board with firmware ${OLD}`);
  device = Device.start(config, state, "--version", OLD!);
  watch(device);
  await device.until("the middle of the download", ({ percent }) => Number(percent) >= CUT_AT);
  // A power cut at the moment of a report would always hit the same operation.
  await new Promise((resolve) => setTimeout(resolve, Math.random() * CUT_WITHIN));
  await device.kill();
  const checkpoint = inspect(state).job?.stored ?? 0;
  const cutPercent = Math.floor((100 * checkpoint) / SIZE);
  screen.line(`POWER CUT in mid-download (kill -9). In flash and checked: ${checkpoint} bytes, ${cutPercent} %`);

  screen.line("power on again");
  device = Device.start(config, state);
  watch(device);
  const resumed = Number((await device.event("resume"))["offset"]);
  await device.until("done", ({ state: now }) => now === "done");
  const { status } = await cloud.settled(task.id);
  await device.kill();
  const { partitions, slots } = inspect(state);
  return {
    size: SIZE,
    sectors: Math.ceil(SIZE / 4096),
    served: cloud.traffic.total().bytes,
    again: cloud.traffic.total().bytes - SIZE,
    cutPercent,
    checkpoint,
    resumed,
    status,
    runs: cloud.devices.get(name)?.version,
    wanted: NEW!,
    inFlash: slots.map(({ label, version }) => `${label} ${version ?? "empty"}`),
    wear: Object.fromEntries(partitions.map(({ label, wear }) => [label, wear])),
    reports: cloud.devices.messages(name).filter(({ direction }) => direction === "up").length,
    violations: cloud.violations().map(({ rule }) => rule),
    seconds: (performance.now() - started) / 1000,
  };
}

function writeConfig(cloud: Cloud, name: string): string {
  const root = join(folder, "root.pem");
  const path = join(folder, "device.json");
  writeFileSync(root, cloud.root ?? "");
  writeFileSync(path, JSON.stringify(cloud.deviceConfig(name, root)));
  chmodSync(path, 0o600);
  return path;
}

function watch(running: Device): void {
  running.onEvent = (event) => screen.event(event);
}

function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error(`not done after ${milliseconds / 1000} s`)), milliseconds).unref(),
  );
  return Promise.race([work, late]);
}

async function finish(code: number): Promise<never> {
  await device?.kill();
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}
