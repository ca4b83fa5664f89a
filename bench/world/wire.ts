/**
 * A network in memory: one line of a given rate and latency to a device, TCP connections over it that break now and then. It counts what
 * goes over it. Bytes are never lost or changed, as TCP has it; slow start and lost packets are left out, for all alike.
 */
import type { ConnectOptions, Network, Socket, SocketError, SocketEvents } from "../../src/ports";
import type { Timeline } from "./timeline";

export interface LineQuality {
  /** Bytes per second, each way. */
  readonly rate: number;
  /** One way, ms. */
  readonly latency: number;
  /**
   * The cell is lost for a moment after this many seconds on average (exponential, from the seed): every connection breaks. The
   * moments do not depend on what the device does. Absent: never.
   */
  readonly resetEvery?: number;
  /** Bytes on their way to a device that it has not read, at most. Default: WINDOW. */
  readonly window?: number;
}

/** Receive window of ESP-IDF's lwIP as it comes: CONFIG_LWIP_TCP_WND_DEFAULT. */
export const WINDOW = 5_760;
/** Segment as it arrives: CONFIG_LWIP_TCP_MSS. */
const SEGMENT = 1_440;
/** IP and TCP headers. */
const OVERHEAD = 40;

/** The far end of a connection. */
export interface Peer {
  received(bytes: Uint8Array): void;
  /** The device closed, or the line broke. */
  closed(): void;
}
export interface Connection {
  send(bytes: Uint8Array): void;
  /** Closes once all was sent. */
  end(): void;
}
export type Service = (connection: Connection) => Peer;

export interface Traffic {
  connections: number;
  resets: number;
  /** Payload that left the server, and that the device has read. */
  sent: number;
  read: number;
  /** Sent by the device. */
  up: number;
}

export class Wire {
  quality: LineQuality;
  readonly traffic = new Map<number, Traffic>();
  readonly #timeline: Timeline;
  readonly #random: () => number;
  readonly #services = new Map<number, Service>();
  readonly #links = new Set<Link>();
  /** When each direction of the line is free again. */
  readonly #free = { down: 0, up: 0 };

  constructor(timeline: Timeline, quality: LineQuality, random: () => number) {
    this.#timeline = timeline;
    this.quality = quality;
    this.#random = random;
    this.#breakLater(0);
  }

