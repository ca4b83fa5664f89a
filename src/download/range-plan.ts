import { LIMITER_GAP, LIMITER_GAP_MAX, RANGE, RANGE_MAX, SECTOR, WINDOW } from "../constants";

/** Shorter ranges are not pipelined: a response head of 400 bytes for each sector is too much. */
const PIPELINE_LEAST = 3 * SECTOR;

/**
 * Which bytes to ask for next, and when. Where the connection's receive window bounds what is in flight, one request
 * asks for all that is left. Elsewhere requests ask for ranges, which end at sector boundaries: on a connection that
 * proved persistent the next one is pipelined (RFC 9112, section 9.3.2), so it leaves before the last one is answered,
 * and never asks beyond WINDOW bytes after the last delivered sector.
 */
export class RangePlan {
  private readonly range: number;
  /** Ranges are not wished for: one request may ask for all that is left. */
  private readonly free: boolean;
  /** One request asks for all that is left. */
  private whole = false;
  /** Ends (exclusive) of the ranges asked for on this connection and not answered. */
  private readonly ends: number[] = [];
  /** Responses read to their end on this connection. */
  answered = 0;
  /** A response of this connection said that the connection persists. */
  private persistent = false;
  /** Responses did not match the requests once: no pipelining from then on. */
  private hadMismatch = false;
  /** The server closes after each response: one request at a time, until a connection outlives two responses. */
  private sequential = false;
  private probing = false;
  /** A limiter refused a request between two that it let through. */
  private limited = false;
  /** What the next request waits for after an answer, ms. */
  gap = 0;
  /** Nothing more is asked for: the device is about to sleep. */
  draining = false;

  /** `single`: one sector per request, so that each can be checked before it is stored. */
  constructor(range: number | undefined, single: boolean) {
    const wished = Math.floor((range ?? RANGE) / SECTOR) * SECTOR;
    this.range = single ? SECTOR : Math.min(RANGE_MAX, Math.max(SECTOR, wished));
    this.free = range === undefined && !single;
  }

  /** A new connection. */
  connecting(): void {
    this.ends.length = 0;
    this.answered = 0;
    this.persistent = false;
  }

  /** It is open. `window`: of its socket. */
  opened(window = Infinity): void {
    this.whole = this.free && window <= RANGE_MAX;
  }

  /**
   * Asks for a single byte, which every file but an empty one has, until a response is good. False: it did so already.
   */
  probe(): boolean {
    if (this.probing) return false;
    this.probing = true;
    return true;
  }

  /**
   * End of the next range to ask for, or 0 for nothing now. `from`: first byte not asked for, `delivered`: bytes in
   * sectors. `size` 0: unknown.
   */
  next(from: number, delivered: number, size: number): number {
    if (this.draining) return 0;
    const pipelined = this.ends.length > 0;
    if (this.probing) return pipelined ? 0 : from + 1;
    if (size > 0 && from >= size) return 0;
    if (pipelined && !(size > 0 && this.mayPipeline)) return 0;
    if (this.whole && size > 0) return size;
    const full = Math.floor(from / SECTOR) * SECTOR + this.range;
    const end = size > 0 ? Math.min(full, size) : full;
    if (!pipelined || end - delivered <= WINDOW) return end;
    // The right moment matters more than the length: as much as the window has room for, if that is worth a response
    // head.
    const fitting = delivered + WINDOW;
    return fitting - from < PIPELINE_LEAST ? 0 : fitting;
  }

  asked(end: number): void {
    this.ends.push(end);
  }

  /** A request is unanswered. */
  get unanswered(): boolean {
    return this.ends.length > 0;
  }

  /** First byte not asked for on this connection; `wanted` when no request is unanswered. */
  from(wanted: number): number {
    return this.ends[this.ends.length - 1] ?? wanted;
  }

  /**
   * The head of a good response says whether the connection persists, and where its bytes end. The next request
   * continues there, unless it has left already.
   */
  headSeen(keepAlive: boolean, end: number): void {
    this.probing = false;
    if (this.ends.length === 1) this.ends[0] = end;
    this.persistent = keepAlive;
    if (!keepAlive) this.sequential = true;
  }

  /**
   * A response was read to its end, which took the download to `wanted`. False: the unanswered requests ask for other
   * bytes than come next.
   */
  responseDone(wanted: number): boolean {
    const end = this.ends.shift();
    this.answered++;
    if (this.answered >= 2) this.sequential = false;
    return end === wanted || this.ends.length === 0;
  }

  /** The only unanswered request was refused. False: others are unanswered as well. */
  refused(): boolean {
    if (this.ends.length > 1) return false;
    this.ends.length = 0;
    return true;
  }

  /**
   * The server ended the connection. One that closes at the first response, whatever its head said, gets no pipelined
   * requests.
   */
  connectionLost(): void {
    if (this.answered === 1 || (this.answered === 0 && this.ends.length > 1)) this.sequential = true;
  }

  /**
   * A limiter refused a request. The second time after requests that it let through, requests are spread: one at a time,
   * and further apart each time. Otherwise each refusal would cost a long wait, and perhaps a connection.
   */
  slowDown(): void {
    if (this.limited) this.gap = Math.min(LIMITER_GAP_MAX, 2 * this.gap || LIMITER_GAP);
    this.limited = true;
  }

  /** Responses do not match the requests. */
  mismatched(): void {
    this.hadMismatch = true;
  }

  private get mayPipeline(): boolean {
    return this.persistent && !this.hadMismatch && this.gap === 0 && (!this.sequential || this.answered >= 2);
  }
}
