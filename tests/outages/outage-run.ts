/**
 * One update of the whole agent in virtual time, with one outage of the cloud that begins at a phase of the update. The
 * board is in memory; broker and file server are those of the bench.
 */
import { createHash } from "node:crypto";
import { broker } from "../../bench/simulation/broker";
import type { Cloud } from "../../bench/simulation/broker";
import { fileServer } from "../../bench/simulation/file-server";
import type { FileTraffic } from "../../bench/simulation/file-server";
import { generator } from "../../host-sim/faults/weak-link";
import type { Notice } from "../../src/job/effects";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { factoryBoard, firmwareImage } from "../kit/images";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";
import type { Connection, Peer } from "../kit/peer";

/** Where the outage begins. */
export const PHASES = [
  "before the push",
  "downloading",
  "half downloaded",
  "verifying",
  "burning",
  "restart",
  "trial",
  "confirmed",
  "reporting",
] as const;
export type Phase = (typeof PHASES)[number];

/** The notice that tells of it. */
const PHASE_OF: { readonly [notice: string]: Phase } = {
  downloading: "downloading",
  verifying: "verifying",
  burning: "burning",
  reboot: "restart",
  trial: "trial",
  confirmed: "confirmed",
  done: "reporting",
};

/** "refused": connections break and connects are refused. "silent": nothing is answered, and nobody is told. */
export const KINDS = ["refused", "silent"] as const;
/** What is away. */
export const PARTS = ["broker", "broker and files"] as const;
export const IMAGES = ["good", "offline", "unhealthy", "throws"] as const;

export interface OutageCase {
  readonly minutes: number;
  readonly phase: Phase;
  readonly kind: (typeof KINDS)[number];
  readonly away: (typeof PARTS)[number];
  readonly image: (typeof IMAGES)[number];
  readonly seed: number;
}

export interface OutageResult {
  /** "done" or "fail", as the cloud heard it; undefined: neither in time. */
  readonly outcome: string | undefined;
  readonly version: string;
  /** Terminal outcomes that the cloud heard, repetitions included. */
  readonly outcomes: readonly string[];
  /** Minutes from the push to the outcome. */
  readonly minutes: number;
  readonly rollbacks: number;
  /** Rollbacks of trials that had the cloud for their last reconnects. */
  readonly needless: number;
  /** Bytes of the file that the server promised, of which `size` are needed. */
  readonly promised: number;
  readonly size: number;
  /** False: the phase never came. */
  readonly began: boolean;
}

const SIZE = 40_000;
const FILE = firmwareImage("0.2.0", SIZE);
const MINUTE = 60_000;
/** What takes longer never ends. */
const GIVE_UP = 4 * 60 * MINUTE;
/** The last reconnect of a trial begins in this time before its end, and takes what a connect may. */
const LAST_CHANCE = 12_000 + 10_000;
const FILES_PORT = 80;
const CONFIG = {
  productId: "A1B2C3D4E5",
  deviceName: "outage",
  authMode: "KEY",
  deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
} as const;

export function runOutage(which: OutageCase): OutageResult {
  return new OutageRun(which).run();
}

class OutageRun {
  readonly #case: OutageCase;
  readonly #clock = new VirtualClock();
  readonly #cloud: Cloud = { task: undefined, reports: [], packets: 0 };
  readonly #served: FileTraffic = { requests: 0, promised: 0 };
  readonly #open = new Set<Connection>();
  readonly #board = factoryBoard(SIZE);
  readonly #device: VirtualDevice;
  readonly #network: VirtualNetwork;
  #begunAt: number | undefined;
  #trialAt: number | undefined;
  #pushedAt = 0;
  #rollbacks = 0;
  #needless = 0;

