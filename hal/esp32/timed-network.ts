import type { Clock, ConnectOptions, Network, Socket, SocketEvents } from "../../src/ports";
import { SOURCE_TIME } from "./source-time";

/** A clock that shows a time before this firmware was never set. `earliest`: ms since 1970. */
export const isClockSet = (earliest = SOURCE_TIME): boolean => Date.now() >= earliest;

/**
 * No TLS before the clock is set: each certificate would count as not yet valid, and a refused certificate ends a
 * download for good.
 */
export class TimedNetwork implements Network {
  private readonly network: Network;
  private readonly clock: Clock;
  private readonly isSet: () => boolean;

  constructor(network: Network, clock: Clock, isSet = isClockSet) {
    this.network = network;
    this.clock = clock;
    this.isSet = isSet;
  }

  connect(options: ConnectOptions, events: SocketEvents): Socket {
    if (options.tls === undefined || this.isSet()) return this.network.connect(options, events);
    const timer = this.clock.set(
      () => events.closed({ kind: "other", message: "no TLS yet: the clock is not set" }),
      0,
    );
    return { read: () => 0, write: () => 0, close: () => this.clock.clear(timer) };
  }
}
