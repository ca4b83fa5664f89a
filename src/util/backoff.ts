/**
 * Waits between attempts: full jitter under a ceiling that doubles (AWS Architecture Blog, "Exponential Backoff And
 * Jitter"). Failed attempts and connections that worked and soon ended double ceilings of their own.
 */
export class Backoff {
  private readonly random: () => number;
  private readonly first: number;
  private readonly cap: number;
  private ceiling: number;
  /** The ceiling after the next connection that worked. */
  private afterWork: number;

  /** `random` is uniform in [0, 1); `first` and `cap` are the first and the largest ceiling, ms. */
  constructor(random: () => number, first: number, cap: number) {
    this.random = random;
    this.first = first;
    this.cap = cap;
    this.ceiling = first;
    this.afterWork = first;
  }

  /** The next wait, whole ms: anything from 0 to below the ceiling, and below `cap`. */
  next(cap = this.cap): number {
    const wait = Math.floor(this.random() * Math.min(this.ceiling, cap));
    this.ceiling = Math.min(this.cap, this.ceiling * 2);
    return wait;
  }

  /** After a success that lasted. */
  reset(): void {
    this.ceiling = this.first;
    this.afterWork = this.first;
  }

  /** After a success that did not last: the attempts that failed before it count no more, its own kind does. */
  worked(): void {
    this.ceiling = this.afterWork;
    this.afterWork = Math.min(this.cap, this.afterWork * 2);
  }
}