  constructor(which: OutageCase) {
    this.#case = which;
    const files = this.#gate(
      fileServer(() => FILE, this.#served),
      which.away === "broker and files",
    );
    const mqtt = this.#gate(broker(this.#cloud), true);
    const { away, kind, image } = which;
    const peers = (port: number): Peer | undefined => {
      if (image === "offline" && this.#isNew) return undefined;
      const gone = this.#isAway && (port !== FILES_PORT || away === "broker and files");
      if (gone && kind === "refused") return undefined;
      return port === FILES_PORT ? files : mqtt;
    };
    this.#network = new VirtualNetwork({
      clock: this.#clock,
      line: { latency: 40, rate: 16_384, window: 5_760 },
      peers: ({ port }) => peers(port),
      random: generator(which.seed + 1),
    });
    this.#device = new VirtualDevice({
      board: this.#board,
      clock: this.#clock,
      network: this.#network,
      random: generator(which.seed),
      platform: (crypto) => new TencentPlatform(CONFIG, crypto),
      broker: { host: "broker.example", port: 1883, tls: false },
      policy: { allowHttp: true },
      onNotice: (notice) => this.#notice(notice),
      onHealthCheck: (answer) => answer(image !== "unhealthy", "sensor missing"),
    });
  }

  run(): OutageResult {
    const clock = this.#clock;
    this.#start("power-on");
    this.#until(() => this.#cloud.reports.length > 0);
    if (this.#case.phase === "before the push") this.#begin();
    this.#offer();
    this.#until(() => this.#outcomes.length > 0 && this.#device.state === "idle");
    const outcomes = this.#outcomes;
    const result = {
      outcome: outcomes[0],
      version: this.#device.version,
      outcomes,
      minutes: (clock.time - this.#pushedAt) / MINUTE,
      rollbacks: this.#rollbacks,
      needless: this.#needless,
      promised: this.#served.promised,
      size: SIZE,
      began: this.#begunAt !== undefined,
    };
    this.#device.powerOff();
    return result;
  }

  get #outcomes(): string[] {
    return this.#cloud.reports.filter((report) => report === "done" || report === "fail");
  }

  get #isNew(): boolean {
    return this.#device.version === "0.2.0";
  }

  get #isAway(): boolean {
    return this.#begunAt !== undefined && this.#clock.time < this.#endsAt;
  }

  get #endsAt(): number {
    return (this.#begunAt ?? 0) + this.#case.minutes * MINUTE;
  }

  #offer(): void {
    const md5sum = createHash("md5").update(FILE).digest("hex");
    this.#cloud.task = { version: "0.2.0", file_size: SIZE, md5sum, url: "http://files.example/fw.bin?sign=1" };
    this.#pushedAt = this.#clock.time;
    if (!this.#isAway) this.#cloud.push?.();
  }

  /** Time passes, with restarts, until `done` holds or too much of it has passed. */
  #until(done: () => boolean): void {
    const { phase } = this.#case;
    while (!done() && this.#clock.time < GIVE_UP && this.#clock.step(GIVE_UP)) {
      if (phase === "half downloaded" && this.#served.promised > SIZE / 2) this.#begin();
      if (this.#board.restartWanted !== undefined) this.#restart();
    }
  }

  #restart(): void {
    if (this.#board.restartWanted === "rollback") {
      this.#rollbacks++;
      const wasThere = !this.#isAway && this.#endsAt <= this.#clock.time - LAST_CHANCE;
      if (this.#trialAt !== undefined && wasThere) this.#needless++;
    }
    this.#start("software");
    // Firmware that throws restarts before its agent has done anything.
    if (this.#case.image === "throws" && this.#isNew) this.#start("software");
  }

  #start(reason: "power-on" | "software"): void {
    this.#device.powerOff();
    this.#network.cut();
    this.#trialAt = undefined;
    this.#device.powerOn(reason);
  }

  #notice(notice: Notice): void {
    if (notice.event === "state" && notice.state === "trial") this.#trialAt = this.#clock.time;
    if ((notice.event === "state" ? PHASE_OF[notice.state] : PHASE_OF[notice.event]) === this.#case.phase)
      this.#begin();
  }

  /** The outage begins, once. */
  #begin(): void {
    if (this.#begunAt !== undefined) return;
    this.#begunAt = this.#clock.time;
    if (this.#case.kind === "refused") this.#open.forEach((connection) => connection.reset());
  }

  /** While the cloud is away nothing gets through to a peer, and nothing comes from it. */
  #gate(peer: Peer, goes: boolean): Peer {
    const silent = (): boolean => goes && this.#isAway && this.#case.kind === "silent";
    const outer = new Map<Connection, Connection>();
    const gated = (connection: Connection): Connection => {
      const known = outer.get(connection);
      if (known !== undefined) return known;
      const made: Connection = {
        send: (bytes) => (silent() ? undefined : connection.send(bytes)),
        end: () => connection.end(),
        reset: () => connection.reset(),
        get closed() {
          return connection.closed;
        },
      };
      outer.set(connection, made);
      return made;
    };
    return {
      opened: (connection) => {
        if (goes) this.#open.add(connection);
        peer.opened?.(gated(connection));
      },
      received: (bytes, connection) => (silent() ? undefined : peer.received(bytes, gated(connection))),
      closed: (connection) => {
        this.#open.delete(connection);
        peer.closed?.(gated(connection));
      },
    };
  }
}
