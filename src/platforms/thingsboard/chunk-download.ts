/**
 * Fetches a package in chunks of one sector over the connection to the broker. An answer names neither package nor
 * version: the server binds a request id to what is assigned at its first use, for the rest of the connection. So each
 * connection and each doubt gets a new id, and what it is bound to is asked for a while after its first answer: the
 * server serves an assignment before it shows it.
 */
import { MQTT_REPLY_TIMEOUT, SECTOR, THINGSBOARD_SETTLE } from "../../constants";
import type { DownloadEvent, DownloadRequest, LogLine } from "../../download/outputs";
import { RetryPolicy } from "../../download/retry-policy";
import type { Cause } from "../../job/types";
import { frozen } from "../../util/frozen";

/**
 * offline   connected -> checking
 * checking  the server shows this package -> binding; another, or none -> waiting
 * binding   the first chunk -> settling
 * settling  wait over -> proving
 * proving   the server still shows this package -> open; another, or none -> waiting
 * open      the last chunk -> ended
 * waiting   wait over -> checking, with a new id
 * ended     for good
 *
 * From every state but the last: the connection is lost -> offline; a chunk is of no use, or no answer in time ->
 * waiting; the stall budget is used up -> ended. Another assignment ends the job, and the download with it.
 */
type State = "offline" | "checking" | "binding" | "settling" | "proving" | "open" | "waiting" | "ended";

export type ChunkOutput =
  /** Ask for chunk `chunk` of SECTOR bytes. */
  | { readonly type: "request"; readonly id: number; readonly chunk: number }
  /** Ask for the attributes. */
  | { readonly type: "ask" }
  | DownloadEvent
  | LogLine;

/** Chunks in flight once an id is bound: from three on answers come out of order. */
const WINDOW = 2;
/** Silences of one id before it is given up. */
const REPEATS = 2;
/** What is waited for, for people. */
const AWAITED = frozen<{ readonly [state in State]?: string }>({
  checking: "the firmware attributes",
  binding: "the first chunk",
  proving: "the firmware attributes",
  open: "a chunk",
});

export class ChunkDownload {
  private readonly url: string;
  private readonly size: number;
  private readonly limit: number;
  private readonly retry: RetryPolicy;
  private readonly nextId: () => number;
  private readonly outputs: ChunkOutput[] = [];
  private state: State = "offline";
  private until = 0;
  private offset: number;
  private id = 0;
  /** Chunks asked for and not answered. */
  private asked: number[] = [];
  private repeats = 0;
  /** The first chunk, until it is proved to be of this package. */
  private held: Uint8Array | undefined;
  private announced = false;
  private draining = false;

  /** `nextId`: request ids that this connection has not used. */
  constructor({ url, size, end = size, offset }: DownloadRequest, random: () => number, nextId: () => number) {
    this.url = url;
    this.size = size;
    this.limit = Math.min(size, end);
    this.offset = offset;
    this.nextId = nextId;
    this.retry = new RetryPolicy(random);
  }

  start(connected: boolean, now: number): ChunkOutput[] {
    this.retry.onProgress(now);
    if (this.offset >= this.limit) this.end({ type: "finished" });
    else if (connected) this.ask("checking", now);
    return this.taken();
  }

  connected(now: number): ChunkOutput[] {
    if (this.state === "offline") this.ask("checking", now);
    return this.taken();
  }

  /** The server forgets its ids with the connection. */
  disconnected(reason: string, now: number): ChunkOutput[] {
    if (this.state !== "ended") {
      this.retry.failed(reason);
      this.enter("offline", Infinity);
      this.reportStall(now);
    }
    return this.taken();
  }

  /** The server's answer: the URL of the package that it shows. */
  shown(url: string | undefined, now: number): ChunkOutput[] {
    const { state } = this;
    if (state !== "checking" && state !== "proving") return [];
    if (url !== this.url) this.wait("another package is assigned", now);
    else if (state === "checking") this.bind(now);
    else this.proved(now);
    return this.taken();
  }

  /** `bytes` may be kept. */
  chunk(id: number, chunk: number, bytes: Uint8Array, now: number): ChunkOutput[] {
    const at = this.asked.indexOf(chunk);
    if (id !== this.id || at < 0) return [];
    this.asked.splice(at, 1);
    const expected = Math.min(SECTOR, this.size - chunk * SECTOR);
    if (bytes.length !== expected) this.useless(bytes.length, expected, now);
    else if (this.state === "binding") {
      this.held = bytes;
      this.enter("settling", now + THINGSBOARD_SETTLE);
    } else if (this.state === "open") {
      // Out of order: it is asked for again.
      if (chunk * SECTOR === this.offset) this.deliver(bytes, now);
      this.fill(now);
    }
    return this.taken();
  }

  /** `v2/fw/error`. It names no request, and the server closes behind it. */
  refused(reason: string, now: number): ChunkOutput[] {
    if (this.state === "binding" || this.state === "open") this.refuse("not-found", `the server says ${reason}`, now);
    return this.taken();
  }

