import { BACKOFF_CAP, BACKOFF_FIRST, BACKOFF_PROMPT, REFUSAL_TRIES, REFUSAL_WINDOW, STALL_BUDGET } from "../constants";
import { Backoff } from "../util/backoff";

/**
 * How long to go on, and how long to wait in between: transport trouble is waited out with exponential backoff and full
 * jitter until the stall budget is used up, refusals that look final get a few tries. A new sector forgives everything.
 */
export class Patience {
  readonly #backoff: Backoff;
  readonly #random: () => number;
  #refusals = 0;
  #firstRefusal = 0;
  #progressAt = 0;

  constructor(random: () => number) {
    this.#random = random;
    this.#backoff = new Backoff(random, BACKOFF_FIRST, BACKOFF_CAP);
  }

  /** A new sector, or a new reason for hope (the start, a fresh URL that was asked for). */
  hope(now: number): void {
    this.#backoff.reset();
    this.#refusals = 0;
    this.#progressAt = now;
  }

  /** A fresh URL that was not asked for: its refusals are counted anew, the stall budget runs on. */
  pardon(): void {
    this.#refusals = 0;
  }

  /** When the stall budget ends. */
  get stallsAt(): number {
    return this.#progressAt + STALL_BUDGET;
  }

  /**
   * The wait before the next attempt, ms. What a server asks for by Retry-After, in seconds, is granted up to the cap; the
   * jitter comes on top of it, or a fleet that was told the same number would come back as one.
   */
  pause(retryAfter = 0): number {
    return Math.min(BACKOFF_CAP, retryAfter * 1000) + this.#backoff.next();
  }

  /** The wait after a connection broke that had brought a sector, ms. What follows it doubles from the start. */
  promptPause(): number {
    return Math.floor(this.#random() * BACKOFF_PROMPT);
  }

  /** Counts a refusal; true when it is to be believed. */
  refused(now: number): boolean {
    if (this.#refusals === 0) this.#firstRefusal = now;
    this.#refusals++;
    return this.#refusals >= REFUSAL_TRIES || now - this.#firstRefusal >= REFUSAL_WINDOW;
  }
}
