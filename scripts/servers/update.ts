/** One update of one simulated board, seen from its broker and from the line to its file server. */
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { inspect } from "../../host-sim/cli/inspect";
import { Device } from "../../host-sim/demo/device-process";
import { WeakLink } from "../../host-sim/faults/weak-link";

export const NEW = "0.2.0";
const DEVICE = { productId: "A1B2C3D4E5", deviceName: "ota-bench-01" };
/** Bytes per second of the line while the power is cut: slow enough to be cut in mid-download. */
const RATE = 100_000;

export interface Image {
  /** In the folder that servers serve. */
  readonly name: string;
  readonly size: number;
  readonly md5: string;
}

export interface Scenario {
  readonly folder: string;
  readonly broker: number;
  readonly file: { readonly port: number; readonly tls: boolean; readonly root: string };
  readonly image: Image;
  /** Percent at which the power is cut; absent: never. */
  readonly cutAt?: number;
}

export interface Figures {
  /** To the file server, and bytes that came from it, over the wire. */
  readonly connections: number;
  readonly bytes: number;
  readonly versionReports: number;
  readonly seconds: number;
}

/** A relay that counts. */
class Line {
  connections = 0;
  bytes = 0;
  readonly #server: Server;

  constructor(port: number) {
    this.#server = createServer((near) => {
      this.connections++;
      const far = connect(port, "127.0.0.1");
      far.on("data", ({ length }: Buffer) => (this.bytes += length));
      const end = (): void => void (near.destroy(), far.destroy());
      near.on("error", end).on("close", end).pipe(far);
      far.on("error", end).pipe(near);
    });
  }

  async open(): Promise<number> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}

/** As Tencent's cloud does: each report of the old version is answered with the push. */
const operate = async (broker: number, url: string, { size, md5 }: Image) => {
  const client = await connectAsync({ host: "127.0.0.1", port: broker, clientId: `operator-${process.pid}` });
  const { productId, deviceName } = DEVICE;
  const seen = { versionReports: 0, last: "" };
  let wake = (): void => {};
  client.on("message", (_topic, payload) => {
    const { type, report } = JSON.parse(payload.toString()) as {
      type: string;
      report: { version: string; progress?: { state: string; result_msg: string } };
    };
    if (type === "report_version") {
      seen.versionReports++;
      const push = { type: "update_firmware", version: NEW, url, file_size: size, md5sum: md5 };
      if (report.version !== NEW) client.publish(`$ota/update/${productId}/${deviceName}`, JSON.stringify(push));
    } else seen.last = `${report.progress?.state} ${report.progress?.result_msg}`.trim();
    wake();
  });
  await client.subscribeAsync("$ota/report/#", { qos: 1 });
  const outcome = async (): Promise<void> => {
    while (!/^(done|fail)/.test(seen.last)) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { seen, outcome, end: () => client.end(true) };
};

/** Rejects where the update fails. */
export const update = async ({ folder, broker, file, image, cutAt }: Scenario): Promise<Figures> => {
  const started = performance.now();
  const home = mkdtempSync(join(folder, "device-"));
  const [config, state] = [join(home, "device.json"), join(home, "board")];
  const key_deviceinfo = { deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" };
  const mqtt = { host: "127.0.0.1", port: broker, tls: false };
  const device = { platform: "tencent", mqtt, https: { ca: file.root }, auth_mode: "KEY", ...DEVICE, key_deviceinfo };
  writeFileSync(config, JSON.stringify(device), { mode: 0o600 });
  const weak =
    cutAt === undefined
      ? undefined
      : await WeakLink.open({ targets: [{ host: "127.0.0.1", port: file.port }], quality: { rate: RATE } });
  const line = new Line(weak?.ports[0] ?? file.port);
  const port = await line.open();
  const url = `${file.tls ? "https://localhost" : "http://127.0.0.1"}:${port}/${image.name}`;
  const cloud = await operate(broker, url, image);
  let board = Device.start(config, state);
  try {
    if (cutAt !== undefined) {
      await board.until(`${cutAt} %`, ({ percent }) => Number(percent) >= cutAt);
      await board.kill();
      board = Device.start(config, state);
    }
    await cloud.outcome();
  } finally {
    await board.kill();
    cloud.end();
    line.close();
    await weak?.close();
  }
  const { versionReports, last } = cloud.seen;
  if (last !== "done") throw new Error(last);
  if (inspect(state).slots.find(({ label }) => label === "ota_1")?.version !== NEW) throw new Error("ota_1 is not new");
  const { connections, bytes } = line;
  return { connections, bytes, versionReports, seconds: Math.round((performance.now() - started) / 1000) };
};
