/**
 * Runs a downloader against a scripted server: bytes arrive in slices of any size, and time is a number.
 */
import assert from "node:assert/strict";
import type { SocketError } from "../../src/ports";
import { SECTOR, SECTOR_SURPLUS } from "../../src/constants";
import { Downloader } from "../../src/download/downloader";
import type { DownloadOptions, DownloadOutput } from "../../src/download/outputs";

export interface Request {
  readonly connection: number;
  /** On this connection, from 1. */
  readonly number: number;
  readonly line: string;
  readonly target: string;
  readonly head: string;
  readonly first: number;
  readonly last: number;
  /** Bytes between what was delivered and what is asked for. */
  readonly ahead: number;
  /** Bytes served and not yet received when it was sent. */
  readonly unread: number;
}

export type Answer = Uint8Array | string | "close" | "reset" | "silence";
/**
 * What the server sends for a request, piece by piece; "close" and "reset" end the connection, "silence" sends
 * nothing more on it.
 */
export type Server = (request: Request) => readonly Answer[];

export const FILE = testFile(5 * SECTOR + 1234);

export function testFile(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let at = 0; at < length; at++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    bytes[at] = state >> 16;
  }
  return bytes;
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The response of a correct server. */
export function partial(
  file: Uint8Array,
  { first, last }: { first: number; last: number },
  extra = "",
  status = "206 Partial Content",
): Answer[] {
  const end = Math.min(last, file.length - 1);
  const body = file.subarray(first, end + 1);
  return [
    `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nContent-Range: bytes ${first}-${end}/${file.length}\r\n${extra}\r\n`,
    body,
  ];
}

export function good(file = FILE, extra = ""): Server {
  return (request) => partial(file, request, extra);
}

/** One script for each request, in order; the last one serves all further requests. */
export function inTurn(...servers: readonly Server[]): Server {
  let count = 0;
  return (request) => servers[Math.min(count++, servers.length - 1)]!(request);
}

const WAIT = /^download: (.*); again in (\d+) ms$/;

export class Bench {
  readonly downloader: Downloader;
  readonly effects: DownloadOutput[] = [];
  readonly requests: Request[] = [];
  readonly connects: string[] = [];
  /** What the sectors add up to. */
  stored: Uint8Array;
  storedLength: number;
  now = 1_000;
  /** Most bytes asked for beyond what was delivered. */
  widest = 0;
  served = 0;
  received = 0;
  readonly #buffer: Uint8Array;
  readonly #server: Server;
  readonly #slice: () => number;
  readonly #toClient: (Uint8Array | { readonly at: number } | "close" | "reset" | "silence")[] = [];
  #connection = 0;
  #onConnection = 0;
  #open = false;
  #silent = false;
  #pending: "opened" | SocketError | undefined;
  /** Of the socket. */
  window: number | undefined;
  /** Set to have `connect` fail. */
  refuseConnect: ((connection: number) => SocketError | "silence" | undefined) | undefined;
  /** When the answer to a request begins. */
  answersAt: ((request: Request) => number) | undefined;
  onExpired: (() => string | undefined) | undefined;

  constructor(server: Server, options: Partial<DownloadOptions> = {}, slice: () => number = () => 1_000_000) {
    this.#buffer = options.buffer ?? new Uint8Array(SECTOR + SECTOR_SURPLUS);
    const size = options.size ?? FILE.length;
    this.stored = new Uint8Array(64 * SECTOR);
    this.storedLength = options.offset ?? 0;
    this.stored.set(FILE.subarray(0, this.storedLength));
    this.#server = server;
    this.#slice = slice;
    this.downloader = new Downloader({
      url: "http://files.example/fw.bin?sign=secret",
      offset: 0,
      hasDigest: true,
      allowHttp: true,
      random: () => 0.5,
      ...options,
      size,
      buffer: this.#buffer,
    });
  }

  get last(): DownloadOutput {
    return this.effects[this.effects.length - 1]!;
  }

  types(...wanted: DownloadOutput["type"][]): string[] {
    return this.effects.map((effect) => effect.type).filter((type) => wanted.length === 0 || wanted.includes(type));
  }

  of<T extends DownloadOutput["type"]>(type: T): Extract<DownloadOutput, { type: T }>[] {
    return this.effects.filter((effect) => effect.type === type) as Extract<DownloadOutput, { type: T }>[];
  }

  /** Waits between attempts, as logged. */
  get waits(): { readonly reason: string; readonly milliseconds: number }[] {
    return this.of("log").flatMap(({ line }) => {
      const found = WAIT.exec(line);
      return found === null ? [] : [{ reason: found[1]!, milliseconds: Number(found[2]) }];
    });
  }

  /** The last output began a wait. */
  get isWaiting(): boolean {
    return this.last.type === "log" && WAIT.test(this.last.line);
  }

  /** How many log lines match. */
  logged(pattern: RegExp): number {
    return this.of("log").filter(({ line }) => pattern.test(line)).length;
  }

  get image(): Uint8Array {
    return this.stored.subarray(0, this.storedLength);
  }

  /** Runs until the download ended or nothing can happen any more. */
  run(): this {
    this.handle(this.downloader.start(this.now));
    for (let steps = 0; steps < 2_000_000; steps++) if (!this.step()) return this;
    throw new Error("the download does not end");
  }

