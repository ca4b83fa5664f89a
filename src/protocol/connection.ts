import type { Clock, ConnectOptions, Network, Socket, SocketError, SocketEvents } from "../ports";
import { SendQueue } from "./send-queue";

/** Whom a connection calls, each time from inside `enter`. */
export interface ConnectionOwner {
  /** Runs a callback of the port: catches what it throws and sets the timer anew. */
  enter(callback: () => void): void;
  opened(): void;
  readable(): void;
  /**
   * The connection has ended: by the peer, by an error, or because it could not even be begun. Not called after
   * `close`.
   */
  ended(error: SocketError | undefined): void;
}

/**
 * One connection: a socket of the port and the bytes that it has not taken yet. It implements the port's callbacks
 * itself: a closure for each event would cost ten slots apiece on XS, for as long as the connection lasts.
 */
export class Connection implements SocketEvents {
  private readonly owner: ConnectionOwner;
  private readonly unsent = new SendQueue();
  private socket: Socket | undefined;
  private isClosed = false;

  /** Starts to connect. */
  constructor(owner: ConnectionOwner, network: Network, clock: Clock, options: ConnectOptions) {
    this.owner = owner;
    try {
      this.socket = network.connect(options, this);
    } catch (error) {
      const message = (error as Error).message;
      clock.set(() => this.closed({ kind: "other", message }), 0);
    }
  }

  /** False: the peer takes nothing and too much is queued. */
  send(bytes: Uint8Array): boolean {
    return this.socket === undefined || this.unsent.send(this.socket, bytes);
  }

  get window(): number | undefined {
    return this.socket?.window;
  }

  /** Moves up to `into.length` received bytes; returns how many. */
  read(into: Uint8Array): number {
    return this.isClosed ? 0 : (this.socket?.read(into) ?? 0);
  }

  /** The owner is not called after this. */
  close(): void {
    this.isClosed = true;
    this.socket?.close();
  }

  /* ---- called by the port ---- */

  opened(): void {
    this.tell(() => this.owner.opened());
  }

  readable(): void {
    this.tell(() => this.owner.readable());
  }

  writable(): void {
    this.tell(() => this.socket !== undefined && this.unsent.flush(this.socket));
  }

  closed(error?: SocketError): void {
    this.tell(() => this.owner.ended(error));
  }

  private tell(event: () => void): void {
    if (!this.isClosed) this.owner.enter(event);
  }
}