  tick(now: number): ChunkOutput[] {
    const { state } = this;
    if (state === "ended") return [];
    if (now >= this.retry.stallsAt) {
      const message = `no new data for 15 min: ${this.retry.lastFailure ?? "nothing received"}`;
      this.end({ type: "download-failed", cause: "download-timeout", message });
    } else if (now >= this.until) this.late(now);
    this.reportStall(now);
    return this.taken();
  }

  deadline(): number | undefined {
    return this.state === "ended" ? undefined : Math.min(this.until, this.retry.wakesAt);
  }

  drain(): void {
    this.draining = true;
  }

  /** Drained it still stores the first chunk of an id that is being bound: a short wake would bring nothing else. */
  get fetching(): boolean {
    const { state, draining } = this;
    if (state === "ended") return false;
    return !draining || !(state === "offline" || state === "waiting" || (state === "open" && this.asked.length === 0));
  }

  /* ---- transitions ---- */

  /** Every change of state but to the same connection's next step gives the id up. */
  private enter(state: State, until: number): void {
    this.state = state;
    this.until = until;
    this.repeats = 0;
    if (state === "settling" || state === "proving" || state === "open") return;
    this.id = 0;
    this.asked = [];
    this.held = undefined;
  }

  private ask(state: "checking" | "proving", now: number): void {
    this.enter(state, now + MQTT_REPLY_TIMEOUT);
    this.outputs.push({ type: "ask" });
  }

  private bind(now: number): void {
    this.enter("binding", now + MQTT_REPLY_TIMEOUT);
    this.id = this.nextId();
    this.request(this.offset / SECTOR);
  }

  private proved(now: number): void {
    const { held } = this;
    this.held = undefined;
    this.enter("open", now + MQTT_REPLY_TIMEOUT);
    if (held !== undefined) this.deliver(held, now);
    this.fill(now);
  }

  /** Nothing came in time. */
  private late(now: number): void {
    const { state } = this;
    if (state === "waiting") return this.ask("checking", now);
    if (state === "settling") return this.ask("proving", now);
    const what = `no answer for ${AWAITED[state]} within ${MQTT_REPLY_TIMEOUT / 1000} s`;
    if (state !== "open" || this.repeats >= REPEATS) return this.wait(what, now);
    this.repeats++;
    this.retry.failed(what);
    this.until = now + MQTT_REPLY_TIMEOUT;
    for (const chunk of this.asked) this.outputs.push({ type: "request", id: this.id, chunk });
  }

  /** Empty: the server's cache has lost the package; an id that is bound never heals. */
  private useless(length: number, expected: number, now: number): void {
    if (length > expected) this.refuse("download", `a chunk of ${length} bytes in place of ${expected}`, now);
    else this.refuse("not-found", `a chunk of ${length} bytes in place of ${expected}`, now);
  }

  private refuse(cause: Cause, message: string, now: number): void {
    if (this.retry.countRefusal(now)) this.end({ type: "download-failed", cause, message });
    else this.wait(message, now);
  }

  private wait(why: string, now: number): void {
    this.retry.failed(why);
    const milliseconds = this.retry.wait();
    this.enter("waiting", now + milliseconds);
    this.outputs.push({ type: "log", line: `download: ${why}; again in ${milliseconds} ms`, idle: true });
  }

  private end(event: DownloadEvent): void {
    this.enter("ended", Infinity);
    this.outputs.push(event);
  }

  /** Once, until the next sector. */
  private reportStall(now: number): void {
    if (this.state === "ended" || now < this.retry.wakesAt) return;
    const message = this.retry.toReport();
    if (message !== undefined) this.outputs.push({ type: "stalled", message });
  }

  /* ---- chunks ---- */

  private deliver(bytes: Uint8Array, now: number): void {
    if (!this.announced) this.outputs.push({ type: "total", size: this.size, validator: undefined });
    this.announced = true;
    this.outputs.push({ type: "sector", offset: this.offset, bytes });
    this.offset += bytes.length;
    this.retry.onProgress(now);
    this.until = now + MQTT_REPLY_TIMEOUT;
    this.repeats = 0;
    if (this.offset >= this.limit) this.end({ type: "finished" });
  }

  private fill(now: number): void {
    if (this.state !== "open") return;
    const next = Math.floor(this.offset / SECTOR);
    for (let chunk = next; chunk < next + WINDOW && chunk * SECTOR < this.limit; chunk++)
      if (!this.asked.includes(chunk)) this.request(chunk);
    if (this.draining && this.asked.length === 0) this.until = now + MQTT_REPLY_TIMEOUT;
  }

  private request(chunk: number): void {
    if (this.draining && this.state === "open") return;
    this.asked.push(chunk);
    this.outputs.push({ type: "request", id: this.id, chunk });
  }

  private taken(): ChunkOutput[] {
    return this.outputs.splice(0);
  }
}