  /** Each moment from the one before, whatever time it is. */
  #breakLater(from: number): void {
    const { resetEvery } = this.quality;
    if (resetEvery === undefined) return;
    const at = from - Math.log(1 - this.#random()) * resetEvery * 1000;
    this.#timeline.at(at, () => {
      this.#breakLater(at);
      for (const link of this.#links) link.reset();
    });
  }

  serve(port: number, service: Service): void {
    this.#services.set(port, service);
    this.traffic.set(port, { connections: 0, resets: 0, sent: 0, read: 0, up: 0 });
  }

  /** The device's network port. */
  network(): Network {
    return { connect: (options, events) => this.#connect(options, events) };
  }

  /** The device lost power: the servers notice when they like, its own side is gone. */
  cut(): void {
    for (const link of this.#links) link.close();
  }

  /** When a packet of so many bytes has arrived. */
  carry(direction: "down" | "up", bytes: number): number {
    const start = Math.max(this.#free[direction], this.#timeline.now);
    this.#free[direction] = start + ((bytes + OVERHEAD) / this.quality.rate) * 1000;
    return this.#free[direction] + this.quality.latency;
  }

  #connect(options: ConnectOptions, events: SocketEvents): Socket {
    const service = this.#services.get(options.port);
    if (service === undefined) throw new Error(`nobody listens on port ${options.port}`);
    const traffic = this.traffic.get(options.port)!;
    const link = new Link(this, this.#timeline, service, events, traffic, () => this.#links.delete(link));
    this.#links.add(link);
    return link;
  }
}

class Link implements Socket, Connection {
  readonly #wire: Wire;
  readonly #timeline: Timeline;
  readonly #traffic: Traffic;
  readonly #forget: () => void;
  #events: SocketEvents | undefined;
  #peer: Peer | undefined;
  /** At the server, waiting for the window. */
  readonly #queue: Uint8Array[] = [];
  readonly #arrived: Uint8Array[] = [];
  #unread = 0;
  #flying = 0;
  #announced = false;
  #ended = false;
  /** The end has been sent, or the link is dead. */
  #over = false;

  constructor(
    wire: Wire,
    timeline: Timeline,
    service: Service,
    events: SocketEvents,
    traffic: Traffic,
    forget: () => void,
  ) {
    this.#wire = wire;
    this.#timeline = timeline;
    this.#traffic = traffic;
    this.#forget = forget;
    this.#events = events;
    traffic.connections++;
    // SYN, SYN-ACK.
    timeline.at(wire.carry("up", 0), () => {
      if (this.#over) return;
      timeline.at(wire.carry("down", 0), () => {
        if (this.#over) return;
        this.#peer = service(this);
        this.#events?.opened();
      });
    });
  }

  /* ---- the device's side ---- */

  read(into: Uint8Array): number {
    let filled = 0;
    for (let first = this.#arrived[0]; first !== undefined && filled < into.length; first = this.#arrived[0]) {
      const count = Math.min(first.length, into.length - filled);
      into.set(first.subarray(0, count), filled);
      filled += count;
      if (count === first.length) this.#arrived.shift();
      else this.#arrived[0] = first.subarray(count);
    }
    this.#unread -= filled;
    this.#traffic.read += filled;
    if (this.#unread === 0) this.#announced = false;
    // The acknowledgement opens the window again.
    if (filled > 0) {
      this.#timeline.after(this.#wire.quality.latency, () => {
        this.#flying -= filled;
        this.#pump();
      });
    }
    this.#tellEnd();
    return filled;
  }

  write(bytes: Uint8Array): number {
    if (this.#peer === undefined || this.#over) return 0;
    const copy = bytes.slice();
    this.#traffic.up += copy.length;
    this.#timeline.at(this.#wire.carry("up", copy.length), () => {
      if (!this.#over) this.#peer?.received(copy);
    });
    return bytes.length;
  }

  close(): void {
    if (this.#over) return;
    this.#die();
    this.#timeline.at(this.#wire.carry("up", 0), () => this.#peer?.closed());
  }

  /* ---- the server's side ---- */

  send(bytes: Uint8Array): void {
    if (this.#over || this.#ended) return;
    this.#queue.push(bytes);
    this.#pump();
  }

  end(): void {
    this.#ended = true;
    this.#pump();
  }

  reset(): void {
    if (this.#over) return;
    this.#traffic.resets++;
    const events = this.#events;
    this.#die();
    this.#peer?.closed();
    events?.closed({ kind: "reset", message: "connection reset" } satisfies SocketError);
  }

  #die(): void {
    this.#over = true;
    this.#events = undefined;
    this.#queue.length = 0;
    this.#arrived.length = 0;
    this.#forget();
  }

  /** Sends what the window takes. */
  #pump(): void {
    const window = this.#wire.quality.window ?? WINDOW;
    for (let first = this.#queue[0]; !this.#over && first !== undefined; first = this.#queue[0]) {
      // No sliver unless it is all there is (RFC 9293 section 3.8.6.2.1).
      const count = Math.min(SEGMENT, first.length);
      if (this.#flying + count > window) return;
      const segment = first.subarray(0, count);
      if (count === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(count);
      this.#flying += count;
      this.#traffic.sent += count;
      this.#timeline.at(this.#wire.carry("down", count), () => this.#arrive(segment));
    }
    if (this.#ended && !this.#over && this.#flying === 0) this.#tellEnd();
  }

  #arrive(segment: Uint8Array): void {
    if (this.#over) return;
    this.#arrived.push(segment);
    this.#unread += segment.length;
    if (this.#announced) return;
    this.#announced = true;
    this.#events?.readable();
  }

  #tellEnd(): void {
    if (!this.#ended || this.#unread > 0 || this.#queue.length > 0 || this.#over) return;
    const events = this.#events;
    this.#timeline.after(this.#wire.quality.latency, () => {
      if (this.#over || this.#unread > 0) return;
      this.#die();
      events?.closed();
    });
  }
}
