/**
 * A plain TCP connection for the port, over the SDK's `embedded:io/socket/tcp`. This class works around that socket's
 * faults: it gives no reason for an error, announces an unread rest only once, may call back after close(), and aborts
 * the VM when a callback throws. On the desktop it also loses the end of a stream while bytes are unread.
 */
import TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import type { Socket, SocketError, SocketEvents } from "../../src/ports";
import { isAddress } from "./host-names";
import type { Lookup } from "./host-names";

export interface TcpOptions {
  readonly host: string;
  readonly port: number;
  readonly lookup: Lookup;
  /**
   * Bytes taken out of the SDK's socket ahead of the reader, at most. 0 on a chip, where they may as well wait in lwIP.
   * On the desktop 16384: a stream's end is lost there while anything is unread.
   */
  readonly ahead: number;
}

/** The SDK's class as it is implemented; its declarations differ. */
interface RawTcp {
  read(into: Uint8Array): number | undefined;
  /** Returns the room left. Throws when it is given more than the room. */
  write(bytes: Uint8Array): number | undefined;
  close(): void;
}
/** `this` of a callback: the SDK's socket, with what it was given as `target`. */
interface Raw {
  readonly target: TcpSocket;
}
type RawTcpClass = new (options: {
  address: string;
  port: number;
  nodelay: boolean;
  target: TcpSocket;
  onReadable(this: Raw, count: number): void;
  onWritable(this: Raw, room: number): void;
  onError(this: Raw): void;
}) => RawTcp;

export class TcpSocket implements Socket {
  /** The same three functions for every connection: closures would stay in memory as long as it does. */
  private static readonly CALLBACKS = Object.freeze({
    onReadable(this: Raw, count: number): void {
      this.target.guard(() => this.target.arrived(count));
    },
    onWritable(this: Raw, room: number): void {
      this.target.guard(() => this.target.writable(room));
    },
    onError(this: Raw): void {
      this.target.guard(() => this.target.finish());
    },
  });
  private readonly ahead: number;
  private events: SocketEvents | undefined;
  private raw: RawTcp | undefined;
  private open = false;
  /** Unread in the SDK's socket. */
  private unread = 0;
  /** Taken out of it ahead of the reader, oldest first. */
  private readonly held: Uint8Array[] = [];
  private heldLength = 0;
  /** `readable` was called and not all has been read since. */
  private announced = false;
  private room = 0;
  /** `write` took fewer than it was given. */
  private blocked = false;
  private ended = false;

  constructor(options: TcpOptions, events: SocketEvents) {
    const { host, port, lookup } = options;
    if (!(Number.isInteger(port) && port >= 1 && port <= 65_535))
      throw new Error(`connect ${host}: port ${port} is not 1 to 65535`);
    this.ahead = options.ahead;
    this.events = events;
    if (isAddress(host)) this.connect(host, port);
    else this.resolve(host, port, lookup);
  }

  read(into: Uint8Array): number {
    let filled = 0;
    for (let first = this.held[0]; first !== undefined && filled < into.length; first = this.held[0]) {
      const count = Math.min(first.length, into.length - filled);
      into.set(first.subarray(0, count), filled);
      filled += count;
      this.heldLength -= count;
      if (count === first.length) this.held.shift();
      else this.held[0] = first.subarray(count);
    }
    const count = Math.min(this.unread, into.length - filled);
    if (count > 0) {
      this.take(into.subarray(filled, filled + count));
      filled += count;
    }
    if (this.waiting() === 0) {
      this.announced = false;
      if (this.ended) Timer.set(() => this.fail(undefined), 0);
    }
    return filled;
  }

  write(bytes: Uint8Array): number {
    if (this.raw === undefined || !this.open) return 0;
    const count = Math.min(bytes.length, this.room);
    if (count < bytes.length) this.blocked = true;
    if (count <= 0) return 0;
    try {
      const room = this.raw.write(count === bytes.length ? bytes : bytes.subarray(0, count));
      if (room === undefined) throw new Error("write failed");
      this.room = room;
      return count;
    } catch (error) {
      // The connection is gone. Its `onError` may or may not follow.
      this.room = 0;
      this.failLater({ kind: "reset", message: `write: ${(error as Error).message}` });
      return 0;
    }
  }

  close(): void {
    this.events = undefined;
    this.open = false;
    this.held.length = 0;
    this.heldLength = this.unread = this.room = 0;
    const raw = this.raw;
    this.raw = undefined;
    raw?.close();
  }

  private waiting(): number {
    return this.heldLength + this.unread;
  }

  private resolve(host: string, port: number, lookup: Lookup): void {
    try {
      lookup(host, (address) => {
        if (this.events === undefined) return;
        if (address === undefined) this.fail({ kind: "dns", message: `DNS: ${host} not found` });
        else this.connect(address, port);
      });
    } catch (error) {
      this.failLater({ kind: "dns", message: (error as Error).message });
    }
  }

  private connect(address: string, port: number): void {
    try {
      this.raw = new (TCP as unknown as RawTcpClass)({
        address,
        port,
        nodelay: true,
        target: this,
        ...TcpSocket.CALLBACKS,
      });
    } catch (error) {
      this.failLater({ kind: "other", message: `connect ${address}: ${(error as Error).message}` });
    }
  }

  private guard(callback: () => void): void {
    if (this.events === undefined) return;
    try {
      callback();
    } catch (error) {
      this.failLater({ kind: "other", message: (error as Error).message });
    }
  }

  private arrived(count: number): void {
    this.unread = count;
    this.announce();
    const surplus = Math.min(this.unread, this.ahead - this.heldLength);
    if (this.raw === undefined || surplus <= 0) return;
    const held = new Uint8Array(surplus);
    this.take(held);
    this.held.push(held);
    this.heldLength += surplus;
  }

  private take(into: Uint8Array): void {
    this.raw?.read(into);
    this.unread -= into.length;
  }

  private announce(): void {
    if (this.announced || this.waiting() === 0) return;
    this.announced = true;
    this.events?.readable();
  }

  private writable(room: number): void {
    this.room = room;
    if (!this.open) {
      this.open = true;
      this.events?.opened();
    } else if (this.blocked && room > 0) {
      this.blocked = false;
      this.events?.writable();
    }
  }

  /** Closed by the peer, or broken: the SDK does not say which. What waits is read first. */
  private finish(): void {
    this.ended = true;
    if (!this.open) this.fail({ kind: "refused", message: "no connection" });
    else if (this.waiting() === 0) this.fail(undefined);
  }

  private failLater(error: SocketError): void {
    Timer.set(() => this.fail(error), 0);
  }

  private fail(error: SocketError | undefined): void {
    const events = this.events;
    this.close();
    try {
      events?.closed(error);
    } catch {
      // Nobody is left to tell.
    }
  }
}
