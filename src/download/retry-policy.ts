import {
  BACKOFF_CAP,
  BACKOFF_FIRST,
  BACKOFF_PROMPT,
  FIRST_BYTE_TIMEOUT,
  HTTP_IDLE_TIMEOUT,
  REFUSAL_TRIES,
  REFUSAL_WINDOW,
  STALL_BUDGET,
  STALL_REPORT,
} from "../constants";
import { Backoff } from "../util/backoff";

/**
 * How long a download goes on, and how long it waits between attempts. Transport failures are retried with exponential
 * backoff and full jitter until the stall budget is used up; refusals that look final get a few tries. A new sector
 * resets everything.
 */
export class RetryPolicy {
  private readonly backoff: Backoff;
  private readonly random: () => number;
  private refusals = 0;
  private firstRefusal = 0;
  private progressAt = 0;
  /** The latest failure since then. */
  lastFailure: string | undefined;
  /** When there is something to tell, whatever the connection does: of a stall, and then that the budget is used up. */
  wakesAt = 0;
  /** How long the first byte of an answer is awaited, ms. */
  firstByte = HTTP_IDLE_TIMEOUT;

  constructor(random: () => number) {
    this.random = random;
    this.backoff = new Backoff(random, BACKOFF_FIRST, BACKOFF_CAP);
  }

  /** A new sector, the start, or a fresh URL that was asked for. */
  onProgress(now: number): void {
    this.backoff.reset();
    this.refusals = 0;
    this.progressAt = now;
    this.lastFailure = undefined;
    this.wakesAt = now + STALL_BUDGET;
  }

  failed(message: string): void {
    if (this.lastFailure === undefined) this.wakesAt = this.progressAt + STALL_REPORT;
    this.lastFailure = message;
  }

  /** The failure that the cloud is told of, once until the next sector. */
  toReport(): string | undefined {
    this.wakesAt = this.stallsAt;
    return this.lastFailure;
  }

  /** A fresh URL that was not asked for: its refusals are counted anew, the stall budget runs on. */
  resetRefusals(): void {
    this.refusals = 0;
  }

  /** No first byte came in time: the next one is awaited for longer. Returns how long this one was, ms. */
  noFirstByte(): number {
    const { firstByte } = this;
    this.firstByte = Math.min(FIRST_BYTE_TIMEOUT, 2 * firstByte);
    return firstByte;
  }

  /** The first byte came after `milliseconds`. */
  gotFirstByte(milliseconds: number): void {
    if (milliseconds < HTTP_IDLE_TIMEOUT) this.firstByte = HTTP_IDLE_TIMEOUT;
  }

  /** When the stall budget ends. */
  get stallsAt(): number {
    return this.progressAt + STALL_BUDGET;
  }

  /**
   * The wait before the next attempt, ms. A server's Retry-After, in seconds, is granted up to the cap. The jitter is
   * added to it: devices that were told the same number would otherwise come back together.
   */
  wait(retryAfter = 0): number {
    return Math.min(BACKOFF_CAP, retryAfter * 1000) + this.backoff.next();
  }

  /** The wait after a broken connection that had brought a sector, ms. The waits after it double from the start. */
  promptWait(): number {
    return Math.floor(this.random() * BACKOFF_PROMPT);
  }

  /** Counts a refusal; true: it is final. */
  countRefusal(now: number): boolean {
    if (this.refusals === 0) this.firstRefusal = now;
    this.refusals++;
    return this.refusals >= REFUSAL_TRIES || now - this.firstRefusal >= REFUSAL_WINDOW;
  }
}
