/** The newest entries, limited in number and in weight; the oldest go first. */
export class BoundedLog<T> {
  readonly #entries: T[] = [];
  readonly #maxEntries: number;
  readonly #maxWeight: number;
  readonly #weigh: (entry: T) => number;
  #weight = 0;
  #dropped = 0;

  constructor(maxEntries: number, maxWeight = Infinity, weigh: (entry: T) => number = () => 0) {
    this.#maxEntries = maxEntries;
    this.#maxWeight = maxWeight;
    this.#weigh = weigh;
  }

  add(entry: T): void {
    this.#entries.push(entry);
    this.#weight += this.#weigh(entry);
    while (this.#entries.length > this.#maxEntries || (this.#weight > this.#maxWeight && this.#entries.length > 1)) {
      this.#weight -= this.#weigh(this.#entries.shift()!);
      this.#dropped++;
    }
  }

  /** A copy, oldest first. */
  entries(): T[] {
    return [...this.#entries];
  }

  /** Entries that had to make room. */
  get dropped(): number {
    return this.#dropped;
  }
}
