import { RANGE, RANGE_MAX, SECTOR, WINDOW } from "../constants";
import { Pace } from "./pace";

/** Shorter ranges are not asked for ahead of time: a head of 400 bytes for each sector is too many. */
const RANGE_LEAST = 3 * SECTOR;

/**
 * Which bytes to ask for next, and how far ahead. Ranges end at sector boundaries. The next request leaves before the last is
 * answered once this connection has proved that it stays open, and never beyond WINDOW bytes after the last delivered
 * sector. On a slow link it leaves just early enough to keep the line busy: all that is in flight is lost with the connection.
 */
export class RangePlan {
  readonly #range: number;
  readonly #single: boolean;
  /** Ends (exclusive) of the ranges asked for on this connection and not answered. */
  readonly #ends: number[] = [];
  #answered = 0;
  #proven = false;
  /** Answers and requests once got out of step: one at a time from then on. */
  #inStep = true;
  /** The server closes after each answer: large ranges, one at a time, until a connection outlives two answers. */
  #careful = false;
  readonly #pace = new Pace();

  /** `single`: one sector per request, so that each can be checked before it is stored. */
  constructor(range: number | undefined, single: boolean) {
    const wished = Math.floor((range ?? RANGE) / SECTOR) * SECTOR;
    this.#range = single ? SECTOR : Math.min(RANGE_MAX, Math.max(SECTOR, wished));
    this.#single = single;
  }

  /** A new connection. */
  connected(): void {
    this.#ends.length = 0;
    this.#answered = 0;
    this.#proven = false;
    this.#pace.reset();
  }

  /**
   * End of the next range to ask for, or 0 for nothing now. `from`: first byte not asked for, `wanted`: first byte not
   * received, `delivered`: bytes in sectors. `size` 0: unknown.
   */
  next(from: number, wanted: number, delivered: number, size: number): number {
    const ahead = this.#ends.length > 0;
    if (size > 0 && from >= size) return 0;
    if (ahead && !(size > 0 && this.mayRunAhead)) return 0;
    if (ahead && !this.#pace.fast && from - wanted > this.#pace.lead) return 0;
    const length = this.#careful && !this.#single ? RANGE_MAX : this.#range;
    const full = Math.floor(from / SECTOR) * SECTOR + length;
    const end = size > 0 ? Math.min(full, size) : full;
    if (!ahead || end - delivered <= WINDOW) return end;
    // The right moment matters more than the length: as much as the window has room for, if that is worth a head.
    const fitting = delivered + WINDOW;
    return fitting - from < RANGE_LEAST ? 0 : fitting;
  }

  /** End of a range of one byte, which every file but an empty one has; 0 while an answer is awaited. */
  probe(from: number): number {
    return this.#ends.length > 0 ? 0 : from + 1;
  }

  asked(end: number, now: number): void {
    this.#ends.push(end);
    this.#pace.asked(now);
  }

  /** First byte not asked for on this connection; `wanted` when nothing is under way. */
  from(wanted: number): number {
    return this.#ends[this.#ends.length - 1] ?? wanted;
  }

  /** Responses read to their end on this connection. */
  get answered(): number {
    return this.#answered;
  }

  /**
   * The head of a good response says whether the connection will stay open, and where its bytes end: there the next request
   * goes on, unless it has left already.
   */
  headSeen(keepAlive: boolean, end: number, now: number): void {
    this.#pace.headSeen(now);
    if (this.#ends.length === 1) this.#ends[0] = end;
    this.#proven = keepAlive;
    if (!keepAlive) this.#careful = true;
  }

  /** A response was read to its end, which took the download to `wanted`. False: the requests under way ask for other bytes than come next. */
  responseDone(wanted: number): boolean {
    const end = this.#ends.shift();
    this.#answered++;
    if (this.#answered >= 2) this.#careful = false;
    return end === wanted || this.#ends.length === 0;
  }

  sectorDone(now: number): void {
    this.#pace.sectorDone(now);
  }

  /** The right moment for the next request may lie between two sectors. */
  get trickling(): boolean {
    return this.mayRunAhead && !this.#pace.fast;
  }

  /** The connection ended by itself: whoever closes at the first answer, whatever its head said, gets no requests ahead. */
  connectionLost(): void {
    if (this.#answered === 1 || (this.#answered === 0 && this.#ends.length > 1)) this.#careful = true;
  }

  outOfStep(): void {
    this.#inStep = false;
  }

  private get mayRunAhead(): boolean {
    return this.#proven && this.#inStep && (!this.#careful || this.#answered >= 2);
  }
}
