import type { Clock, ConnectOptions, Network, Socket, SocketError, SocketEvents } from "../ports";
import { Outbox } from "./outbox";

/** Whom a connection tells what happens, each time from inside its `enter`. */
export interface ConnectionOwner {
  /** Runs a callback of the port: catches what it throws and sets the timer anew. */
  enter(callback: () => void): void;
  opened(): void;
  readable(): void;
  /** It has ended: by the peer, by an error, or because it could not even be begun. Not told after `close`. */
  ended(error: SocketError | undefined): void;
}

/**
 * One connection of the agent: a socket of the port and what waits to be written to it. It is its own set of callbacks, one
 * object where a closure for each event would cost XS ten slots apiece, for as long as the connection lasts.
 */
export class Connection implements SocketEvents {
  readonly #owner: ConnectionOwner;
  readonly #outbox = new Outbox();
  #socket: Socket | undefined;
  #closed = false;

  /** Starts to connect. */
  constructor(owner: ConnectionOwner, network: Network, clock: Clock, options: ConnectOptions) {
    this.#owner = owner;
    try {
      this.#socket = network.connect(options, this);
    } catch (error) {
      const message = (error as Error).message;
      clock.set(() => this.closed({ kind: "other", message }), 0);
    }
  }

  /** False: the peer takes nothing and too much is waiting. */
  send(bytes: Uint8Array): boolean {
    return this.#socket === undefined || this.#outbox.send(this.#socket, bytes);
  }

  /** Moves up to `into.length` waiting bytes; returns how many. */
  read(into: Uint8Array): number {
    return this.#closed ? 0 : (this.#socket?.read(into) ?? 0);
  }

  /** Nothing more is told from here on. */
  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  /* ---- told by the port ---- */

  opened(): void {
    this.tell(() => this.#owner.opened());
  }

  readable(): void {
    this.tell(() => this.#owner.readable());
  }

  writable(): void {
    this.tell(() => this.#socket !== undefined && this.#outbox.flush(this.#socket));
  }

  closed(error?: SocketError): void {
    this.tell(() => this.#owner.ended(error));
  }

  private tell(event: () => void): void {
    if (!this.#closed) this.#owner.enter(event);
  }
}
