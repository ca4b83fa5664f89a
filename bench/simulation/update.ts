/** One whole update of the real agent in virtual time: from the push to `done`, over as many restarts as it takes. */
import { createHash } from "node:crypto";
import type { FlashTiming } from "../../hal/model-chip/flash-timing";
import { generator } from "../../host-sim/faults/weak-link";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { boardOf, firmwareImage } from "../../tests/kit/images";
import { VirtualClock } from "../../tests/kit/virtual-clock";
import { VirtualDevice } from "../../tests/kit/virtual-device";
import { VirtualNetwork } from "../../tests/kit/virtual-network";
import type { Line, Traffic } from "../../tests/kit/virtual-network";
import { broker } from "./broker";
import type { Cloud } from "./broker";
import { TimedBoard } from "./device";
import type { FlashSummary } from "./device";
import { HEAD_BYTES, fileServer } from "./file-server";
import type { FileTraffic } from "./file-server";

export const MQTT_PORT = 1883;
export const HTTP_PORT = 80;
/** Receive window of ESP-IDF's lwIP as it comes, bytes: CONFIG_LWIP_TCP_WND_DEFAULT. */
export const WINDOW = 5_760;
/** What takes longer counts as never finished, ms. */
export const GIVE_UP = 2 * 3_600_000;

export interface RunOptions {
  readonly size: number;
  readonly line: Line;
  readonly seed: number;
  /** Of the flash chip; default: ESP-IDF's. */
  readonly timing?: FlashTiming;
  /** The power is cut when this share of the file is in flash, once each. */
  readonly cuts?: readonly number[];
  /** Updates in a row, each to a version of its own; default 1. */
  readonly updates?: number;
  /** Default: failures are recorded. */
  readonly recorder?: boolean;
  /** What is offered, and what runs before; default: an image of `size` bytes that resembles nothing. */
  readonly files?: Files;
}

export interface Files {
  readonly version: string;
  /** The image that the board comes with. */
  readonly factory: Uint8Array;
  /** An image, or a container of one. */
  readonly offered: Uint8Array;
  /** Public keys. */
  readonly signingKeys: readonly string[];
}

export interface RunResult {
  readonly finished: boolean;
  /** From the offer to the image proven in flash, ms. */
  readonly downloadMs: number;
  readonly totalMs: number;
  /** Bytes of the file's server that left it beyond the file (heads of answers included), and of the file alone. */
  readonly sent: number;
  readonly again: number;
  /** Bytes of the file that had left the server and were not in flash, at most: what a power cut at that moment costs. */
  readonly atRisk: number;
  readonly requests: number;
  readonly file: Traffic;
  readonly mqtt: Traffic;
  readonly flash: FlashSummary;
  /** From the push to the first byte of the file, ms. */
  readonly firstByteMs: number;
  readonly reports: readonly string[];
}

export const CONFIG = {
  productId: "A1B2C3D4E5",
  deviceName: "bench",
  authMode: "KEY",
  deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
} as const;

export function runUpdate(options: RunOptions): RunResult {
  return new UpdateRun(options).run();
}

class UpdateRun {
  readonly #options: RunOptions;
  readonly #clock = new VirtualClock();
  readonly #served: FileTraffic = { requests: 0, promised: 0 };
  readonly #cloud: Cloud = { task: undefined, reports: [], packets: 0 };
  readonly #board: TimedBoard;
  readonly #network: VirtualNetwork;
  readonly #device: VirtualDevice;
  #file: Uint8Array = new Uint8Array(0);
  #offered = -1;
  #proven = -1;
  #firstByte = -1;
  #sent = 0;
  #atRisk = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    const { line, seed, timing, files: given } = options;
    this.#board = new TimedBoard(this.#clock, timing, given && boardOf(given.factory));
    const files = fileServer(() => this.#file, this.#served);
    const mqtt = broker(this.#cloud);
    this.#network = new VirtualNetwork({
      clock: this.#clock,
      line: { window: WINDOW, ...line },
      peers: ({ port }) => (port === HTTP_PORT ? files : mqtt),
      random: generator(seed + 1),
    });
    this.#device = new VirtualDevice({
      board: this.#board.board,
      clock: this.#clock,
      network: this.#network,
      random: generator(seed),
      platform: (crypto) => new TencentPlatform(CONFIG, crypto),
      broker: { host: "broker.example", port: MQTT_PORT, tls: false },
      policy: { allowHttp: true, signingKeys: given?.signingKeys ?? [] },
      recorder: options.recorder ?? true,
      onNotice: (notice) => {
        if (notice.event === "offer" && this.#offered < 0) this.#offered = this.#clock.time;
        if (notice.event === "state" && notice.state === "burning") this.#proven = this.#clock.time;
      },
    });
  }

  run(): RunResult {
    const { size, cuts = [], updates = 1 } = this.#options;
    const { board } = this.#board;
    const http = this.#network.traffic(HTTP_PORT);
    const pending = cuts.map((share) => share * size);
    const slot = board.table.slots[1].address;
    this.#offer(this.#options.files?.version ?? "0.2.0");
    this.#start("power-on");
    let done = 0;
    while (done < updates && this.#clock.time < GIVE_UP && this.#clock.step(GIVE_UP)) {
      if (this.#firstByte < 0 && http.read > 0) this.#firstByte = this.#clock.time;
      if (http.sent > this.#sent) {
        this.#sent = http.sent;
        const sent = http.sent - this.#served.requests * HEAD_BYTES;
        this.#atRisk = Math.max(this.#atRisk, sent - board.chip.counts(slot, size).bytesProgrammed);
      }
      if (this.#cloud.reports.at(-1) === "done") {
        this.#cloud.reports.push("");
        if (++done < updates) this.#offer(`0.${2 + done}.0`);
        if (done < updates) this.#cloud.push?.();
      }
      if (board.restartWanted !== undefined) this.#start("software");
      else if (pending[0] !== undefined && board.chip.counts(slot, size).bytesProgrammed >= pending[0]) {
        pending.shift();
        board.chip.powerOff();
        this.#start("power-on");
      }
    }
    return this.#result(done === updates, size * updates);
  }

  #offer(version: string): void {
    this.#file = this.#options.files?.offered ?? firmwareImage(version, this.#options.size);
    const md5sum = createHash("md5").update(this.#file).digest("hex");
    const url = `http://files.example/fw.bin?sign=${"0".repeat(300)}`;
    this.#cloud.task = { version, file_size: this.#file.length, md5sum, url };
  }

  #start(reason: "power-on" | "software"): void {
    this.#device.powerOff();
    this.#network.cut();
    this.#device.powerOn(reason);
  }

  #result(finished: boolean, bytes: number): RunResult {
    const total = this.#clock.time - this.#offered;
    this.#device.powerOff();
    const http = this.#network.traffic(HTTP_PORT);
    return {
      finished,
      downloadMs: this.#proven - this.#offered,
      totalMs: total,
      sent: http.sent,
      again: Math.max(0, http.sent - this.#served.requests * HEAD_BYTES - bytes),
      atRisk: this.#atRisk,
      requests: this.#served.requests,
      file: http,
      mqtt: this.#network.traffic(MQTT_PORT),
      flash: this.#board.summary(),
      firstByteMs: this.#firstByte - this.#offered,
      reports: this.#cloud.reports,
    };
  }
}
