/** Time that passes only when something happens: the clock of a whole simulated world, milliseconds. Same inputs, same run. */
import type { Clock } from "../../src/ports";

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class Timeline {
  /** Milliseconds since the world began. */
  now = 0;
  #order = 0;
  /** A binary heap: earliest first, in the order of their making where the time is the same. */
  readonly #heap: Entry[] = [];
  readonly #dropped = new Set<number>();

  /** Calls back at that time, or at once where it has passed. Returns a handle. */
  at(time: number, run: () => void): number {
    const entry = { at: time, order: ++this.#order, run };
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
    return entry.order;
  }

  after(milliseconds: number, run: () => void): number {
    return this.at(this.now + milliseconds, run);
  }

  drop(handle: number): void {
    this.#dropped.add(handle);
  }

  /** The processor is busy: whatever would happen meanwhile happens after it. */
  spend(milliseconds: number): void {
    this.now += milliseconds;
  }

  /** The next thing happens. False: nothing is left, or only what comes after `limit`. */
  step(limit = Infinity): boolean {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > limit) return false;
      this.#pop();
      if (this.#dropped.delete(first.order)) continue;
      this.now = Math.max(this.now, first.at);
      first.run();
      return true;
    }
  }

  /** The clock of a device in this world. */
  clock(): Clock {
    return {
      now: () => Math.floor(this.now),
      set: (callback, milliseconds) => this.after(milliseconds, callback),
      clear: (handle) => this.drop(handle),
    };
  }

  #pop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) return;
      const child = left + 1 < this.#heap.length && earlier(this.#heap[left + 1]!, this.#heap[left]!) ? left + 1 : left;
      if (!earlier(this.#heap[child]!, this.#heap[at]!)) return;
      [this.#heap[at], this.#heap[child]] = [this.#heap[child]!, this.#heap[at]!];
      at = child;
    }
  }

  #up(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!earlier(this.#heap[at]!, this.#heap[parent]!)) return;
      [this.#heap[at], this.#heap[parent]] = [this.#heap[parent]!, this.#heap[at]!];
      at = parent;
    }
  }
}

const earlier = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
