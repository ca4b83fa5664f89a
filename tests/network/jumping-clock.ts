/** Virtual time over real sockets: it stands still while anything happens on a socket and jumps to the next timer once all is quiet. */
import type { Clock } from "../../src/ports";

/** Rounds of the event loop, at least so many milliseconds apart, without anything on a socket. */
const QUIET_ROUNDS = 25;
const ROUND = 2;

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class JumpingClock implements Clock {
  readonly #timers = new Map<number, Timer>();
  readonly #rounds: NodeJS.Timeout;
  #now = 1_000;
  #last = 0;
  #quiet = 0;
  #listeners: (() => void)[] = [];

  constructor() {
    this.#rounds = setInterval(() => this.#round(), ROUND);
  }

  now(): number {
    return this.#now;
  }

  set(callback: () => void, milliseconds: number): number {
    const handle = ++this.#last;
    this.#timers.set(handle, { at: this.#now + Math.max(0, milliseconds), callback });
    if (milliseconds <= 0) setImmediate(() => this.#fire(handle));
    return handle;
  }

  clear(handle: number): void {
    this.#timers.delete(handle);
  }

  /** Something happened on a socket. */
  stir(): void {
    this.#quiet = 0;
  }

  /** Resolves when `condition` holds; it is looked at once a round. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#listeners = this.#listeners.filter((one) => one !== look);
        resolve();
      };
      this.#listeners.push(look);
    });
  }

  /** The end: no timer fires any more. */
  stop(): void {
    clearInterval(this.#rounds);
    this.#timers.clear();
  }

  #round(): void {
    for (const look of this.#listeners) look();
    if (++this.#quiet < QUIET_ROUNDS) return;
    this.#quiet = 0;
    let next: [number, Timer] | undefined;
    for (const entry of this.#timers) if (next === undefined || entry[1].at < next[1].at) next = entry;
    if (next === undefined) return;
    this.#now = Math.max(this.#now, next[1].at);
    this.#fire(next[0]);
  }

  #fire(handle: number): void {
    const timer = this.#timers.get(handle);
    this.#timers.delete(handle);
    timer?.callback();
  }
}
