/** The device's network port with peers in the same process: streams of bytes over virtual time, each end of which may vanish. */
import type { ConnectOptions, Network, Socket, SocketError, SocketEvents } from "../../../src/ports";
import type { Schedule } from "./schedule";

/** One way, ms. */
const LATENCY = 10;

/** The far end of one connection. */
export interface Peer {
  /** The connection is made. */
  opened(connection: Connection): void;
  /** Bytes from the device, as they came. */
  received(bytes: Uint8Array, connection: Connection): void;
}

/** What a peer can do with its connection. */
export interface Connection {
  /** Sends bytes. `arriving` is called when they are about to reach the device; false keeps them from it. */
  send(bytes: Uint8Array, arriving?: () => boolean): void;
  /** All that was sent arrives, then the end. */
  end(): void;
  /** RST: after what was sent. */
  reset(): void;
  readonly closed: boolean;
}

export class MemoryNetwork implements Network {
  readonly #schedule: Schedule;
  readonly #peers: (host: string) => Peer | undefined;
  readonly #dead: () => boolean;

  /** `peers`: who answers at a host; nobody: refused. `dead`: the board has no power, nothing leaves it. */
  constructor(schedule: Schedule, peers: (host: string) => Peer | undefined, dead: () => boolean) {
    this.#schedule = schedule;
    this.#peers = peers;
    this.#dead = dead;
  }

  connect({ host }: ConnectOptions, events: SocketEvents): Socket {
    return new MemorySocket(this.#schedule, this.#peers(host), events, this.#dead);
  }
}

class MemorySocket implements Socket, Connection {
  readonly #schedule: Schedule;
  readonly #peer: Peer | undefined;
  readonly #events: SocketEvents;
  readonly #dead: () => boolean;
  readonly #waiting: Uint8Array[] = [];
  /** Announced, and not read down to nothing yet. */
  #announced = false;
  /** Closed by the device. */
  #gone = false;
  /** Ended by the peer. */
  #over = false;

  constructor(schedule: Schedule, peer: Peer | undefined, events: SocketEvents, dead: () => boolean) {
    this.#schedule = schedule;
    this.#peer = peer;
    this.#events = events;
    this.#dead = dead;
    schedule.after(2 * LATENCY, () => {
      if (this.#gone) return;
      if (peer === undefined) return this.#finish({ kind: "refused", message: "connection refused" });
      this.#events.opened();
      if (!this.#gone) peer.opened(this);
    });
  }

  get closed(): boolean {
    return this.#gone || this.#over;
  }

  /* ---- the device's end ---- */

  read(into: Uint8Array): number {
    let count = 0;
    while (count < into.length) {
      const [first] = this.#waiting;
      if (first === undefined) break;
      const part = first.subarray(0, into.length - count);
      into.set(part, count);
      count += part.length;
      if (part.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(part.length);
    }
    if (count === 0) this.#announced = false;
    return count;
  }

  write(bytes: Uint8Array): number {
    if (this.#dead() || this.#gone) return bytes.length;
    const copy = bytes.slice();
    this.#schedule.after(LATENCY, () => {
      if (!this.#over) this.#peer?.received(copy, this);
    });
    return bytes.length;
  }

  close(): void {
    this.#gone = true;
    this.#waiting.length = 0;
  }

  /* ---- the peer's end ---- */

  send(bytes: Uint8Array, arriving?: () => boolean): void {
    if (this.#over) return;
    this.#schedule.after(LATENCY, () => {
      if (this.#gone || (arriving !== undefined && !arriving())) return;
      this.#waiting.push(bytes);
      if (this.#announced) return;
      this.#announced = true;
      this.#events.readable();
    });
  }

  end(): void {
    this.#leave(undefined);
  }

  reset(): void {
    this.#leave({ kind: "reset", message: "connection reset" });
  }

  #leave(error: SocketError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#schedule.after(LATENCY, () => this.#finish(error));
  }

  #finish(error: SocketError | undefined): void {
    if (this.#gone) return;
    this.#over = true;
    this.#events.closed(error);
  }
}
