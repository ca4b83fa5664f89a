import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Clock } from "../../src/ports";
import { NodeClock } from "../board/node-clock";
import { ShapedPipe, type Lane, type LinkQuality } from "./shaped-pipe";

export type { LinkQuality };

/**
 * A cell at the edge of its range: 16 KiB/s, 80 to 140 ms one way, reset every 20 s and stalled every 30 s on average.
 */
export const WEAK: LinkQuality = { latency: 80, jitter: 60, rate: 16_384, resetEvery: 20, stallEvery: 30, stallFor: 2 };

/** Wi-Fi as a chip uses it: flash takes a sector in 44 ms (ESP-IDF, partition_linux.c), which makes 96 KiB/s. */
export const GOOD: LinkQuality = { latency: 3, jitter: 4, rate: 98_304 };

/** Milliseconds between two throws of the dice about resets and stalls. */
const CHECK_EVERY = 1_000;

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Port of this side that leads there; default: any free one. */
  readonly listen?: number;
}

export interface WeakLinkOptions {
  /** Where each port of this side leads to. */
  readonly targets: readonly Target[];
  /** Default: a perfect link. */
  readonly quality?: LinkQuality;
  /** The same seed gives the same resets and stalls, in so far as the peers do the same. */
  readonly seed?: number;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/**
 * A TCP relay that behaves like a weak link. It never changes the bytes that pass. Its quality may change while
 * connections are open.
 */
export class WeakLink {
  /** May be replaced at any time. */
  quality: LinkQuality;
  readonly #servers: readonly Server[];
  readonly #pairs = new Set<{ close(reset: boolean): void }>();
  readonly #up: Lane = { freeAt: 0 };
  readonly #down: Lane = { freeAt: 0 };
  readonly #random: () => number;
  readonly #clock: Clock;

  private constructor(options: WeakLinkOptions) {
    this.quality = options.quality ?? {};
    this.#clock = options.clock ?? new NodeClock();
    this.#random = generator(options.seed ?? Math.floor(Math.random() * 2 ** 32));
    this.#servers = options.targets.map((target) =>
      createServer({ allowHalfOpen: true }, (socket) => this.#relay(socket, target)),
    );
  }

  static async open(options: WeakLinkOptions): Promise<WeakLink> {
    const link = new WeakLink(options);
    const { host = "127.0.0.1" } = options;
    await Promise.all(
      link.#servers.map(
        (server, index) =>
          new Promise<void>((resolve, reject) => {
            server.once("error", reject);
            server.listen(options.targets[index]?.listen ?? 0, host, resolve);
          }),
      ),
    );
    return link;
  }

  /** Ports of this side, in the order of the targets. */
  get ports(): number[] {
    return this.#servers.map((server) => (server.address() as AddressInfo).port);
  }

  /** Resets every connection, as when the cell is lost. */
  cut(): void {
    for (const pair of this.#pairs) pair.close(true);
  }

  async close(): Promise<void> {
    this.cut();
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }

  #relay(near: Socket, { host, port }: Target): void {
    const far = connect({ host, port, allowHalfOpen: true, noDelay: true });
    near.setNoDelay(true);
    const quality = (): LinkQuality => this.quality;
    const pipes = [
      new ShapedPipe(near, far, this.#up, quality, this.#random, this.#clock),
      new ShapedPipe(far, near, this.#down, quality, this.#random, this.#clock),
    ];
    let checked = this.#clock.now();
    let timer = 0;
    // The dice are thrown once a second, so that a change of quality takes effect.
    const check = (): void => {
      const now = this.#clock.now();
      const seconds = (now - checked) / 1000;
      checked = now;
      timer = this.#clock.set(check, CHECK_EVERY);
      const { resetEvery, stallEvery, stallFor = 1 } = this.quality;
      if (resetEvery !== undefined && this.#random() < 1 - Math.exp(-seconds / resetEvery)) return pair.close(true);
      if (stallEvery !== undefined && this.#random() < 1 - Math.exp(-seconds / stallEvery))
        for (const pipe of pipes) pipe.stall(now + stallFor * 1000);
    };
    timer = this.#clock.set(check, CHECK_EVERY);
    const pair = {
      close: (reset: boolean): void => {
        if (!this.#pairs.delete(pair)) return;
        this.#clock.clear(timer);
        for (const pipe of pipes) pipe.stop();
        for (const socket of [near, far]) {
          if (reset) socket.resetAndDestroy();
          else socket.destroy();
        }
      },
    };
    this.#pairs.add(pair);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on("error", () => pair.close(true));
      // In good order it closes once both ends have said that they are done.
      socket.on("close", (hadError) => {
        if (hadError || other.destroyed) pair.close(hadError);
      });
    }
  }
}

/** Uniform in [0, 1), from a seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
