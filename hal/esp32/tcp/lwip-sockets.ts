/**
 * TCP and UDP over lwIP (lwip-sockets.c): handles, and one callback for all of them. The SDK's own sockets share lists
 * with lwIP's task without a lock and lose bytes on chips with two cores: docs/MODDABLE.md, "Faults of the SDK's
 * sockets".
 */

/** lwipEvent in lwip_socket.h. */
const OPENED = 1;
const READABLE = 2;
const WRITABLE = 4;
/** Of a handle: its place in the C module's table (LWIP_SOCKETS_MAX). */
const INDEX = 7;

/** lwipCause in lwip_socket.h. */
export const Cause = Object.freeze({ peerClosed: 1, refused: 2, reset: 3 } as const);

const TEXTS: Readonly<Record<number, string>> = Object.freeze({
  1: "closed by the peer",
  2: "connection refused",
  3: "connection reset",
  4: "no route",
  5: "timed out",
  6: "out of memory",
  7: "not an address",
  8: "too many sockets",
});

/** One line. */
export const textOf = (cause: number): string => TEXTS[cause] ?? "failed";

/** Called back for a socket, never from inside a call of this class. */
export interface LwipOwner {
  opened(): void;
  /** Bytes wait. Not called again before they were read down to none. */
  readable(): void;
  /** There is room again after `tcpWrite` took fewer than it was given. */
  writable(): void;
  /** The connection has ended, and all that had arrived was read. */
  ended(cause: number): void;
}

/** One object for each device: the C module has one callback. Handles that are closed do nothing. */
export class LwipSockets {
  /** Bytes of a connection that wait to be read, at most: CONFIG_LWIP_TCP_WND_DEFAULT. */
  readonly tcpWindow = tcpWindow();
  /** By place in the table. */
  private readonly owners: (LwipOwner | undefined)[] = [];

  constructor() {
    start(() => this.dispatch());
  }

  /** Starts to connect to a literal address. Returns a handle, or the negative of the cause. */
  tcpOpen(address: string, port: number, owner: LwipOwner): number {
    return this.opened(tcpOpen(address, port), owner);
  }

  /** Fills up to the length of `into`; returns how many bytes. */
  tcpRead(handle: number, into: Uint8Array): number {
    return tcpRead(handle, into);
  }

  /** Returns how many bytes lwIP took, and copied. */
  tcpWrite(handle: number, bytes: Uint8Array): number {
    return tcpWrite(handle, bytes);
  }

  tcpClose(handle: number): void {
    this.owners[handle & INDEX] = undefined;
    tcpClose(handle);
  }

  /** Returns a handle, or the negative of the cause. */
  udpOpen(owner: LwipOwner): number {
    return this.opened(udpOpen(), owner);
  }

  /** The oldest datagram that waits. */
  udpRead(handle: number): ArrayBuffer | undefined {
    return udpRead(handle);
  }

  /** Returns 0, or the cause. */
  udpWrite(handle: number, bytes: Uint8Array, address: string, port: number): number {
    return udpWrite(handle, bytes, address, port);
  }

  udpClose(handle: number): void {
    this.owners[handle & INDEX] = undefined;
    udpClose(handle);
  }

  private opened(handle: number, owner: LwipOwner): number {
    if (handle >= 0) this.owners[handle & INDEX] = owner;
    return handle;
  }

  private dispatch(): void {
    for (let happening = next(); happening !== undefined; happening = next()) {
      const owner = this.owners[(happening >> 8) & INDEX];
      const event = (happening >> 4) & 15;
      if (event === READABLE) owner?.readable();
      else if (event === OPENED) owner?.opened();
      else if (event === WRITABLE) owner?.writable();
      else owner?.ended(happening & 15);
    }
  }
}

/* The C module: native functions are linked where they are called on `this`. */

function start(this: void, callback: () => void): void {
  return native("xs_lwip_start").call(this, callback) as undefined;
}
function next(this: void): number | undefined {
  return native("xs_lwip_next").call(this) as number | undefined;
}
function tcpWindow(this: void): number {
  return native("xs_lwip_tcpWindow").call(this) as number;
}
function tcpOpen(this: void, address: string, port: number): number {
  return native("xs_lwip_tcpOpen").call(this, address, port) as number;
}
function tcpRead(this: void, handle: number, into: Uint8Array): number {
  return native("xs_lwip_tcpRead").call(this, handle, into) as number;
}
function tcpWrite(this: void, handle: number, bytes: Uint8Array): number {
  return native("xs_lwip_tcpWrite").call(this, handle, bytes) as number;
}
function tcpClose(this: void, handle: number): void {
  return native("xs_lwip_tcpClose").call(this, handle) as undefined;
}
function udpOpen(this: void): number {
  return native("xs_lwip_udpOpen").call(this) as number;
}
function udpRead(this: void, handle: number): ArrayBuffer | undefined {
  return native("xs_lwip_udpRead").call(this, handle) as ArrayBuffer | undefined;
}
function udpWrite(this: void, handle: number, bytes: Uint8Array, address: string, port: number): number {
  return native("xs_lwip_udpWrite").call(this, handle, bytes, address, port) as number;
}
function udpClose(this: void, handle: number): void {
  return native("xs_lwip_udpClose").call(this, handle) as undefined;
}
