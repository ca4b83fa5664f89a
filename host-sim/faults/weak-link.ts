import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { ShapedPipe, type Lane, type LinkQuality } from "./shaped-pipe";

export type { LinkQuality };

/** A cell at the edge of its range: some 16 KiB a second, a fifth of a second away, and gone now and then. */
export const WEAK: LinkQuality = { latency: 80, jitter: 60, rate: 16_384, resetEvery: 20, stallEvery: 30, stallFor: 2 };

/** Wi-Fi as a chip makes use of it: its flash takes a sector in 44 ms (ESP-IDF's table), so some 96 KiB a second. */
export const GOOD: LinkQuality = { latency: 3, jitter: 4, rate: 98_304 };

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
}

/**
 * A TCP relay that behaves like a weak link. Both ends believe in a direct connection; the bytes that pass are never changed. What it
 * is like can be changed while connections are open.
 */
export class WeakLink {
  /** May be replaced at any time. */
  quality: LinkQuality;
  readonly #servers: readonly Server[];
  readonly #pairs = new Set<{ close(reset: boolean): void }>();
  readonly #up: Lane = { freeAt: 0 };
  readonly #down: Lane = { freeAt: 0 };
  readonly #random: () => number;

  private constructor(options: WeakLinkOptions) {
    this.quality = options.quality ?? {};
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
      new ShapedPipe(near, far, this.#up, quality, this.#random),
      new ShapedPipe(far, near, this.#down, quality, this.#random),
    ];
    const started = performance.now();
    let checked = started;
    // Once a second the dice are thrown, so that a change of quality takes effect.
    const timer = setInterval(() => {
      const now = performance.now();
      const seconds = (now - checked) / 1000;
      checked = now;
      const { resetEvery, stallEvery, stallFor = 1 } = this.quality;
      if (resetEvery !== undefined && this.#random() < 1 - Math.exp(-seconds / resetEvery)) return pair.close(true);
      if (stallEvery !== undefined && this.#random() < 1 - Math.exp(-seconds / stallEvery))
        for (const pipe of pipes) pipe.stall(now + stallFor * 1000);
    }, 1_000);
    const pair = {
      close: (reset: boolean): void => {
        if (!this.#pairs.delete(pair)) return;
        clearInterval(timer);
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
