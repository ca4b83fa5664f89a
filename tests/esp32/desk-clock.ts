import type { Clock } from "../../src/ports";

/** A clock that a test turns: timers fire in order, each at its time. */
export class DeskClock implements Clock {
  readonly #timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  #now = 0;
  #handle = 0;

  now(): number {
    return this.#now;
  }

  set(callback: () => void, milliseconds: number): number {
    this.#timers.set(++this.#handle, { at: this.#now + milliseconds, callback });
    return this.#handle;
  }

  clear(handle: number): void {
    this.#timers.delete(handle);
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets `milliseconds` pass. */
  turn(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b);
      if (next === undefined) break;
      const [handle, { at, callback }] = next;
      this.#timers.delete(handle);
      this.#now = at;
      callback();
    }
    this.#now = end;
  }
}
