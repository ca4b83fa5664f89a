import { HTTP_IDLE_TIMEOUT } from "../constants";
import { interpret } from "../http/response";
import type { Response } from "../http/response";
import { crc16 } from "./crc16";
import type { DownloadOptions, DownloadOutput } from "./outputs";
import { RangePlan } from "./range-plan";
import { RemoteFile } from "./remote-file";
import { rangeRequest } from "./request";
import type { RetryPolicy } from "./retry-policy";
import type { Route } from "./route";
import { SectorAssembler } from "./sector-assembler";
import type { AssemblerEvent } from "./sector-assembler";
import { refused, transient, verdictOn } from "./verdict";
import type { Incident, Verdict } from "./verdict";

/** The response whose body is read, or was read last. */
interface Body {
  readonly response: Response;
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
    this.plan.connected();
    this.body = undefined;
    this.delivered = false;
  }

  /** Sends as many requests as the plan allows. */
  ask(now: number): void {
    for (;;) {
      const { wanted } = this;
      const from = this.plan.from(wanted);
      const end = this.plan.next(from, wanted, this.file.offset, this.file.size);
      if (end === 0) return;
      this.plan.asked(end, now);
      this.outputs.push({ type: "send", bytes: rangeRequest(this.route.prefix, from, end) });
    }
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
    if (this.plan.mayAskMidSector) this.ask(now);
    return undefined;
  }

  connectionEnded(message: string, now: number): Incident {
    const incident = this.closingSector(now);
    if (incident !== undefined) return incident;
    this.plan.connectionLost();
    const betweenResponses = this.assembler.pristine && this.plan.answered > 0;
    return betweenResponses ? { kind: "reconnect", reason: message } : { kind: "broken", message };
  }

  /** Nothing was received for HTTP_IDLE_TIMEOUT. */
  fellSilent(now: number): Incident {
    return this.closingSector(now) ?? transient(`nothing received for ${HTTP_IDLE_TIMEOUT / 1000} s`);
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

  private handle(event: AssemblerEvent, now: number): Incident | undefined {
    switch (event) {
      case "more":
        return undefined;
      case "head":
        return this.head(now);
      case "sector":
        return this.sector(now);
      case "end":
        return this.responseEnded(now);
      case "short":
        return this.fault(`HTTP ${this.status}: the body ended early`);
      case "surplus":
        if (this.body?.response.range === undefined)
          return refused("download", `HTTP ${this.status}: the file is longer on the server`);
        return this.fault(`HTTP ${this.status}: the body is longer than Content-Range says`);
      case "malformed":
        if (!this.assembler.inBody) this.rewind();
        return this.fault("the server's answer is not HTTP/1.1");
    }
  }

  private head(now: number): Incident | undefined {
    const response = interpret(this.assembler.head);
    const verdict = verdictOn(response, this.wanted, this.file.size);
    switch (verdict.kind) {
      case "body":
        return this.acceptBody(response, verdict, now);
      case "other-size":
        if (this.file.offeredSize === 0 && !this.file.hasDigest) return { kind: "replaced", reason: verdict.message };
        return refused("download", verdict.message);
      case "other-start":
        return this.plan.answered > 0 ? this.mismatch(verdict.message) : refused("download", verdict.message);
      case "probe":
        return this.plan.probe()
          ? verdict
          : refused("download", `HTTP ${response.status}: the server refuses every range`);
      default:
        return verdict;
    }
  }

  private acceptBody(
    response: Response,
    { framing, skip, take, size, unproven }: Extract<Verdict, { kind: "body" }>,
    now: number,
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
    this.body = { response, start: wanted, bufferStart: this.assembler.fill };
    this.assembler.accept({ framing, skip, take, toEnd: wanted + take === size, unproven });
    this.plan.headSeen(response.keepAlive, wanted + take, now);
    this.ask(now);
    return undefined;
  }

  private sector(now: number): Incident | undefined {
    const bytes = this.assembler.sector();
    if (!this.crcMatches(bytes)) return this.fault(`HTTP ${this.status}: X-CRC16 does not fit the bytes`);
    this.outputs.push({ type: "sector", offset: this.file.offset, bytes });
    this.assembler.delivered();
    if (this.body !== undefined) this.body.bufferStart = -1;
    this.delivered = true;
    this.route.delivered();
    if (this.file.advance(bytes.length)) this.retry.onProgress(now);
    this.plan.sectorDone(now);
    if (this.file.complete) return { kind: "complete" };
    this.ask(now);
    return undefined;
  }

  /**
   * The field covers one ranged response. It is checked where that lies in the buffer from end to end; the plan asks
   * for such ranges.
   */
  private crcMatches(sector: Uint8Array): boolean {
    const body = this.body;
    if (!this.crc16 || body === undefined || body.bufferStart < 0 || this.assembler.take > 0) return true;
    const { range, crc16: expected } = body.response;
    return !range || expected === undefined || crc16(sector.subarray(body.bufferStart)) === expected;
  }

  private responseEnded(now: number): Incident | undefined {
    if (!this.plan.responseDone(this.wanted)) return this.mismatch("the server gives other ranges than asked for");
    if (this.body?.response.keepAlive !== true)
      return { kind: "reconnect", reason: "the server closes after each answer" };
    this.assembler.expectHead();
    this.ask(now);
    return undefined;
  }

  /** The last sector, where only the connection's end proves that the body was complete. */
  private closingSector(now: number): Incident | undefined {
    const ready = this.assembler.endsWithConnection && this.assembler.connectionEnded() === "sector";
    return ready ? this.sector(now) : undefined;
  }

  /* ---- what breaks the exchange ---- */

  /** A response broke the rules: nothing that came with it is kept. */
  private fault(message: string): Incident {
    this.assembler.distrust();
    return transient(message);
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
    return this.body?.response.status ?? 0;
  }

  private log(text: string): void {
    this.outputs.push({ type: "log", line: `download: ${text}` });
  }
}