  /** One thing happens: bytes arrive, a connection ends, or time jumps to the deadline. False: nothing left. */
  step(): boolean {
    if (this.#pending !== undefined) {
      this.#connected(this.#pending);
      return true;
    }
    // Timers are served first: a stream of bytes must not hide that time is up.
    const due = this.downloader.deadline();
    if (due !== undefined && due <= this.now) {
      this.handle(this.downloader.tick(this.now));
      return true;
    }
    const next = this.#toClient[0];
    if (this.#open && !this.#silent && next !== undefined) {
      if (typeof next === "string") {
        this.#toClient.shift();
        this.#ending(next);
        return true;
      }
      if (next instanceof Uint8Array) {
        this.#deliver(next);
        return true;
      }
      if (due === undefined || next.at <= due) {
        this.#toClient.shift();
        this.now = Math.max(this.now, next.at);
        return true;
      }
    }
    if (due === undefined) return false;
    this.now = due;
    this.handle(this.downloader.tick(this.now));
    return true;
  }

  /** Bytes on their way to the client. */
  get waiting(): number {
    return this.#toClient.reduce((sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : 0), 0);
  }

  /** The connection breaks here and now. */
  breakConnection(): void {
    if (!this.#open) return;
    this.#toClient.length = 0;
    this.#ending("reset");
  }

  handle(effects: readonly DownloadOutput[]): void {
    assert.ok(effects.filter((effect) => effect.type === "sector").length <= 1, "at most one sector at a time");
    for (const effect of effects) {
      this.effects.push(effect.type === "sector" ? { ...effect, bytes: effect.bytes.slice() } : effect);
      this.#handle(effect);
    }
  }

  #handle(effect: DownloadOutput): void {
    switch (effect.type) {
      case "connect":
        return this.#connect(`${effect.tls ? "https" : "http"}://${effect.host}:${effect.port}`);
      case "send":
        return this.#request(String.fromCharCode(...effect.bytes));
      case "close":
        this.#open = false;
        this.#pending = undefined;
        this.#toClient.length = 0;
        return;
      case "sector":
        assert.equal(effect.offset, this.storedLength, "sectors follow each other");
        this.stored.set(effect.bytes, effect.offset);
        this.storedLength += effect.bytes.length;
        // Whoever took it may use its place.
        this.#buffer.fill(0xee, 0, SECTOR);
        return;
      case "rewind":
        assert.ok(
          effect.offset % SECTOR === 0 && effect.offset < this.storedLength,
          "a rewind goes back to a sector that was delivered",
        );
        this.storedLength = effect.offset;
        return;
      case "start-over":
        this.storedLength = 0;
        return;
      case "expired": {
        const url = this.onExpired?.();
        if (url !== undefined) this.handle(this.downloader.renew(url, this.now));
        return;
      }
      default:
        return;
    }
  }

  #connect(to: string): void {
    this.connects.push(to);
    this.#connection++;
    this.#onConnection = 0;
    this.#toClient.length = 0;
    this.#silent = false;
    this.#open = false;
    const refusal = this.refuseConnect?.(this.#connection);
    this.#pending = refusal === "silence" ? undefined : (refusal ?? "opened");
  }

  /** The connect's result, after `connect` has returned. */
  #connected(result: "opened" | SocketError): void {
    this.#pending = undefined;
    this.#open = result === "opened";
    this.handle(
      result === "opened" ? this.downloader.opened(this.now, this.window) : this.downloader.closed(result, this.now),
    );
  }

  #ending(how: "close" | "reset" | "silence"): void {
    if (how === "silence") {
      this.#silent = true;
      return;
    }
    this.#open = false;
    this.handle(
      this.downloader.closed(how === "close" ? undefined : { kind: "reset", message: "connection reset" }, this.now),
    );
  }

  #deliver(bytes: Uint8Array): void {
    const target = this.downloader.readTarget();
    assert.ok(target.length > 0, "an open connection is read");
    const count = Math.min(bytes.length, target.length, Math.max(1, this.#slice()));
    target.set(bytes.subarray(0, count));
    if (count === bytes.length) this.#toClient.shift();
    else this.#toClient[0] = bytes.subarray(count);
    this.received += count;
    this.handle(this.downloader.received(count, this.now));
  }

  #request(head: string): void {
    const found = /^GET (\S+) HTTP\/1\.1\r\n[\s\S]*\r\nRange: bytes=(\d+)-(\d+)\r\n\r\n$/.exec(head);
    assert.ok(found, `a request in the right form: ${head}`);
    const request: Request = {
      connection: this.#connection,
      number: ++this.#onConnection,
      line: head.slice(0, head.indexOf("\r")),
      target: found[1]!,
      head,
      first: Number(found[2]),
      last: Number(found[3]),
      ahead: Number(found[2]) - this.storedLength,
      unread: this.waiting,
    };
    assert.ok(request.first <= request.last);
    this.requests.push(request);
    this.widest = Math.max(this.widest, request.last + 1 - this.storedLength);
    let bytes: Uint8Array[] = [];
    const flush = (): void => {
      const joined = Buffer.concat(bytes);
      bytes = [];
      this.served += joined.length;
      if (joined.length > 0) this.#toClient.push(joined);
    };
    if (this.answersAt !== undefined) this.#toClient.push({ at: this.answersAt(request) });
    for (const answer of this.#server(request)) {
      if (answer === "close" || answer === "reset" || answer === "silence") {
        flush();
        this.#toClient.push(answer);
      } else bytes.push(typeof answer === "string" ? ascii(answer) : answer);
    }
    flush();
  }
}
