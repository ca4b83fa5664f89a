/**
 * Updates against a stock Mosquitto and a static file server, without the local cloud: pushes are made by
 * mosquitto_pub. Devices are real processes, whose power is cut twice in the download and once in the trial.
 *
 *     npm run test:mosquitto        needs mosquitto and mosquitto_pub; python3 for one more server
 */
import { execFileSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { inspect } from "../host-sim/cli/inspect";
import { Device } from "../host-sim/demo/device-process";
import { WeakLink } from "../host-sim/faults/weak-link";
import { sampleImage } from "../host-sim/board/firmware/sample-image";
import { listen, startMosquitto } from "./mosquitto/broker";
import type { Broker, Reports } from "./mosquitto/broker";
import { DIALECTS, NEW } from "./mosquitto/dialects";
import type { Dialect, Image } from "./mosquitto/dialects";
import { pythonServer, rangedServer } from "./mosquitto/file-servers";
import type { FileServer } from "./mosquitto/file-servers";

const SIZE = 400_000;
/** Bytes per second of the line to the file server: slow enough to be cut. */
const RATE = 150_000;

const folder = mkdtempSync(join(tmpdir(), "xs-ota-mosquitto-"));
const files = join(folder, "files");
const children: ChildProcess[] = [];

try {
  for (const tool of ["mosquitto", "mosquitto_pub"])
    if (!found(tool)) throw new Error(`${tool} is not installed: apt-get install mosquitto mosquitto-clients`);
  const image = await makeImage();
  const broker = await startMosquitto(folder, children);
  const servers = [await rangedServer(files), ...(found("python3") ? [await pythonServer(files, children)] : [])];
  console.log(
    ["platform", "file server", "served", "again", "reports", "seconds"].map((title) => title.padEnd(16)).join(""),
  );
  for (const dialect of DIALECTS) for (const server of servers) await update(dialect, server, image, broker);
  console.log(
    `ok: ${DIALECTS.length} dialects with ${servers.length} file servers, 3 power cuts each, by ${firstLine("mosquitto", "-h")}`,
  );
} catch (error) {
  console.error(`failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

async function update(dialect: Dialect, server: FileServer, image: Image, broker: Broker): Promise<void> {
  const started = performance.now();
  const home = mkdtempSync(join(folder, "device-"));
  const [config, state] = [join(home, "device.json"), join(home, "board")];
  writeFileSync(config, JSON.stringify(dialect.device(broker.port)), { mode: 0o600 });
  const line = await WeakLink.open({ targets: [{ host: "127.0.0.1", port: server.port }], quality: { rate: RATE } });
  const reports = await listen(broker.port, dialect);
  const servedBefore = server.served?.() ?? 0;
  const subscribed = broker.subscriptions + dialect.subscriptions;
  let device = Device.start(config, state);
  const cutPower = async (): Promise<void> => {
    await device.kill();
    device = Device.start(config, state);
  };
  try {
    await broker.until(() => broker.subscriptions >= subscribed);
    publish(broker, dialect.push(image, `http://127.0.0.1:${line.ports[0]}/${basename(image.file)}`));
    for (const least of [25, 60]) {
      await device.until(`${least} %`, ({ percent }) => Number(percent) >= least);
      await cutPower();
    }
    await device.until("the trial", ({ event, trial }) => event === "boot" && trial === true);
    await cutPower();
    await device.until("done", ({ state: now }) => now === "done");
    await reports.until((seen) => seen.at(-1) === dialect.last);
  } finally {
    await device.kill();
    reports.stop();
    await line.close();
  }
  check(dialect, reports, state);
  const served = server.served === undefined ? undefined : server.served() - servedBefore;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const again = served === undefined ? "-" : served - image.size;
  const cells = [dialect.name, server.name, served ?? "-", again, reports.seen.length, seconds];
  console.log(cells.map((cell) => String(cell).padEnd(16)).join(""));
}

/** As an operator pushes by hand. */
function publish({ port }: Broker, { topic, message, qos }: ReturnType<Dialect["push"]>): void {
  const where = ["-h", "127.0.0.1", "-p", String(port), "-t", topic, "-q", String(qos)];
  execFileSync("mosquitto_pub", [...where, "-m", JSON.stringify(message)]);
}

/** One outcome, no step 0, and the new version in its slot. */
function check({ name, last }: Dialect, { seen }: Reports, state: string): void {
  const zero = name.startsWith("ThingsPanel") && seen.includes("0");
  if (zero || seen.filter((each) => each === last).length !== 1)
    throw new Error(`${name}: reports were ${seen.join(" ")}`);
  if (inspect(state).slots.find(({ label }) => label === "ota_1")?.version !== NEW)
    throw new Error(`${name}: ota_1 does not hold ${NEW}`);
}

async function makeImage(): Promise<Image> {
  const bytes = await sampleImage(NEW, undefined, SIZE);
  mkdirSync(files);
  const file = join(files, "firmware.bin");
  writeFileSync(file, bytes);
  const digest = (algorithm: string): string => createHash(algorithm).update(bytes).digest("hex");
  return { file, size: bytes.length, md5: digest("md5"), sha256: digest("sha256") };
}

function found(tool: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function firstLine(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8" }).split("\n")[0]!;
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? command).split("\n")[0]!;
  }
}
