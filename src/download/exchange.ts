import { HTTP_HEAD_MAX } from "../constants";
import { interpret } from "../http/response";
import type { Response } from "../http/response";
import { ANSWERS, fault } from "./answers";
import type { AnswerName, Fault } from "./answers";
import { crc16 } from "./crc16";
import type { DownloadOptions, DownloadOutput } from "./outputs";
import { RangePlan } from "./range-plan";
import { RemoteFile } from "./remote-file";
import { rangeRequest } from "./request";
import type { RetryPolicy } from "./retry-policy";
import type { Route } from "./route";
import { SectorAssembler } from "./sector-assembler";
import type { AssemblerEvent } from "./sector-assembler";
import { verdictOn } from "./verdict";
import type { Incident, Verdict } from "./verdict";

/** What is needed of the response whose body is read, or was read last: the rest would take memory all that time. */
interface Body extends Pick<Response, "status" | "keepAlive" | "crc16"> {
  /** It has a Content-Range. */
  readonly ranged: boolean;
  /** Where in the file it begins. */
  readonly start: number;
  /** Where in the sector buffer it begins; -1: in a sector that was delivered. */
  bufferStart: number;
}

/**
 * Requests and responses on an open connection: sends the requests, delivers the sectors, and returns an incident when
 * it can not go on. What is known of the file lasts from one connection to the next.
 */
export class Exchange {
  private readonly crc16: boolean;
  private readonly assembler: SectorAssembler;
  private readonly plan: RangePlan;
  readonly file: RemoteFile;
  private readonly route: Route;
  private readonly retry: RetryPolicy;
  private readonly outputs: DownloadOutput[];
  /** Of this connection. */
  private body: Body | undefined;
  /** A sector came over this connection. */
  delivered = false;
  /** The answer whose body is read to its end, so that the connection can be used again. */
  private refusal: Fault | undefined;
  /** A sector came since a limiter refused a request. */
  private unlimited = false;

  constructor(options: DownloadOptions, route: Route, retry: RetryPolicy, outputs: DownloadOutput[]) {
    this.crc16 = options.crc16 === true;
    // X-CRC16 covers whole responses only.
    this.assembler = new SectorAssembler(options.buffer, !this.crc16);
    this.plan = new RangePlan(options.range, this.crc16);
    this.file = new RemoteFile(options);
    this.route = route;
    this.retry = retry;
    this.outputs = outputs;
  }

  /* ---- inputs ---- */

  /** A connection is about to be made. */
  reset(): void {
    this.assembler.reset();
    this.plan.connecting();
    this.body = undefined;
    this.refusal = undefined;
    this.delivered = false;
  }

  /** The connection is open. `window`: of its socket. */
  opened(window: number | undefined): void {
    this.plan.opened(window);
  }

  /** Sends as many requests as the plan allows. */
  ask(): void {
    for (;;) {
      const from = this.plan.from(this.wanted);
      const end = this.plan.next(from, this.file.offset, this.file.limit);
      if (end === 0) return;
      this.plan.asked(end);
      this.outputs.push({ type: "send", bytes: rangeRequest(this.route.prefix, from, end) });
    }
  }

  /** Asks for nothing more. */
  drain(): void {
    this.plan.draining = true;
  }

  /** Bytes are still to come, or will be asked for. */
  get fetching(): boolean {
    return !this.plan.draining || this.plan.unanswered;
  }

  readTarget(): Uint8Array {
    return this.assembler.target();
  }

  received(count: number, now: number): Incident | undefined {
    this.assembler.received(count);
    for (let event = this.assembler.next(); event !== "more"; event = this.assembler.next()) {
      const incident = this.handle(event, now);
      if (incident !== undefined) return incident;
    }
    return undefined;
  }

  connectionEnded(message: string, now: number): Incident {
    const incident = this.refusal ?? this.closingSector(now);
    if (incident !== undefined) return incident;
    this.plan.connectionLost();
    const betweenResponses = this.assembler.pristine && this.plan.answered > 0;
    return betweenResponses ? { kind: "reconnect", reason: message } : { kind: "broken", message };
  }

  /** Nothing was received for `milliseconds`. */
  fellSilent(milliseconds: number, now: number): Incident {
    return this.refusal ?? this.closingSector(now) ?? fault("silence", 0, milliseconds / 1000);
  }

  /** Another file: everything starts over. False: it changed too often. */
  startOver(reason: string): boolean {
    if (!this.file.restart()) return false;
    this.assembler.distrust();
    this.outputs.push({ type: "start-over", reason });
    return true;
  }

  /* ---- what the bytes amount to ---- */

  /** The next byte of the file that is wanted. */
  private get wanted(): number {
    return this.file.offset + this.assembler.fill;
  }

  /** From an answer to the next request, ms. */
  get gap(): number {
    return this.plan.gap;
  }

  private handle(event: AssemblerEvent, now: number): Incident | undefined {
    const { refusal } = this;
    if (refusal !== undefined && event !== "more") {
      // Bytes behind the body answer nothing that was asked.
      if (event !== "end" || this.assembler.unread) return refusal;
      this.refusal = undefined;
      this.assembler.expectHead();
      return { kind: "kept", fault: refusal };
    }
    switch (event) {
      case "more":
        return undefined;
      case "head":
        return this.head();
      case "sector":
        return this.sector(now);
      case "end":
        return this.responseEnded();
      case "short":
        return this.broken("short", this.status);
      case "surplus":
        if (this.body?.ranged !== true) return fault("longer", this.status);
        return this.broken("surplus", this.status);
      case "malformed":
        if (!this.assembler.inBody) this.rewind();
        return this.broken("garbage", 0);
    }
  }

