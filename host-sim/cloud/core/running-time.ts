/** More between two looks than a busy machine explains: the process stood still, or the machine slept. Milliseconds. */
export const STOOD_STILL = 2_000;

/**
 * The time in which the cloud ran and could hear its devices, in milliseconds: for everything that has a duration. The
 * clock of the machine is set now and then; this goes by a monotonic clock. Time in which the process stood still or was
 * not there does not count, because no device could report in it.
 */
export class RunningTime {
  readonly #clock: () => number;
  #total: number;
  #last: number;

  /** `total`: of earlier runs. To be looked at once a second. */
  constructor(total = 0, clock = () => performance.now()) {
    this.#clock = clock;
    this.#total = total;
    this.#last = clock();
  }

  /** Never goes back. */
  now(): number {
    const now = this.#clock();
    this.#total += Math.min(now - this.#last, STOOD_STILL);
    this.#last = now;
    return this.#total;
  }
}
