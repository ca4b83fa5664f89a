/**
 * `npm start`: a cloud updates one board from firmware 0.1.0 to 0.2.0. The board is a process of its own. It is killed
 * in the middle of the download, which is a power cut. Started again, it resumes from its flash, switches slots,
 * confirms the new firmware and reports done. A second update, to 0.3.0, comes as a container of deltas.
 */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "../cli/inspect";
import { randomDevice } from "../cloud/core/platforms/sides";
import { createCloud } from "../cloud/core/cloud";
import type { Cloud } from "../cloud/core/cloud";
import { Device } from "./device-process";
import { Screen } from "./screen";
import { firmware, updateByDelta } from "./second-update";
import { problems, summarize } from "./summary";
import type { Measured } from "./summary";

const [OLD, NEW, NEXT] = ["0.1.0", "0.2.0", "0.3.0"];
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
  const { again, sectors, seconds, cutPercent, wear, second } = measured;
  screen.line(
    `ok: ${OLD} -> ${NEW} over a power cut at ${cutPercent} %: ${again} bytes fetched again, ${wear["ota_1"]?.erases} sectors erased for ${sectors}; -> ${second.version} by a delta: ${second.served} bytes instead of ${second.image}; ${seconds.toFixed(1)} s`,
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
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const image = await firmware(NEW!, SIZE, key);
  const name = cloud.addDevice("tencent", randomDevice("tencent", "board-1").identity);
  const task = cloud.push(name, await cloud.packages.add(image, { name: `firmware-${NEW}.bin` }));
  const [config, state] = [writeConfig(cloud, name, key), join(folder, "board")];

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
  const served = cloud.traffic.total().bytes;
  const runs = cloud.devices.get(name)?.version;

  screen.line(`power on again, and an update to ${NEXT} by a container: a patch from ${NEW}, and the whole compressed`);
  device = Device.start(config, state);
  watch(device);
  const second = await updateByDelta(cloud, { name, device, version: NEXT!, old: image, key });
  await device.kill();
  return {
    size: SIZE,
    sectors: Math.ceil(SIZE / 4096),
    served,
    again: served - SIZE,
    cutPercent,
    checkpoint,
    resumed,
    status,
    runs,
    wanted: NEW!,
    second,
    inFlash: slots.map(({ label, version }) => `${label} ${version ?? "empty"}`),
    wear: Object.fromEntries(partitions.map(({ label, wear }) => [label, wear])),
    reports: cloud.devices.messages(name).filter(({ direction }) => direction === "up").length,
    violations: cloud.violations().map(({ rule }) => rule),
    seconds: (performance.now() - started) / 1000,
  };
}

function writeConfig(cloud: Cloud, name: string, key: KeyObject): string {
  const [root, trusted] = [join(folder, "root.pem"), join(folder, "signer.pem")];
  const path = join(folder, "device.json");
  writeFileSync(root, cloud.root ?? "");
  writeFileSync(trusted, createPublicKey(key).export({ format: "pem", type: "spki" }));
  writeFileSync(path, JSON.stringify({ ...cloud.deviceConfig(name, root), signingKeys: [trusted] }));
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
