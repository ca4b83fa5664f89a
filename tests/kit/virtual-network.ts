/**
 * A network in memory: one line to a device, TCP connections over it, peers in the same process. Without a rate and a
 * window a line only delays. Bytes are never lost or changed, as TCP has it; slow start and lost packets are left out.
 *
 * While the device is busy (`VirtualClock.spend`) nothing of it runs, lwIP's task included, as on a chip whose flash
 * works: what arrives is looked at afterwards. Peers go on meanwhile.
 */
import type { ConnectOptions, Network, Socket, SocketError, SocketEvents } from "../../src/ports";
import { FlowControl } from "./flow-control";
import type { Connection, Peer } from "./peer";
import type { VirtualClock } from "./virtual-clock";

export interface Line {
  /** One way, ms. */
  readonly latency: number;
  /** Bytes per second, each way, shared by all connections. Absent: no limit. */
  readonly rate?: number;
  /** Receive window of the device's lwIP, bytes, on each connection. Absent: no limit. */
  readonly window?: number;
  /**
   * The line is lost for a moment after this many seconds on average (exponential, from `random`): every connection
   * breaks. The moments do not depend on what the device does. Absent: never.
   */
  readonly resetEvery?: number;
}

/** IP and TCP headers, which take their share of the rate. */
export const OVERHEAD = 40;

export interface Traffic {
  connections: number;
  /** Connections that the line broke. */
  resets: number;
  /** Payload that left the peer, and that the device has read. */
  sent: number;
  read: number;
  /** Sent by the device. */
  up: number;
}

export interface VirtualNetworkOptions {
  readonly clock: VirtualClock;
  readonly line: Line;
  /** Undefined: nobody listens there, the connection is refused. */
  readonly peers: (options: ConnectOptions) => Peer | undefined;
  /** Uniform in [0, 1); needed where the line breaks. */
  readonly random?: () => number;
  /** False: the device has no power, nothing leaves it. */
  readonly powered?: () => boolean;
}

export class VirtualNetwork implements Network {
  readonly clock: VirtualClock;
  readonly line: Line;
  readonly powered: () => boolean;
  readonly #peers: VirtualNetworkOptions["peers"];
  readonly #random: () => number;
  readonly #links = new Set<Link>();
  readonly #traffic = new Map<number, Traffic>();
  /** When each direction of the line is free again. */
  readonly #free = { down: 0, up: 0 };
  /** While a peer is told something: when it came, although the device may be busy until later. */
  #peerTime: number | undefined;

  constructor({ clock, line, peers, random = () => 0.5, powered = () => true }: VirtualNetworkOptions) {
    this.clock = clock;
    this.line = line;
    this.powered = powered;
    this.#peers = peers;
    this.#random = random;
    this.#breakLater(clock.time);
  }

