/** Virtual time: it passes only when something happens, or when a test says so. The same inputs give the same run. */
import type { Clock } from "../../src/ports";

interface Entry {
  readonly at: number;
  /** Keeps the order of entries of the same moment, and is the handle. */
  readonly serial: number;
  /** A timer of the device, or something that is on its way to it. */
  readonly timer: boolean;
  run: (() => void) | undefined;
}

const earlier = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.serial < b.serial);

/**
 * The clock of a simulation and of the device in it. Times are milliseconds since the simulation began; they may have
 * fractions. A device sees whole ones.
 */
export class VirtualClock implements Clock {
  /** A binary heap: the earliest entry first. */
  readonly #heap: Entry[] = [];
  readonly #pending = new Map<number, Entry>();
  readonly #state: { now: number };
  #serial = 0;
  #underWay = 0;

  /** `state` holds the time where it outlives this clock, as over the restarts of a device. */
  constructor(state: { now: number } = { now: 0 }) {
    this.#state = state;
  }

  /* ---- the port ---- */

  now(): number {
    return Math.floor(this.#state.now);
  }

  set(callback: () => void, milliseconds: number): number {
    return this.#add(callback, this.#state.now + milliseconds, true);
  }

  /** Timers and entries of `at` and `after` alike; a handle that is not pending is no error. */
  clear(handle: number): void {
    const entry = this.#pending.get(handle);
    if (entry === undefined) return;
    this.#forget(entry);
    entry.run = undefined;
  }

  /* ---- the simulation ---- */

  /** The time with its fraction. */
  get time(): number {
    return this.#state.now;
  }

  /** Runs at that time, or next where it has passed. Returns a handle. */
  at(time: number, run: () => void): number {
    return this.#add(run, time, false);
  }

  after(milliseconds: number, run: () => void): number {
    return this.at(this.#state.now + milliseconds, run);
  }

  /** Timers of the device that are set. */
  get waiting(): number {
    return this.#pending.size - this.#underWay;
  }

  /** Nothing is under way or due: only timers are left, if anything. */
  get quiet(): boolean {
    const first = this.#first();
    return this.#underWay === 0 && (first === undefined || first.at > this.#state.now);
  }

  /** The processor is busy: what would happen meanwhile happens after it. */
  spend(milliseconds: number): void {
    this.#state.now += milliseconds;
  }

  /** Lets the next thing happen. False: there is none, or none up to `limit`. */
  step(limit = Infinity): boolean {
    const first = this.#first();
    if (first === undefined || first.at > limit) return false;
    this.#pop();
    this.#forget(first);
    this.#state.now = Math.max(this.#state.now, first.at);
    first.run?.();
    return true;
  }

  /** Lets so much time pass, with all that happens in it. */
  advance(milliseconds: number): void {
    const end = this.#state.now + milliseconds;
    while (this.step(end));
    this.#state.now = Math.max(this.#state.now, end);
  }

  #add(run: () => void, at: number, timer: boolean): number {
    const entry: Entry = { at, serial: ++this.#serial, timer, run };
    this.#pending.set(entry.serial, entry);
    if (!timer) this.#underWay++;
    this.#heap.push(entry);
    this.#up(this.#heap.length - 1);
    return entry.serial;
  }

  #forget({ serial, timer }: Entry): void {
    this.#pending.delete(serial);
    if (!timer) this.#underWay--;
  }

  /** The next entry that was not cleared. */
  #first(): Entry | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].run === undefined) this.#pop();
    return this.#heap[0];
  }

  #pop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const child = right < this.#heap.length && earlier(this.#heap[right]!, this.#heap[left]!) ? right : left;
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