  private head(): Incident | undefined {
    const response = interpret(this.assembler.head);
    const verdict = verdictOn(response, this.wanted, this.file.size, this.route.server?.tls === true);
    switch (verdict.kind) {
      case "body":
        return this.acceptBody(response, verdict);
      case "fault":
        return this.refused(response, verdict);
      case "probe":
        return this.plan.probe() ? verdict : fault("ranges", response.status);
      case "redirect":
        return verdict;
    }
  }

  private refused({ keepAlive, framing }: Response, verdict: Fault): Incident | undefined {
    const { answer, message } = verdict;
    if (answer === "size" && this.file.offeredSize === 0 && !this.file.hasDigest)
      return { kind: "replaced", reason: message };
    if (answer === "start" && this.plan.answered > 0) return this.mismatch(message);
    if (ANSWERS[answer][3] === undefined) return verdict;
    if (answer !== "denied") this.limited();
    // A page that explains the error is short; of a longer one a new connection costs less.
    const short = framing !== "ambiguous" && framing.length <= HTTP_HEAD_MAX;
    if (!keepAlive || !short || !this.plan.refused()) return verdict;
    this.refusal = verdict;
    this.body = undefined;
    this.assembler.drop(framing);
    return undefined;
  }

  /** A limiter refused a request. Only one that lets requests through in between asks for a lower rate. */
  private limited(): void {
    if (this.unlimited) this.plan.slowDown();
    this.unlimited = false;
  }

  private acceptBody(
    response: Response,
    { framing, skip, take, size, unproven }: Extract<Verdict, { kind: "body" }>,
  ): Incident | undefined {
    const file = this.file;
    const { wanted } = this;
    if (file.validatorChanged(response.validator) && wanted > 0) {
      if (!file.hasDigest) return { kind: "replaced", reason: "ETag or Last-Modified changed" };
      this.log("ETag or Last-Modified has changed; the digest will decide");
    }
    file.size = size;
    if (!file.announced) {
      file.announced = true;
      this.outputs.push({ type: "total", size, validator: file.validator });
    }
    this.route.arrived();
    const { status, keepAlive, range, crc16 } = response;
    this.body = {
      status,
      keepAlive,
      ranged: range !== undefined,
      crc16,
      start: wanted,
      bufferStart: this.assembler.fill,
    };
    this.assembler.accept({ framing, skip, take, toEnd: wanted + take === size, unproven });
    this.plan.headSeen(keepAlive, wanted + take);
    this.ask();
    return undefined;
  }

  private sector(now: number): Incident | undefined {
    const bytes = this.assembler.sector();
    if (!this.crcMatches(bytes)) return this.broken("crc", this.status);
    this.outputs.push({ type: "sector", offset: this.file.offset, bytes });
    this.assembler.delivered();
    if (this.body !== undefined) this.body.bufferStart = -1;
    this.delivered = true;
    if (this.route.delivered()) this.limited();
    this.unlimited = true;
    if (this.file.advance(bytes.length)) this.retry.onProgress(now);
    if (this.file.complete) return { kind: "complete" };
    this.ask();
    return undefined;
  }

  /**
   * The field covers one ranged response. It is checked where that lies in the buffer from end to end; the plan asks
   * for such ranges.
   */
  private crcMatches(sector: Uint8Array): boolean {
    const body = this.body;
    if (!this.crc16 || body === undefined || body.bufferStart < 0 || this.assembler.take > 0) return true;
    const { ranged, crc16: expected } = body;
    return !ranged || expected === undefined || crc16(sector.subarray(body.bufferStart)) === expected;
  }

  private responseEnded(): Incident | undefined {
    if (!this.plan.responseDone(this.wanted)) return this.mismatch("the server gives other ranges than asked for");
    if (this.body?.keepAlive !== true) return { kind: "reconnect", reason: "the server closes after each answer" };
    this.assembler.expectHead();
    const { gap } = this;
    // A request that left before the gap was there is answered first.
    if (gap === 0 || this.plan.unanswered) return void this.ask();
    return this.assembler.unread
      ? { kind: "reconnect", reason: "the server sends more than was asked for" }
      : { kind: "paced", wait: gap };
  }

  /** The last sector, where only the connection's end proves that the body was complete. */
  private closingSector(now: number): Incident | undefined {
    const ready = this.assembler.endsWithConnection && this.assembler.connectionEnded() === "sector";
    return ready ? this.sector(now) : undefined;
  }

  /* ---- what breaks the exchange ---- */

  /** A response broke the rules: nothing that came with it is kept. */
  private broken(answer: AnswerName, status: number): Incident {
    this.assembler.distrust();
    return fault(answer, status);
  }

  /** Responses do not match the requests: one at a time from now on. */
  private mismatch(reason: string): Incident {
    this.plan.mismatched();
    this.assembler.distrust();
    return { kind: "reconnect", reason };
  }

  /**
   * What follows a body is no head, so bytes of that body may be missing: the TCP of SDK 8.2.3 loses a segment now and
   * then on chips with two cores (docs/MODDABLE.md). Its sectors come again.
   */
  private rewind(): void {
    if (this.body === undefined || !this.file.rewind(this.body.start)) return;
    const { offset } = this.file;
    this.log(`what follows bytes from ${offset} is not HTTP/1.1; fetched again`);
    this.outputs.push({ type: "rewind", offset });
  }

  private get status(): number {
    return this.body?.status ?? 0;
  }

  private log(text: string): void {
    this.outputs.push({ type: "log", line: `download: ${text}` });
  }
}
