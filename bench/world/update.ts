/** One whole update of the real agent in the world: from the push to `done`, over as many restarts as it takes. */
import { createHash } from "node:crypto";
import type { ResetReason } from "../../src/ports";
import { generator } from "../../host-sim/faults/weak-link";
import { OtaAgent } from "../../src/index";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { brokerService } from "./broker-service";
import type { Cloud } from "./broker-service";
import { Device, imageOf } from "./device";
import type { FlashSummary } from "./device";
import { HEAD_BYTES, fileService } from "./file-service";
import type { FileTraffic } from "./file-service";
import { Timeline } from "./timeline";
import { Wire } from "./wire";
import type { LineQuality, Traffic } from "./wire";

export const MQTT_PORT = 1883;
export const HTTP_PORT = 80;
/** Nothing takes longer than this, or it counts as never finished. */
export const GIVE_UP = 2 * 3_600_000;

export interface RunOptions {
  readonly size: number;
  readonly line: LineQuality;
  readonly seed: number;
  /** The power goes when this share of the file is in flash, once each. */
  readonly cuts?: readonly number[];
  /** Bytes per request; default: the agent's own. */
  readonly range?: number;
  /** Updates in a row, each to a version of its own; default 1. */
  readonly updates?: number;
}

export interface RunResult {
  readonly finished: boolean;
  /** From the offer to the image proven in flash, ms. */
  readonly downloadMs: number;
  readonly totalMs: number;
  /** Bytes of the file's server that left it beyond the file (heads of answers included), and of the file alone. */
  readonly sent: number;
  readonly again: number;
  readonly requests: number;
  readonly file: Traffic;
  readonly mqtt: Traffic;
  readonly flash: FlashSummary;
  /** From the push to the first byte of the file, ms. */
  readonly firstByteMs: number;
  readonly said: readonly string[];
}

const CONFIG = {
  productId: "A1B2C3D4E5",
  deviceName: "bench",
  authMode: "KEY",
  deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
} as const;

export function runUpdate({ size, line, seed, cuts = [], range, updates = 1 }: RunOptions): RunResult {
  const timeline = new Timeline();
  const random = generator(seed);
  const wire = new Wire(timeline, line, generator(seed + 1));
  const file = { bytes: imageOf("0.2.0", size) };
  const served: FileTraffic = { requests: 0, promised: 0 };
  const cloud: Cloud = { task: undefined, said: [], packets: 0 };
  const offer = (version: string): void => {
    file.bytes = imageOf(version, size);
    const md5sum = createHash("md5").update(file.bytes).digest("hex");
    cloud.task = { version, file_size: size, md5sum, url: `http://files.example/fw.bin?sign=${"0".repeat(300)}` };
  };
  offer("0.2.0");
  wire.serve(
    HTTP_PORT,
    fileService(() => file.bytes, served),
  );
  wire.serve(MQTT_PORT, brokerService(cloud));

  let restart = false;
  const device = new Device(timeline, wire, random, () => (restart = true));
  const moments = { offered: -1, proven: -1 };
  let agent: OtaAgent | undefined;
  const start = (reason: ResetReason): void => {
    restart = false;
    const ports = device.start(reason);
    agent = new OtaAgent({
      ports,
      platform: new TencentPlatform(CONFIG, ports.crypto),
      broker: { host: "broker.example", port: MQTT_PORT, tls: false },
      policy: { allowHttp: true },
      ...(range === undefined ? {} : { download: { range } }),
      onNotice: (notice) => {
        if (notice.event === "offer" && moments.offered < 0) moments.offered = timeline.now;
        if (notice.event === "state" && notice.state === "burning") moments.proven = timeline.now;
      },
    });
    agent.start();
  };
  const stop = (): void => {
    agent?.stop();
    wire.cut();
  };

  start("power-on");
  let firstByteMs = -1;
  const pending = cuts.map((share) => share * size);
  const http = wire.traffic.get(HTTP_PORT)!;
  let done = 0;
  while (done < updates && timeline.now < GIVE_UP && timeline.step(GIVE_UP)) {
    if (firstByteMs < 0 && http.read > 0) firstByteMs = timeline.now - moments.offered;
    if (cloud.said.at(-1) === "done") {
      cloud.said.push("");
      if (++done < updates) offer(`0.${2 + done}.0`);
      if (done < updates) cloud.push?.();
    }
    if (restart) {
      stop();
      start("software");
    } else if (
      pending[0] !== undefined &&
      device.board.chip.counts(device.board.table.slots[1].address, size).bytesProgrammed >= pending[0]
    ) {
      pending.shift();
      stop();
      device.board.chip.powerOff();
      start("power-on");
    }
  }
  const totalMs = timeline.now - moments.offered;
  stop();
  const heads = served.requests * HEAD_BYTES;
  return {
    finished: done === updates,
    downloadMs: moments.proven - moments.offered,
    totalMs,
    sent: http.sent,
    again: Math.max(0, http.sent - heads - size * updates),
    requests: served.requests,
    file: http,
    mqtt: wire.traffic.get(MQTT_PORT)!,
    flash: device.flash(),
    firstByteMs,
    said: cloud.said,
  };
}