  connect(options: ConnectOptions, events: SocketEvents): Socket {
    const traffic = this.traffic(options.port);
    traffic.connections++;
    const link = new Link(this, this.#peers(options), events, traffic, () => this.#links.delete(link));
    this.#links.add(link);
    return link;
  }

  /** What went to and from a port of the peers. */
  traffic(port: number): Traffic {
    let traffic = this.#traffic.get(port);
    if (traffic === undefined)
      this.#traffic.set(port, (traffic = { connections: 0, resets: 0, sent: 0, read: 0, up: 0 }));
    return traffic;
  }

  /** The device lost power: its own ends are gone; peers notice as they do. */
  cut(): void {
    for (const link of this.#links) link.close();
  }

  /** The time at the end that sends in this direction. */
  now(direction: "down" | "up"): number {
    return direction === "down" ? (this.#peerTime ?? this.clock.time) : this.clock.time;
  }

  /** Runs `heard` at the peers when a packet of so many bytes that leaves the device now has arrived. */
  up(bytes: number, heard: () => void): void {
    const when = this.arrival("up", bytes);
    this.clock.at(when, () => {
      this.#peerTime = when;
      heard();
      this.#peerTime = undefined;
    });
  }

  /** When a packet of so many bytes that leaves now has arrived. */
  arrival(direction: "down" | "up", bytes: number): number {
    const { rate, latency } = this.line;
    if (rate === undefined) return this.now(direction) + latency;
    const start = Math.max(this.#free[direction], this.now(direction));
    this.#free[direction] = start + ((bytes + OVERHEAD) / rate) * 1000;
    return this.#free[direction] + latency;
  }

  /** Each moment from the one before, whatever time it is. */
  #breakLater(from: number): void {
    const { resetEvery } = this.line;
    if (resetEvery === undefined) return;
    const at = from - Math.log(1 - this.#random()) * resetEvery * 1000;
    this.clock.at(at, () => {
      this.#breakLater(at);
      for (const link of this.#links) link.break();
    });
  }
}

const RESET: SocketError = { kind: "reset", message: "connection reset" };
const REFUSED: SocketError = { kind: "refused", message: "connection refused" };

/** One connection: the device's socket and the peer's end of it. */
class Link implements Socket, Connection {
  readonly #network: VirtualNetwork;
  readonly #peer: Peer | undefined;
  readonly #events: SocketEvents;
  readonly #traffic: Traffic;
  readonly #forget: () => void;
  /** Where the line has a window. */
  readonly #flow: FlowControl | undefined;
  readonly #arrived: Uint8Array[] = [];
  #unread = 0;
  /** Sent, and not yet arrived. */
  #underWay = 0;
  #announced = false;
  #open = false;
  /** Closed by the device, or by the line. */
  #gone = false;
  /** Ended by the peer. */
  #over = false;
  /** The peer's end has arrived. */
  #ended = false;

  constructor(
    network: VirtualNetwork,
    peer: Peer | undefined,
    events: SocketEvents,
    traffic: Traffic,
    forget: () => void,
  ) {
    this.#network = network;
    this.#peer = peer;
    this.#events = events;
    this.#traffic = traffic;
    this.#forget = forget;
    const { clock, line } = network;
    if (line.window !== undefined)
      this.#flow = new FlowControl({
        clock,
        window: line.window,
        carry: (segment) => this.#carry(segment),
        acknowledge: (heard) => network.up(0, () => !this.#gone && heard()),
      });
    this.#handshake();
  }

  get closed(): boolean {
    return this.#gone || this.#over;
  }

  get window(): number | undefined {
    return this.#network.line.window;
  }

  /* ---- the device's end ---- */

  read(into: Uint8Array): number {
    let count = 0;
    for (let first = this.#arrived[0]; first !== undefined && count < into.length; first = this.#arrived[0]) {
      const part = first.subarray(0, into.length - count);
      into.set(part, count);
      count += part.length;
      if (part.length === first.length) this.#arrived.shift();
      else this.#arrived[0] = first.subarray(part.length);
    }
    this.#unread -= count;
    this.#traffic.read += count;
    if (this.#unread === 0) this.#announced = false;
    if (count > 0) this.#flow?.taken(count);
    this.#finishOnceRead();
    return count;
  }

  write(bytes: Uint8Array): number {
    if (!this.#network.powered() || this.#gone) return bytes.length;
    if (!this.#open) return 0;
    const copy = bytes.slice();
    this.#traffic.up += copy.length;
    const edge = this.#flow?.acknowledge();
    this.#network.up(copy.length, () => {
      if (edge !== undefined && !this.#gone) this.#flow?.opened(edge);
      if (!this.#over) this.#peer?.received(copy, this);
    });
    return bytes.length;
  }

  close(): void {
    if (this.#gone) return;
    this.#drop();
    const peer = this.#peer;
    if (peer?.closed === undefined || this.#over) return;
    this.#network.up(0, () => peer.closed?.(this));
  }

  /* ---- the peer's end ---- */

  send(bytes: Uint8Array, arriving?: () => boolean): void {
    if (this.#over) return;
    if (this.#gone && this.#flow !== undefined) return;
    if (this.#flow === undefined) this.#carry(bytes, arriving);
    else this.#flow.send(bytes);
  }

  end(): void {
    this.#leave(undefined);
  }

  reset(): void {
    this.#leave(RESET);
  }

  /* ---- the line ---- */

  /** Both ends are told at once. */
  break(): void {
    if (this.#gone) return;
    this.#traffic.resets++;
    this.#drop();
    this.#peer?.closed?.(this);
    this.#over = true;
    this.#events.closed(RESET);
  }

  #handshake(): void {
    const { clock, line } = this.#network;
    const stand = (): void => {
      if (this.#gone) return;
      if (this.#peer === undefined) return this.#finish(REFUSED);
      this.#open = true;
      this.#events.opened();
      if (!this.#gone) this.#peer.opened?.(this);
    };
    // SYN and SYN-ACK take their turn on a line with a rate.
    if (line.rate === undefined) clock.after(2 * line.latency, stand);
    else this.#network.up(0, () => clock.at(this.#network.arrival("down", 0), stand));
  }

  #carry(bytes: Uint8Array, arriving?: () => boolean): void {
    this.#traffic.sent += bytes.length;
    this.#underWay += bytes.length;
    this.#network.clock.at(this.#network.arrival("down", bytes.length), () => {
      this.#underWay -= bytes.length;
      if (this.#gone || (arriving !== undefined && !arriving())) return;
      this.#arrived.push(bytes);
      this.#unread += bytes.length;
      this.#flow?.arrived(bytes.length);
      if (this.#announced) return;
      this.#announced = true;
      this.#events.readable();
    });
  }

  /** Behind what was sent; a reset overtakes what waits for the window, an end does not. */
  #leave(error: SocketError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    if (error !== undefined) this.#flow?.forget();
    this.#network.clock.at(this.#network.now("down") + this.#network.line.latency, () => {
      if (error !== undefined) return this.#finish(error);
      this.#ended = true;
      this.#finishOnceRead();
    });
  }

  /** An end is told once everything before it was read, and not from inside the read. */
  #finishOnceRead(): void {
    if (!this.#ended || this.#unread + this.#underWay + (this.#flow?.waiting ?? 0) > 0) return;
    this.#network.clock.after(0, () => this.#finish(undefined));
  }

  #finish(error: SocketError | undefined): void {
    if (this.#gone) return;
    this.#drop();
    this.#over = true;
    this.#events.closed(error);
  }

  #drop(): void {
    this.#gone = true;
    this.#flow?.close();
    this.#arrived.length = 0;
    this.#forget();
  }
}
