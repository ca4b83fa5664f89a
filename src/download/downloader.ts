import type { SocketError } from "../ports";
import { CONNECT_TIMEOUT, DENIED_WAIT, HTTP_IDLE_TIMEOUT, REWINDS_MAX, SECTOR, STALL_BUDGET } from "../constants";
import { interpret } from "../http/response";
import type { Response } from "../http/response";
import type { Cause } from "../job/types";
import { crc16 } from "./crc16";
import type { DownloadEffect, DownloadOptions } from "./effects";
import { FileIdentity } from "./identity";
import { Intake } from "./intake";
import { Patience } from "./patience";
import { RangePlan } from "./ranges";
import { rangeRequest } from "./request";
import { Route } from "./route";
import { judge } from "./verdict";
import type { Verdict } from "./verdict";

export type { DownloadEffect, DownloadOptions } from "./effects";

type Taking = Extract<Verdict, { kind: "take" }>;

const NOTHING = new Uint8Array(0);

/**
 * Fetches one file by HTTP/1.1 range requests, sector by sector, over one connection at a time. Sans-I/O: its driver tells it
 * what happened and carries out the effects it returns. It never throws on what a peer sends, and it ends: by `finished`,
 * by `failed`, or because the stall budget without a new sector is used up.
 *
 * Three answers to trouble. Transport trouble is waited out and the download goes on at the next byte. A refusal
 * that looks final gets a few tries. What nobody is to blame for (a close between two answers, a redirected URL that stops
 * working after it delivered) costs no wait.
 */
export class Downloader {
  readonly #options: DownloadOptions;
  readonly #intake: Intake;
  readonly #plan: RangePlan;
  readonly #patience: Patience;
  readonly #route: Route;
  readonly #file: FileIdentity;
  #phase: "idle" | "waiting" | "connecting" | "open" | "expired" | "ended" = "idle";
  /** End of the wait, or of the patience with a connect. */
  #until = 0;
  /** When the open connection said something last. */
  #heardAt = 0;
  #effects: DownloadEffect[] = [];
  #offset: number;
  /** Most that was ever delivered: only more than that is progress. */
  #reached: number;
  /** Where in the file the last body of this connection began; -1: none yet. */
  #bodyStart = -1;
  #rewinds = 0;
  /** A sector came over this connection. */
  #delivered = false;
  #probing = false;
  /** The URL was denied, and is tried once more before a fresh one is asked for. */
  #denied = false;
  /** The bytes of an unfinished sector may be kept over the next connect. */
  #trusted = true;
  /** The last response, of this connection. */
  #response: Response | undefined;
  /** Where the response's bytes begin in the sector buffer; -1: they began in a sector that has left. */
  #responseStart = -1;
  #lastTrouble = "nothing received";

  constructor(options: DownloadOptions) {
    const { offset, size } = options;
    this.#options = options;
    this.#offset = size > 0 && offset >= size ? size : Math.floor(offset / SECTOR) * SECTOR;
    this.#reached = this.#offset;
    this.#intake = new Intake(options.buffer);
    this.#plan = new RangePlan(options.range, options.crc16 === true);
    this.#patience = new Patience(options.random);
    this.#route = new Route(options.allowHttp);
    this.#file = new FileIdentity(size, options.validator, options.hasDigest);
  }

