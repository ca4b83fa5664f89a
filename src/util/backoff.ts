/**
 * Waits between attempts: full jitter under a ceiling that doubles (AWS Architecture Blog, "Exponential Backoff And
 * Jitter").
 */
export class Backoff {
  private readonly random: () => number;
  private readonly first: number;
  private readonly cap: number;
  private ceiling: number;

  /** `random` is uniform in [0, 1); `first` and `cap` are the first and the largest ceiling, ms. */
  constructor(random: () => number, first: number, cap: number) {
    this.random = random;
    this.first = first;
    this.cap = cap;
    this.ceiling = first;
  }

  /** The next wait, whole ms: anything from 0 to below the ceiling. */
  next(): number {
    const wait = Math.floor(this.random() * this.ceiling);
    this.ceiling = Math.min(this.cap, this.ceiling * 2);
    return wait;
  }

  /** After a success that lasted. */
  reset(): void {
    this.ceiling = this.first;
  }
}
