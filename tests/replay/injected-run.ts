/**
 * One update of the whole agent in virtual time that must fail, by a cause that is known: what is told of the recording
 * is compared with it. Board and network are in memory.
 */
import { createHash } from "node:crypto";
import { broker } from "../../bench/simulation/broker";
import type { Cloud, Task } from "../../bench/simulation/broker";
import type { Leaving } from "../../hal/model-chip/board-ports";
import { generator } from "../../host-sim/faults/weak-link";
import { Recorder } from "../../src/recorder/recorder";
import type { Failed } from "../../src/recorder/recorder";
import type { JobEffect, JobEvent, Notice } from "../../src/job/effects";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import type { Ports, ResetReason, SocketError } from "../../src/ports";
import { factoryBoard, firmwareImage } from "../kit/images";
import { perConnection } from "../kit/peer";
import type { Connection, Peer } from "../kit/peer";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";
import type { Start } from "./recorded-runs";

const SIZE = 40_000;
export const FILE = firmwareImage("0.2.0", SIZE);
/** Virtual; what takes longer never ends. */
const GIVE_UP = 6 * 60 * 60_000;
const CONFIG = {
  productId: "A1B2C3D4E5",
  deviceName: "injected",
  authMode: "KEY",
  deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
} as const;

/** A request of the device for bytes of the file. */
export interface Asked {
  readonly first: number;
  readonly last: number;
  readonly connection: Connection;
}

/** What is wrong in a run. What is left out is right. */
export interface Wrong {
  /** Of the task. */
  readonly offer?: Partial<Task>;
  readonly file?: Uint8Array;
  /** In place of the file's bytes, from some request on. */
  readonly answer?: (asked: Asked) => void;
  /** In place of a connection to the file server, from some connection on. */
  readonly connect?: SocketError | "silence";
  readonly policy?: { readonly allowHttp?: boolean; readonly signingKeys?: readonly string[] };
  readonly ports?: (ports: Ports) => Ports;
  /** What becomes of the new firmware at each of its starts. */
  readonly reset?: ResetReason;
  readonly health?: "fails" | "is silent";
  /** The new firmware's connections to the broker. */
  readonly trial?: SocketError | "silence" | Peer;
  /** The power fails in each trial. */
  readonly cutInTrial?: boolean;
}

export interface InjectedResult {
  /** Of the boot that failed; undefined: nothing failed. */
  readonly start: Start | undefined;
  readonly cuts: number;
}

class WatchedRecorder extends Recorder {
  private readonly effects: JobEffect[] = [];
  constructor(
    random: number,
    readonly onRecording: (start: Start) => void,
  ) {
    super(random);
  }
  override handled(event: JobEvent, now: number, effects: readonly JobEffect[]): void {
    this.effects.push(...effects);
    super.handled(event, now, effects);
  }
  override bytes(failed?: Failed, earlier?: readonly Uint8Array[]): Uint8Array {
    const recording = super.bytes(failed, earlier);
    this.onRecording({ recording, effects: this.effects });
    return recording;
  }
}

/** As a file server answers that does everything right. */
export const rightAnswer = ({ first, last, connection }: Asked, file: Uint8Array): void => {
  const body = file.subarray(first, last + 1);
  connection.send(
    Buffer.from(
      `HTTP/1.1 206 Partial Content\r\nContent-Length: ${body.length}\r\nContent-Range: bytes ${first}-${first + body.length - 1}/${file.length}\r\n\r\n`,
    ),
  );
  connection.send(body);
};

export const runInjected = (wrong: Wrong, seed: number): InjectedResult => new InjectedRun(wrong, seed).run();

class InjectedRun {
  readonly #wrong: Wrong;
  readonly #random: () => number;
  readonly #clock = new VirtualClock();
  readonly #cloud: Cloud = { task: undefined, reports: [], packets: 0 };
  readonly #board = factoryBoard(SIZE);
  readonly #device: VirtualDevice;
  readonly #network: VirtualNetwork;
  /** Requests, and connections, that are served before what is wrong begins. */
  readonly #right: number;
  #requests = 0;
  #cuts = 0;
  #cutsLeft: number;
  #cutNow = false;
  #start: Start | undefined;

