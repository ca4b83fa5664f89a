import { performance } from "node:perf_hooks";
import type { Clock } from "../../src/ports";

/** Longest wait that Node's timers keep (2^31 - 1 ms); a longer one they fire at once. */
const LONGEST = 2_147_483_647;

/** Node's monotonic clock and timers. */
export class NodeClock implements Clock {
  readonly #timers = new Map<number, NodeJS.Timeout>();
  readonly #speed: number;
  #last = 0;

  /** `speed`: how many times faster than real time it goes. */
  constructor(speed = 1) {
    this.#speed = speed;
  }

  now(): number {
    return Math.floor(performance.now() * this.#speed);
  }

  set(callback: () => void, milliseconds: number): number {
    const handle = ++this.#last;
    const timer = setTimeout(
      () => {
        this.#timers.delete(handle);
        callback();
      },
      Math.min(LONGEST, Math.max(0, Math.ceil(milliseconds / this.#speed))),
    );
    this.#timers.set(handle, timer);
    return handle;
  }

  clear(handle: number): void {
    clearTimeout(this.#timers.get(handle));
    this.#timers.delete(handle);
  }

  /** Forgets every timer: the power is off. */
  clearAll(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
