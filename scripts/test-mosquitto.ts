/**
 * Updates against a stock Mosquitto and a static file server: no cloud of ours, its part is played by hand with mosquitto_pub. Real
 * processes, the power cut twice in the download and once in the trial.
 *
 *     npm run test:mosquitto        needs mosquitto and mosquitto_pub; python3 for one more server
 */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { connectAsync } from "mqtt";
import { inspect } from "../host-sim/cli/inspect";
import { Device } from "../host-sim/demo/device-process";
import { WeakLink } from "../host-sim/faults/weak-link";
import { firmwareSource } from "../host-sim/board/firmware/bundle";
import { buildImage } from "../hal/model-chip/build-image";

const SIZE = 400_000;
/** Bytes per second of the line to the file server: slow enough to be cut. */
const RATE = 150_000;
const NEW = "0.2.0";

/** The one way in which a platform differs here. */
interface Story {
  readonly name: string;
  readonly device: (port: number) => Record<string, unknown>;
  /** Topic at which an operator pushes, and what. */
  readonly push: (
    image: Image,
    url: string,
  ) => { readonly topic: string; readonly message: unknown; readonly qos: 0 | 1 };
  /** Where reports go. */
  readonly reports: string;
  /** What one report means. */
  readonly read: (message: Record<string, unknown>) => string;
  readonly last: string;
  readonly subscriptions: number;
}

interface Image {
  readonly file: string;
  readonly size: number;
  readonly md5: string;
  readonly sha256: string;
}

const step = (message: Record<string, unknown>): string =>
  typeof message["step"] === "string"
    ? message["step"]
    : `version ${(message["params"] as { version?: string } | undefined)?.version}`;

const STORIES: readonly Story[] = [
  {
    name: "ThingsPanel v0",
    device: (port) => ({
      platform: "thingspanel",
      profile: "v0",
      mqtt: { host: "127.0.0.1", port, tls: false },
      username: "token-123",
      password: "",
      clientId: "dev-1",
      deviceNumber: "dev-1",
      module: "MCU",
    }),
    push: ({ size, sha256 }, url) => ({
      topic: "ota/device/inform/token-123",
      qos: 0,
      message: {
        id: "147258369",
        code: 200,
        params: {
          version: NEW,
          size,
          url,
          signMethod: "Md5",
          sign: sha256,
          module: "MCU",
          extData: { key1: "value1" },
        },
      },
    }),
    reports: "ota/device/#",
    read: step,
    last: "100",
    subscriptions: 1,
  },
  {
    name: "ThingsPanel v1",
    device: (port) => ({
      platform: "thingspanel",
      profile: "v1",
      mqtt: { host: "127.0.0.1", port, tls: false },
      username: "user-7",
      password: "s3cr3t7",
      clientId: "dev-2",
      deviceNumber: "number-2",
    }),
    push: ({ size, md5 }, url) => ({
      topic: "ota/devices/infrom/number-2",
      qos: 1,
      message: {
        code: "200",
        id: "583920174",
        params: { extData: {}, module: null, sign: md5, signMethod: "MD5", size: String(size), url, version: NEW },
      },
    }),
    reports: "ota/devices/progress",
    read: step,
    last: "100",
    subscriptions: 2,
  },
  {
    name: "Tencent",
    device: (port) => ({
      platform: "tencent",
      mqtt: { host: "127.0.0.1", port, tls: false },
      auth_mode: "KEY",
      productId: "A1B2C3D4E5",
      deviceName: "ota-bench-01",
      key_deviceinfo: { deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" },
    }),
    push: ({ size, md5 }, url) => ({
      topic: "$ota/update/A1B2C3D4E5/ota-bench-01",
      qos: 0,
      message: { file_size: size, md5sum: md5, type: "update_firmware", url, version: NEW },
    }),
    reports: "$ota/report/#",
    read: ({ type, report }) => {
      const { progress, version } = report as { progress?: { state: string; percent?: string }; version: string };
      return type === "report_version" ? `version ${version}` : (progress!.percent ?? progress!.state);
    },
    last: "done",
    subscriptions: 1,
  },
];

const folder = mkdtempSync(join(tmpdir(), "xs-ota-mosquitto-"));
const children: ChildProcess[] = [];

try {
  for (const tool of ["mosquitto", "mosquitto_pub"])
    if (!found(tool)) throw new Error(`${tool} is not installed: apt-get install mosquitto mosquitto-clients`);
  const image = await makeImage();
  const broker = await startMosquitto();
  const servers = [await rangedServer(), ...(found("python3") ? [await pythonServer()] : [])];
  console.log(
    ["platform", "file server", "served", "again", "reports", "seconds"].map((title) => title.padEnd(16)).join(""),
  );
  for (const story of STORIES) for (const server of servers) await update(story, server, image, broker);
  console.log(
    `ok: ${STORIES.length} dialects with ${servers.length} file servers, 3 power cuts each, by ${firstLine("mosquitto", "-h")}`,
  );
} catch (error) {
  console.error(`failed: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
process.exit();

interface FileServer {
  readonly name: string;
  readonly port: number;
  /** Bytes of bodies that went out; undefined where nobody counts. */
  readonly served?: () => number;
}

async function update(story: Story, server: FileServer, image: Image, broker: Broker): Promise<void> {
  const started = performance.now();
  const home = mkdtempSync(join(folder, "device-"));
  const [config, state] = [join(home, "device.json"), join(home, "board")];
  writeFileSync(config, JSON.stringify(story.device(broker.port)), { mode: 0o600 });
  const line = await WeakLink.open({ targets: [{ host: "127.0.0.1", port: server.port }], quality: { rate: RATE } });
  const reports = await listen(broker.port, story);
  const servedBefore = server.served?.() ?? 0;
  const subscribed = broker.subscriptions + story.subscriptions;
  let device = Device.start(config, state);
  try {
    await broker.until(() => broker.subscriptions >= subscribed);
    const { topic, message, qos } = story.push(image, `http://127.0.0.1:${line.ports[0]}/${basename(image.file)}`);
    execFileSync("mosquitto_pub", [
      "-h",
      "127.0.0.1",
      "-p",
      String(broker.port),
      "-t",
      topic,
      "-q",
      String(qos),
      "-m",
      JSON.stringify(message),
    ]);
    for (const least of [25, 60]) {
      await device.until(`${least} %`, ({ percent }) => Number(percent) >= least);
      await device.kill();
      device = Device.start(config, state);
    }
    await device.until("the trial", ({ event, trial }) => event === "boot" && trial === true);
    await device.kill();
    device = Device.start(config, state);
    await device.until("done", ({ state: now }) => now === "done");
    await reports.until((seen) => seen.at(-1) === story.last);
  } finally {
    await device.kill();
    reports.stop();
    await line.close();
  }
  const { slots } = inspect(state);
  const wrong = reports.seen.filter((each) => each === "0" && story.name.startsWith("ThingsPanel"));
  if (wrong.length > 0 || reports.seen.filter((each) => each === story.last).length !== 1)
    throw new Error(`${story.name}: reports were ${reports.seen.join(" ")}`);
  if (slots.find(({ label }) => label === "ota_1")?.version !== NEW)
    throw new Error(`${story.name}: ota_1 does not hold ${NEW}`);
  const served = server.served === undefined ? undefined : server.served() - servedBefore;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    [
      story.name,
      server.name,
      served ?? "-",
      served === undefined ? "-" : served - image.size,
      reports.seen.length,
      seconds,
    ]
      .map((cell) => String(cell).padEnd(16))
      .join(""),
  );
}