  constructor(wrong: Wrong, seed: number) {
    this.#wrong = wrong;
    this.#random = generator(seed);
    this.#right = Math.floor(this.#random() * 3);
    this.#cutsLeft = Math.floor(this.#random() * 3);
    const files = this.#files();
    const mqtt = broker(this.#cloud);
    const { policy, ports, health, trial } = wrong;
    this.#network = new VirtualNetwork({
      clock: this.#clock,
      // A line that breaks now and then is what each failure is met on.
      line: { latency: 40, ...(this.#random() < 0.5 ? { resetEvery: 300 } : {}) },
      peers: ({ host }) =>
        host === "files.example"
          ? files
          : this.#isNew && typeof trial === "object" && "received" in trial
            ? trial
            : mqtt,
      random: this.#random,
    });
    this.#device = new VirtualDevice({
      board: this.#board,
      clock: this.#clock,
      network: {
        connect: (options, events) => {
          const isFile = options.host === "files.example";
          const obstacle = isFile ? this.#begun && wrong.connect : this.#isNew && trial;
          if (typeof obstacle !== "string" && (typeof obstacle !== "object" || "received" in obstacle))
            return this.#network.connect(options, events);
          if (obstacle !== "silence") this.#clock.after(40, () => events.closed(obstacle as SocketError));
          return { read: () => 0, write: () => 0, close: () => undefined };
        },
      },
      random: this.#random,
      platform: (crypto) => new TencentPlatform(CONFIG, crypto),
      broker: { host: "broker.example", port: 1883, tls: false },
      policy: { allowHttp: true, ...policy },
      ...(ports === undefined ? {} : { ports }),
      makeRecorder: () => new WatchedRecorder(this.#random(), (start) => (this.#start = start)),
      onNotice: (notice) => this.#notice(notice),
      onHealthCheck: (answer) => health !== "is silent" && answer(health !== "fails", "sensor missing"),
    });
  }

  run(): InjectedResult {
    this.#device.powerOn();
    this.#until(() => this.#cloud.reports.length > 0);
    const file = this.#wrong.file ?? FILE;
    const md5sum = createHash("md5").update(file).digest("hex");
    const url = "http://files.example/fw.bin?sign=1";
    this.#cloud.task = { version: "0.2.0", file_size: file.length, md5sum, url, ...this.#wrong.offer };
    this.#cloud.push?.();
    this.#until(() => this.#start !== undefined);
    this.#device.powerOff();
    return { start: this.#start, cuts: this.#cuts };
  }

  get #isNew(): boolean {
    return this.#device.version !== "0.1.0";
  }

  get #begun(): boolean {
    return this.#requests >= this.#right;
  }

  #files(): Peer {
    return perConnection((connection) => {
      let text = "";
      return {
        received: (bytes) => {
          text += Buffer.from(bytes).toString("latin1");
          for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
            const [, first, last] = /Range: bytes=(\d+)-(\d+)/i.exec(text.slice(0, end)) ?? [];
            text = text.slice(end + 4);
            this.#asked({ first: Number(first), last: Number(last), connection });
          }
        },
      };
    });
  }

  #asked(asked: Asked): void {
    const { answer, connect, file = FILE } = this.#wrong;
    // What keeps the device from a connection needs a next one.
    if (this.#begun && connect !== undefined) return asked.connection.reset();
    if (this.#begun && answer !== undefined) answer(asked);
    else rightAnswer(asked, file);
    this.#requests++;
    if (this.#cutsLeft > 0 && this.#random() < 0.3) this.#cutNow = true;
  }

  #until(done: () => boolean): void {
    while (!done() && this.#clock.time < GIVE_UP && this.#clock.step(GIVE_UP)) {
      const { restartWanted } = this.#board;
      if (restartWanted !== undefined) this.#restart(restartWanted);
      else if (this.#cutNow) this.#cut();
    }
  }

  #restart(wanted: Leaving): void {
    const { reset } = this.#wrong;
    this.#begin("software");
    if (wanted !== "rollback" && reset !== undefined && this.#isNew) this.#begin(reset);
  }

  #cut(): void {
    this.#cutNow = false;
    this.#cutsLeft--;
    this.#cuts++;
    this.#begin(this.#random() < 0.5 ? "power-on" : "brown-out");
  }

  #begin(reason: ResetReason): void {
    this.#device.powerOff();
    this.#network.cut();
    this.#device.powerOn(reason);
  }

  #notice(notice: Notice): void {
    if (this.#wrong.cutInTrial !== true || notice.event !== "state" || notice.state !== "trial") return;
    this.#cutsLeft++;
    this.#cutNow = true;
  }
}
