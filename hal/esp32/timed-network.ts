import type { Clock, ConnectOptions, Network, Socket, SocketEvents } from "../../src/ports";

/** 1 January 2025, ms: a clock that shows less was never set. */
const EARLIEST = 1_735_689_600_000;

export const isClockSet = (): boolean => Date.now() >= EARLIEST;

/**
 * No TLS before the clock is set: each certificate would count as not yet valid, and a refused certificate ends a
 * download for good.
 */
export class TimedNetwork implements Network {
  readonly #network: Network;
  readonly #clock: Clock;

  constructor(network: Network, clock: Clock) {
    this.#network = network;
    this.#clock = clock;
  }

  connect(options: ConnectOptions, events: SocketEvents): Socket {
    if (options.tls === undefined || isClockSet()) return this.#network.connect(options, events);
    const timer = this.#clock.set(
      () => events.closed({ kind: "other", message: "no TLS yet: the clock is not set" }),
      0,
    );
    return { read: () => 0, write: () => 0, close: () => this.#clock.clear(timer) };
  }
}
