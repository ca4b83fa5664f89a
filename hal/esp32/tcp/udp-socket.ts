/**
 * UDP over lwIP in the shape of the SDK's `embedded:io/socket/udp`, as far as its resolver (hal/moddable/dns.ts) and
 * sntp.ts use it.
 */
import Timer from "timer";
import { textOf } from "./lwip-sockets";
import type { LwipOwner, LwipSockets } from "./lwip-sockets";

export interface UdpOptions {
  /** For `onReadable`, whose `this` is the socket. */
  readonly target?: unknown;
  onReadable?(this: unknown, count: number): void;
}

/** Datagrams handled before timers and other sockets have their turn. */
const BATCH = 4;

export class LwipUdpSocket implements LwipOwner {
  readonly target: unknown;
  private readonly sockets: LwipSockets;
  private readonly onReadable: UdpOptions["onReadable"];
  private handle: number | undefined;
  private datagram: ArrayBuffer | undefined;

  constructor(sockets: LwipSockets, { target, onReadable }: UdpOptions) {
    this.target = target;
    this.sockets = sockets;
    this.onReadable = onReadable;
    const handle = sockets.udpOpen(this);
    if (handle < 0) throw new Error(`udp: ${textOf(-handle)}`);
    this.handle = handle;
  }

  /** The datagram that `onReadable` was called for. One that is not read then is dropped. */
  read(): ArrayBuffer | undefined {
    const datagram = this.datagram;
    this.datagram = undefined;
    return datagram;
  }

  write(bytes: Uint8Array | ArrayBuffer, address: string, port: number): void {
    if (this.handle === undefined) throw new Error("udp: closed");
    const view = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
    const cause = this.sockets.udpWrite(this.handle, view, address, port);
    if (cause !== 0) throw new Error(`udp to ${address}: ${textOf(cause)}`);
  }

  close(): void {
    const handle = this.handle;
    this.handle = this.datagram = undefined;
    if (handle !== undefined) this.sockets.udpClose(handle);
  }

  readable(): void {
    for (let count = 0; this.handle !== undefined; count++) {
      if (count === BATCH) {
        Timer.set(() => this.readable(), 0);
        return;
      }
      this.datagram = this.sockets.udpRead(this.handle);
      if (this.datagram === undefined) return;
      this.onReadable?.call(this, 1);
    }
  }

  opened(): void {}
  writable(): void {}
  ended(): void {}
}