async function makeImage(): Promise<Image> {
  const bytes = buildImage({ version: NEW, payload: Buffer.from(await firmwareSource(NEW)), size: SIZE });
  mkdirSync(join(folder, "files"));
  const file = join(folder, "files", "firmware.bin");
  writeFileSync(file, bytes);
  const digest = (algorithm: string): string => createHash(algorithm).update(bytes).digest("hex");
  return { file, size: bytes.length, md5: digest("md5"), sha256: digest("sha256") };
}

interface Broker {
  readonly port: number;
  /** SUBACKs sent so far. */
  readonly subscriptions: number;
  until(is: () => boolean): Promise<void>;
}

async function startMosquitto(): Promise<Broker> {
  const port = await freePort();
  const config = join(folder, "mosquitto.conf");
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nlog_type all\n`);
  const child = spawn("mosquitto", ["-c", config], { stdio: ["ignore", "ignore", "pipe"] });
  children.push(child);
  const broker = {
    port,
    subscriptions: 0,
    running: false,
    wake: () => {},
    until: async (is: () => boolean): Promise<void> => {
      while (!is()) await new Promise<void>((resolve) => (broker.wake = resolve));
    },
  };
  createInterface({ input: child.stderr }).on("line", (text) => {
    if (text.includes(" running")) broker.running = true;
    if (/Sending SUBACK to (?!observer)/.test(text)) broker.subscriptions++;
    broker.wake();
  });
  await broker.until(() => broker.running);
  return broker;
}

interface Reports {
  readonly seen: string[];
  until(is: (seen: readonly string[]) => boolean): Promise<void>;
  stop(): void;
}

/** What goes up, as somebody at the broker sees it. */
async function listen(port: number, { reports, read }: Story): Promise<Reports> {
  const client = await connectAsync({
    host: "127.0.0.1",
    port,
    clientId: `observer-${process.pid}`,
    protocolVersion: 4,
  });
  const seen: string[] = [];
  let wake = (): void => {};
  client.on("message", (_topic, payload) => {
    const text = payload.toString();
    // The operator's own pushes pass here too where topics are shared.
    if (!text.includes('"code"')) seen.push(read(JSON.parse(text) as Record<string, unknown>));
    wake();
  });
  await client.subscribeAsync(reports, { qos: 1 });
  const until = async (is: (seen: readonly string[]) => boolean): Promise<void> => {
    while (!is(seen)) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { seen, until, stop: () => void client.end(true) };
}

/** Ranges as RFC 9110 has them, as every web server of the day does. */
async function rangedServer(): Promise<FileServer> {
  let served = 0;
  const server = createServer((request, response) => {
    const bytes = readFileSync(join(folder, "files", basename(request.url ?? "")));
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const [start, end] =
      first === undefined ? [0, bytes.length - 1] : [Number(first), Math.min(Number(last), bytes.length - 1)];
    const body = bytes.subarray(start, end + 1);
    served += body.length;
    const range = first === undefined ? {} : { "Content-Range": `bytes ${start}-${end}/${bytes.length}` };
    response
      .writeHead(first === undefined ? 200 : 206, {
        "Content-Length": body.length,
        "Content-Type": "application/octet-stream",
        ...range,
      })
      .end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { name: "with ranges", port: (server.address() as AddressInfo).port, served: () => served };
}

/** Knows no ranges: every answer is the whole file, and what is stored already is skipped. */
async function pythonServer(): Promise<FileServer> {
  const child = spawn(
    "python3",
    ["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", join(folder, "files"), "0"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const [text] = (await once(lines, "line")) as [string];
  return { name: "python3, none", port: Number(/port (\d+)/.exec(text)![1]) };
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
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