  start(now: number): DownloadEffect[] {
    this.#patience.hope(now);
    if (!this.takeUrl(this.#options.url)) return this.flush();
    if (this.#file.size > 0 && this.#offset === this.#file.size) this.finish();
    else this.connectToOrigin(now);
    return this.flush();
  }

  opened(now: number): DownloadEffect[] {
    if (this.#phase !== "connecting") return [];
    this.#phase = "open";
    this.#heardAt = now;
    this.ask(now);
    return this.flush();
  }

  closed(error: SocketError | undefined, now: number): DownloadEffect[] {
    const message = error ? oneLine(error.message) : "connection closed by the server";
    const before = this.#phase;
    if (before !== "connecting" && before !== "open") return [];
    this.#phase = "idle";
    if (before === "open") this.connectionEnded(message, now);
    else if (error?.kind === "certificate") this.refuse("download", message, undefined, now);
    else this.trouble(message, now);
    return this.flush();
  }

  tick(now: number): DownloadEffect[] {
    const deadline = this.deadline();
    if (deadline === undefined || now < deadline) return [];
    if (now >= this.#patience.stallsAt) this.stalled();
    else if (this.#phase === "waiting") this.connect(now);
    else if (this.#phase === "connecting") this.trouble(`no connection within ${CONNECT_TIMEOUT / 1000} s`, now);
    else this.fellSilent(now);
    return this.flush();
  }

  /** Where the driver reads the socket into next; its length bounds the read, 0 = do not read now. */
  readTarget(): Uint8Array {
    return this.#phase === "open" ? this.#intake.target() : NOTHING;
  }

  /** `count` bytes were read into `readTarget()`. */
  received(count: number, now: number): DownloadEffect[] {
    if (this.#phase !== "open" || count <= 0) return [];
    this.#heardAt = now;
    this.#intake.fed(count);
    this.digest(now);
    if (this.#phase === "open" && this.#plan.trickling) this.ask(now);
    return this.flush();
  }

  /**
   * A fresh URL for the same image: continue at the current offset. A connection that works, or a wait, is left in peace,
   * and a URL that cannot be used fails the download only where it was asked for.
   */
  renew(url: string, now: number): DownloadEffect[] {
    if (this.#phase === "expired") {
      this.#patience.hope(now);
      if (this.takeUrl(url)) this.connectToOrigin(now);
    } else if (this.#phase !== "ended" && this.#route.offer(url) === undefined) {
      this.#patience.pardon();
      this.#denied = false;
      if (this.#phase === "waiting") this.#route.toOrigin();
    }
    return this.flush();
  }

  stop(): DownloadEffect[] {
    this.hangUp();
    this.#phase = "ended";
    return this.flush();
  }

  /** When `tick` is wanted next, or undefined. */
  deadline(): number | undefined {
    switch (this.#phase) {
      case "waiting":
      case "connecting":
        return Math.min(this.#until, this.#patience.stallsAt);
      case "open":
        return Math.min(this.#heardAt + HTTP_IDLE_TIMEOUT, this.#patience.stallsAt);
      default:
        return undefined;
    }
  }

  /** Bytes delivered as sectors. */
  get offset(): number {
    return this.#offset;
  }

  /* ---- what came in ---- */

  private digest(now: number): void {
    while (this.#phase === "open") {
      const event = this.#intake.next();
      switch (event) {
        case "more":
          return;
        case "head":
          this.headCame(now);
          break;
        case "sector":
          this.sectorCame(now);
          break;
        case "end":
          this.responseEnded(now);
          break;
        case "short":
          this.fault(`${this.httpStatus()}: the body ended early`, now);
          break;
        case "surplus":
          this.surplus(now);
          break;
        case "malformed":
          if (!this.#intake.inBody) this.rewind();
          this.fault("the server's answer is not HTTP/1.1", now);
          break;
      }
    }
  }

  private headCame(now: number): void {
    const response = interpret(this.#intake.head);
    this.#response = response;
    const { status } = response;
    const verdict = judge(response, this.wanted, this.#file.size);
    switch (verdict.kind) {
      case "take":
        this.takeBody(response, verdict, now);
        break;
      case "redirect": {
        const problem = this.#route.follow(verdict.location);
        if (problem === undefined) this.connect(now);
        else this.refuse("download", `HTTP ${status}: ${problem}`, status, now);
        break;
      }
      case "expired":
        this.expired(verdict.message, status, verdict.retryAfter, now);
        break;
      case "trouble":
        this.trouble(verdict.message, now, this.#patience.pause(verdict.retryAfter));
        break;
      case "refused":
        this.refuse(verdict.cause, verdict.message, status, now);
        break;
      case "other-size":
        if (this.#file.learntSize && this.#file.unguarded) this.startAgain(verdict.message, now);
        else this.refuse("download", verdict.message, status, now);
        break;
      case "other-start":
        if (this.#plan.answered > 0) this.outOfStep(verdict.message, now);
        else this.refuse("download", verdict.message, status, now);
        break;
      case "probe":
        if (this.#probing) this.refuse("download", `HTTP ${status}: the server refuses every range`, status, now);
        else {
          this.#probing = true;
          this.connect(now);
        }
        break;
    }
  }

  private takeBody(response: Response, verdict: Taking, now: number): void {
    const file = this.#file;
    const wanted = this.wanted;
    if (file.contradicts(response.validator) && wanted > 0) {
      if (file.unguarded) {
        this.startAgain("ETag or Last-Modified changed", now);
        return;
      }
      this.#effects.push({ type: "changed" });
    }
    file.size = verdict.size;
    if (!file.announced) {
      file.announced = true;
      this.#effects.push({ type: "total", size: file.size, validator: file.validator });
    }
    this.#probing = false;
    this.#route.arrived();
    this.#responseStart = this.#intake.fill;
    this.#bodyStart = wanted;
    const { framing, skip, take, unproven } = verdict;
    this.#intake.accept({ framing, skip, take, toEnd: wanted + take === file.size, unproven });
    this.#plan.headSeen(response.keepAlive, wanted + take, now);
    this.ask(now);
  }

  private sectorCame(now: number): void {
    const bytes = this.#intake.sector();
    if (!this.crcHolds(bytes)) {
      this.fault(`${this.httpStatus()}: X-CRC16 does not fit the bytes`, now);
      return;
    }
    this.#effects.push({ type: "sector", offset: this.#offset, bytes });
    this.#intake.delivered();
    this.#offset += bytes.length;
    this.#responseStart = -1;
    this.#delivered = true;
    this.#route.delivered();
    this.#denied = false;
    if (this.#offset > this.#reached) {
      this.#reached = this.#offset;
      this.#patience.hope(now);
    }
    this.#plan.sectorDone(now);
    if (this.#offset === this.#file.size) this.finish();
    else this.ask(now);
  }

  /** The field covers one ranged response: checked where that lies in the buffer from end to end, which the plan sees to. */
  private crcHolds(sector: Uint8Array): boolean {
    const response = this.#response;
    const checkable = this.#options.crc16 === true && this.#responseStart >= 0 && this.#intake.take === 0;
    if (!checkable || !response?.range || response.crc16 === undefined) return true;
    return crc16(sector.subarray(this.#responseStart)) === response.crc16;
  }

  private responseEnded(now: number): void {
    if (!this.#plan.responseDone(this.wanted)) this.outOfStep("the server gives other ranges than asked for", now);
    else if (this.#response?.keepAlive === true) {
      this.#intake.expectHead();
      this.ask(now);
    } else this.reconnect("the server closes after each answer", now);
  }

  private surplus(now: number): void {
    const status = this.#response?.status;
    if (this.#response?.range === undefined)
      this.refuse("download", `HTTP ${status}: the file is longer on the server`, status, now);
    else this.fault(`HTTP ${status}: the body is longer than Content-Range says`, now);
  }

  private connectionEnded(message: string, now: number): void {
    if (this.closingSector(now)) return;
    this.#plan.connectionLost();
    if (this.#intake.pristine && this.#plan.answered > 0) this.reconnect(message, now);
    else this.trouble(message, now, this.#delivered ? this.#patience.promptPause() : undefined);
  }

  private fellSilent(now: number): void {
    if (!this.closingSector(now)) this.trouble(`nothing received for ${HTTP_IDLE_TIMEOUT / 1000} s`, now);
  }

  /** The end of a body that has no other end than this: true when it was complete. */
  private closingSector(now: number): boolean {
    if (!this.#intake.endsWithConnection || this.#intake.connectionEnded() !== "sector") return false;
    this.sectorCame(now);
    return true;
  }

  /* ---- what goes out ---- */

  /** The next byte of the file that is wanted. */
  private get wanted(): number {
    return this.#offset + this.#intake.fill;
  }

  /** Sends as many requests as the plan allows. */
  private ask(now: number): void {
    for (;;) {
      const wanted = this.wanted;
      const from = this.#plan.from(wanted);
      const end = this.#probing ? this.#plan.probe(from) : this.#plan.next(from, wanted, this.#offset, this.#file.size);
      if (end === 0) return;
      this.#plan.asked(end, now);
      this.#effects.push({ type: "send", bytes: rangeRequest(this.#route.prefix, from, end) });
    }
  }

  private connect(now: number): void {
    this.hangUp();
    const server = this.#route.server;
    if (!server) return;
    // What came of a sector before the connection broke is as good as the rest; X-CRC16 covers whole answers only.
    this.#intake.reset(this.#trusted && this.#options.crc16 !== true);
    this.#trusted = true;
    this.#plan.connected();
    this.#bodyStart = -1;
    this.#delivered = false;
    this.#phase = "connecting";
    this.#until = now + CONNECT_TIMEOUT;
    this.#effects.push({ type: "connect", ...server });
  }

  private connectToOrigin(now: number): void {
    this.#route.toOrigin();
    this.connect(now);
  }

  private hangUp(): void {
    if (this.#phase === "open" || this.#phase === "connecting") this.#effects.push({ type: "close" });
    this.#phase = "idle";
  }

  /* ---- what to do about trouble ---- */

  /** Nobody's fault: at once, as long as connections bring sectors. */
  private reconnect(reason: string, now: number): void {
    if (!this.#delivered) this.trouble(reason, now);
    else if (this.#route.renewed) this.connectToOrigin(now);
    else this.connect(now);
  }

  /** An answer broke the rules: nothing that came with it is kept. */
  private fault(message: string, now: number): void {
    this.#trusted = false;
    this.trouble(message, now);
  }

  /**
   * What follows a body is no head, so bytes of that body may be missing: the TCP of SDK 8.2.3 loses a segment now and then on chips with
   * two cores (docs/MODDABLE.md). Its sectors come again.
   */
  private rewind(): void {
    const offset = Math.floor(this.#bodyStart / SECTOR) * SECTOR;
    if (this.#bodyStart < 0 || offset >= this.#offset || this.#rewinds >= REWINDS_MAX) return;
    this.#rewinds++;
    this.#offset = offset;
    this.#effects.push({ type: "rewind", offset, reason: `what follows bytes from ${offset} is not HTTP/1.1` });
  }

  /** Answers do not fit the requests under way: one at a time from now on. */
  private outOfStep(message: string, now: number): void {
    this.#plan.outOfStep();
    this.#trusted = false;
    this.reconnect(message, now);
  }

  private trouble(message: string, now: number, pause?: number): void {
    this.hangUp();
    this.#lastTrouble = message;
    if (now >= this.#patience.stallsAt) this.stalled();
    else this.wait(message, now, pause ?? this.#patience.pause());
  }

  private refuse(cause: Cause, message: string, status: number | undefined, now: number): void {
    if (this.#route.secondhand) {
      this.connectToOrigin(now);
      return;
    }
    this.hangUp();
    this.#lastTrouble = message;
    if (this.#patience.refused(now)) this.fail(cause, message, status);
    else this.wait(message, now, this.#patience.pause());
  }

  private expired(message: string, status: number, retryAfter: number, now: number): void {
    if (this.#route.secondhand) {
      this.connectToOrigin(now);
      return;
    }
    this.#denied = !this.#denied;
    if (this.#denied) {
      this.trouble(message, now, this.#patience.pause(Math.max(retryAfter, DENIED_WAIT / 1000)));
      return;
    }
    this.hangUp();
    this.#phase = "expired";
    this.#effects.push({ type: "expired", message, status });
  }

  private wait(reason: string, now: number, milliseconds: number): void {
    if (!this.#delivered || this.#route.renewed) this.#route.toOrigin();
    this.#phase = "waiting";
    this.#until = now + milliseconds;
    this.#effects.push({ type: "waiting", milliseconds, reason });
  }

  /** Another file under the same URL, and no digest to decide which is meant. */
  private startAgain(reason: string, now: number): void {
    this.hangUp();
    if (!this.#file.restart()) {
      this.fail("download", `the file keeps changing on the server: ${reason}`, this.#response?.status);
      return;
    }
    this.#offset = 0;
    this.#reached = 0;
    this.#trusted = false;
    this.#effects.push({ type: "restart", reason });
    this.connect(now);
  }

  private stalled(): void {
    this.hangUp();
    this.fail("download-timeout", `no new data for ${STALL_BUDGET / 60_000} min: ${this.#lastTrouble}`, undefined);
  }

  private finish(): void {
    this.hangUp();
    this.#phase = "ended";
    this.#effects.push({ type: "finished" });
  }

  private fail(cause: Cause, message: string, status: number | undefined): void {
    this.#phase = "ended";
    this.#effects.push(
      status === undefined ? { type: "failed", cause, message } : { type: "failed", cause, message, status },
    );
  }

  /** Takes the offered URL; false: that failed the download. */
  private takeUrl(url: string): boolean {
    const refusal = this.#route.offer(url);
    if (refusal === undefined) return true;
    this.hangUp();
    if (refusal === "plain")
      this.fail("rejected", 'plain http is refused: offer an https URL, or set "allowHttp"', undefined);
    else this.fail("download", refusal.problem, undefined);
    return false;
  }

  private httpStatus(): string {
    return `HTTP ${this.#response?.status ?? 0}`;
  }

  private flush(): DownloadEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

/** An error of the socket port, fit for a report: printable ASCII, not too long. */
function oneLine(message: string): string {
  return message.replace(/[^ -~]+/g, " ").slice(0, 100);
}
