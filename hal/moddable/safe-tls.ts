/**
 * A TLS connection for the port. Whatever the peer sends, and whatever the engine throws on it, ends in `closed`
 * with a reason; nothing leaves in the clear, and nothing is called after `close`. The SDK's own TLS socket is not
 * used: an unencrypted close_notify makes it send what follows in the clear, and a bad record may abort the VM.
 */
import Timer from "timer";
import type { Socket, SocketError, SocketEvents } from "../../src/ports";
import { CertificateError } from "./certificate-chain";
import { RECORD_HEADER, TlsSession } from "./tls-session";
import type { Trust } from "./device";

export interface SafeTlsOptions {
  readonly host: string;
  readonly trust: Trust;
  /** ms since 1970: certificates have dates. */
  readonly now: () => number;
  /** Opens the connection below. */
  readonly connect: (events: SocketEvents) => Socket;
}

/** Content of one record sent: with the next it fits a chip's send buffer (lwIP: 5744). */
const CHUNK = 2_048;

export class SafeTls implements Socket {
  private events: SocketEvents | undefined;
  private readonly lower: Socket;
  private readonly session: TlsSession;
  /** Sealed and not yet taken by the connection below. */
  private readonly outgoing: Uint8Array[] = [];
  private readonly header = new Uint8Array(RECORD_HEADER);
  /** The record that is arriving; undefined: its header is. */
  private record: Uint8Array | undefined;
  private filled = 0;
  /** Decrypted and not yet read. */
  private data: Uint8Array | undefined;
  private announced = false;
  /** `write` took fewer than it was given. */
  private blocked = false;
  /** How it ended, while data is still unread. */
  private end: { readonly error: SocketError | undefined } | undefined;

  constructor(options: SafeTlsOptions, events: SocketEvents) {
    // No callback holds on to `options`: a private key is in it.
    const { host, trust, now, connect } = options;
    this.events = events;
    this.session = new TlsSession({ host, trust, now, send: (bytes) => this.outgoing.push(bytes) });
    this.lower = connect({
      opened: () => this.guard(() => this.session.start()),
      readable: () => this.guard(() => this.pump()),
      writable: () => this.guard(() => this.sent()),
      closed: (error) => this.lowerClosed(error),
    });
  }

  /** A record is taken from the connection below before any of it is read. */
  get window(): number | undefined {
    const { window } = this.lower;
    return window === undefined ? undefined : window + RECORD_HEADER + this.session.recordMax;
  }

  read(into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length && (this.data !== undefined || this.next())) {
      const data = this.data!;
      const count = Math.min(data.length, into.length - filled);
      into.set(data.subarray(0, count), filled);
      filled += count;
      this.data = count === data.length ? undefined : data.subarray(count);
    }
    if (this.data === undefined) {
      this.announced = false;
      if (this.end !== undefined) this.later();
    }
    return filled;
  }

  write(bytes: Uint8Array): number {
    let taken = 0;
    if (this.events !== undefined && this.session.open && this.end === undefined) {
      try {
        while (taken < bytes.length && this.outgoing.length === 0) {
          const count = Math.min(CHUNK, bytes.length - taken);
          this.outgoing.push(this.session.seal(bytes.subarray(taken, taken + count)));
          taken += count;
          this.flush();
        }
      } catch (error) {
        this.ended(reason(error));
        this.later();
      }
    }
    if (taken < bytes.length) this.blocked = true;
    return taken;
  }

  close(): void {
    if (this.events !== undefined && this.session.open && this.outgoing.length === 0) {
      try {
        this.lower.write(this.session.farewell());
      } catch {
        // It is a courtesy.
      }
    }
    this.silence();
  }

  /* ---- from below ---- */

  /** Runs what the connection below calls back: a throw is this connection's end. */
  private guard(step: () => void): void {
    if (this.events === undefined) return;
    try {
      step();
      this.flush();
    } catch (error) {
      this.ended(reason(error));
    }
    if (this.end !== undefined && this.data === undefined) this.conclude();
  }

  private pump(): void {
    const { open } = this.session;
    while (this.data === undefined && this.step()) {
      // A handshake costs a chip seconds of arithmetic: one message a turn, so that timers and watchdog have theirs.
      if (!this.session.open && this.record === undefined) {
        Timer.set(() => this.guard(() => this.pump()), 0);
        return;
      }
    }
    if (!open && this.session.open) this.events?.opened();
    // `opened` may have read it.
    if (this.data === undefined || this.announced) return;
    this.announced = true;
    this.events?.readable();
  }

  /** As `pump`, from inside `read`: calls nobody back. */
  private next(): boolean {
    if (this.events === undefined || this.end !== undefined) return false;
    try {
      while (this.data === undefined && this.step());
    } catch (error) {
      this.ended(reason(error));
    }
    return this.data !== undefined;
  }

  /** Reads at most one record. False: there is no whole one, or nothing more to read for. */
  private step(): boolean {
    if (this.events === undefined || this.end !== undefined) return false;
    const target = this.record ?? this.header;
    const count = this.lower.read(target.subarray(this.filled));
    this.filled += count;
    if (this.filled < target.length) return false;
    if (this.record === undefined) {
      this.record = recordFor(this.header, this.session.recordMax);
      return true;
    }
    const record = this.record;
    this.record = undefined;
    this.filled = 0;
    const data = this.session.receive(record);
    if (data !== undefined && data.length > 0) this.data = data;
    if (this.session.ended) this.ended(undefined);
    return true;
  }

  private sent(): void {
    this.flush();
    if (!this.blocked || this.outgoing.length > 0 || !this.session.open) return;
    this.blocked = false;
    this.events?.writable();
  }

  private flush(): void {
    for (let first = this.outgoing[0]; first !== undefined; first = this.outgoing[0]) {
      const taken = this.lower.write(first);
      if (taken < first.length) {
        this.outgoing[0] = first.subarray(taken);
        return;
      }
      this.outgoing.shift();
    }
  }

  /** Without close_notify the end may be anybody's work. */
  private lowerClosed(error: SocketError | undefined): void {
    if (this.events === undefined) return;
    const cut: SocketError = {
      kind: this.session.open ? "reset" : "tls",
      message: this.session.open ? "cut off without close_notify" : "closed during the TLS handshake",
    };
    this.ended(error ?? cut);
    if (this.data === undefined) this.conclude();
  }

  /* ---- the end ---- */

  /** The first reason counts. */
  private ended(error: SocketError | undefined): void {
    this.end ??= { error };
  }

  private later(): void {
    Timer.set(() => this.conclude(), 0);
  }

  private conclude(): void {
    const events = this.events;
    const end = this.end;
    this.silence();
    try {
      events?.closed(end?.error);
    } catch {
      // Nobody is left to tell.
    }
  }

  private silence(): void {
    this.events = undefined;
    this.data = this.record = undefined;
    this.outgoing.length = 0;
    this.lower.close();
  }
}

/** Room for the record that a header announces. */
const recordFor = (header: Uint8Array, most: number): Uint8Array => {
  const length = header[3]! * 256 + header[4]!;
  if (header[1] !== 3 || length === 0 || length > most) throw new Error("not a TLS record");
  const record = new Uint8Array(RECORD_HEADER + length);
  record.set(header);
  return record;
};

const reason = (error: unknown): SocketError => {
  const message = (error as Error).message || "TLS failure";
  return { kind: error instanceof CertificateError ? "certificate" : "tls", message };
};
