/** A plain TCP connection of the `Network` port over lwIP. */
import Timer from "timer";
import type { Socket, SocketError, SocketErrorKind, SocketEvents } from "../../../src/ports";
import { isAddress } from "../../moddable/host-names";
import type { Lookup } from "../../moddable/host-names";
import { Cause, textOf } from "./lwip-sockets";
import type { LwipOwner, LwipSockets } from "./lwip-sockets";

export interface LwipTcpOptions {
  readonly host: string;
  readonly port: number;
  readonly lookup: Lookup;
}

export class LwipTcpSocket implements Socket, LwipOwner {
  private readonly sockets: LwipSockets;
  /** Undefined: closed. */
  private events: SocketEvents | undefined;
  private handle: number | undefined;
  /** The owner knows that the connection stands. */
  private open = false;

  constructor(sockets: LwipSockets, options: LwipTcpOptions, events: SocketEvents) {
    const { host, port, lookup } = options;
    if (!(Number.isInteger(port) && port >= 1 && port <= 65_535))
      throw new Error(`connect ${host}: port ${port} is not 1 to 65535`);
    this.sockets = sockets;
    this.events = events;
    if (isAddress(host)) this.connect(host, port);
    else this.resolve(host, port, lookup);
  }

  get window(): number {
    return this.sockets.tcpWindow;
  }

  read(into: Uint8Array): number {
    return this.handle === undefined ? 0 : this.sockets.tcpRead(this.handle, into);
  }

  write(bytes: Uint8Array): number {
    return this.handle === undefined || !this.open ? 0 : this.sockets.tcpWrite(this.handle, bytes);
  }

  close(): void {
    this.events = undefined;
    const handle = this.handle;
    this.handle = undefined;
    if (handle !== undefined) this.sockets.tcpClose(handle);
  }

  opened(): void {
    this.open = true;
    this.guard((events) => events.opened());
  }

  readable(): void {
    this.guard((events) => events.readable());
  }

  writable(): void {
    this.guard((events) => events.writable());
  }

  ended(cause: number): void {
    this.fail(cause === Cause.peerClosed ? undefined : { kind: kindOf(cause), message: textOf(cause) });
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
    const handle = this.sockets.tcpOpen(address, port, this);
    if (handle >= 0) this.handle = handle;
    else this.failLater({ kind: kindOf(-handle), message: `connect ${address}: ${textOf(-handle)}` });
  }

  /** A throw out of a callback would abort XS: it is this connection's end. */
  private guard(callback: (events: SocketEvents) => void): void {
    if (this.events === undefined) return;
    try {
      callback(this.events);
    } catch (error) {
      this.failLater({ kind: "other", message: (error as Error).message });
    }
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

function kindOf(cause: number): SocketErrorKind {
  return cause === Cause.refused ? "refused" : cause === Cause.reset ? "reset" : "other";
}
