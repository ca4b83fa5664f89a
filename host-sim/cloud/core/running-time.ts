/** Milliseconds since 1970 by the clock that the machine had when the process began, whatever becomes of it since. */
export const steadyNow = (): number => performance.timeOrigin + performance.now();

/** More between two looks than a busy machine explains: the process stood still, or the machine slept. Milliseconds. */
export const STOOD_STILL = 2_000;

/**
 * The time in which the cloud ran and could hear its devices, in milliseconds: for everything that has a duration. The
 * clock of the machine is set now and then; this goes by a monotonic clock. Time in which the process stood still or was
 * not there does not count, because no device could report in it.
 */
export class RunningTime {
  /** Where it is stored, so that it goes on after a restart. */
  static readonly SETTING = "running-time";
  /** So much of a duration is lost when the process is killed, milliseconds. */
  static readonly STORED_EVERY = 10_000;
  readonly #given: (() => number) | undefined;
  readonly #clock: () => number;
  #total: number;
  #last: number;

  /** `given`: a clock that is taken as it is. `stored`: of earlier runs. To be looked at once a second. */
  constructor(given?: () => number, stored = "0", clock = () => performance.now()) {
    this.#given = given;
    this.#clock = clock;
    this.#total = Number(stored);
    this.#last = clock();
  }

  /** Never goes back. */
  now(): number {
    if (this.#given !== undefined) return this.#given();
    const now = this.#clock();
    this.#total += Math.min(now - this.#last, STOOD_STILL);
    this.#last = now;
    return this.#total;
  }

  get stored(): string {
    return String(Math.round(this.now()));
  }
}
