import type { Socket } from "node:net";
import type { Clock } from "../../src/ports";

/** What a link does to bytes and connections. An absent field has no effect. */
export interface LinkQuality {
  /** Milliseconds each way. */
  readonly latency?: number;
  /** Milliseconds by which latency varies, at most. */
  readonly jitter?: number;
  /** Bytes per second in each direction, shared by all connections. */
  readonly rate?: number;
  /** Seconds between two resets of a connection, on average. */
  readonly resetEvery?: number;
  /** Seconds between two stalls of a connection, on average, and how long they are. */
  readonly stallEvery?: number;
  readonly stallFor?: number;
}

/** One direction of a link, which all its connections share. */
export interface Lane {
  /** When the link is free again, by its clock. */
  freeAt: number;
}

/** Bytes under way on one connection and direction before the sender has to wait, as in the buffer of a modem. */
const BUFFERED_MAX = 32_768;
/** Bytes that are sent at once: small enough that connections share a slow link evenly. */
const PIECE = 1_024;

/** Carries bytes from one socket to another with the latency, rate and stalls of a weak link, in order. */
export class ShapedPipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #lane: Lane;
  readonly #quality: () => LinkQuality;
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #queue: { readonly at: number; readonly bytes: Uint8Array | undefined }[] = [];
  #buffered = 0;
  #last = 0;
  #timer: number | undefined;
  #stalledUntil = 0;

  constructor(from: Socket, to: Socket, lane: Lane, quality: () => LinkQuality, random: () => number, clock: Clock) {
    this.#from = from;
    this.#to = to;
    this.#lane = lane;
    this.#quality = quality;
    this.#random = random;
    this.#clock = clock;
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.on("end", () => this.#enqueue(undefined));
    to.on("drain", () => this.#run());
  }

  /** Nothing arrives until then, by the clock of the link. */
  stall(until: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, until);
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clear(this.#timer);
    this.#queue.length = 0;
  }

  #take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE) this.#enqueue(bytes.subarray(at, at + PIECE));
    if (this.#buffered >= BUFFERED_MAX) this.#from.pause();
  }

  #enqueue(bytes: Uint8Array | undefined): void {
    const { latency = 0, jitter = 0, rate } = this.#quality();
    const now = this.#clock.now();
    const sentAt = Math.max(now, this.#lane.freeAt);
    if (rate !== undefined) this.#lane.freeAt = sentAt + ((bytes?.length ?? 0) / rate) * 1000;
    const arrives = (rate === undefined ? now : this.#lane.freeAt) + latency + jitter * this.#random();
    this.#last = Math.max(this.#last, arrives);
    this.#buffered += bytes?.length ?? 0;
    this.#queue.push({ at: this.#last, bytes });
    this.#run();
  }

  #run(): void {
    if (this.#timer !== undefined) this.#clock.clear(this.#timer);
    this.#timer = undefined;
    const now = this.#clock.now();
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const due = Math.max(next.at, this.#stalledUntil);
      if (due > now) {
        this.#timer = this.#clock.set(() => this.#run(), Math.ceil(due - now));
        return;
      }
      if (this.#to.destroyed || this.#to.writableNeedDrain) return;
      this.#queue.shift();
      if (next.bytes === undefined) {
        this.#to.end();
        return;
      }
      this.#buffered -= next.bytes.length;
      this.#to.write(next.bytes);
      if (this.#buffered < BUFFERED_MAX && this.#from.isPaused()) this.#from.resume();
    }
  }
}
