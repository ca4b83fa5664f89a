/** Virtual time: everything that will happen around one board, in order. The board's own clock is part of it. */
import type { Clock } from "../../../src/ports";
import type { World } from "./world";

interface Entry {
  readonly at: number;
  /** Keeps the order of what falls on the same moment. */
  readonly serial: number;
  readonly run: () => void;
  /** A timer of the device: alone it is no sign that something is still going on. */
  readonly timer: boolean;
}

export class Schedule implements Clock {
  readonly #world: World;
  readonly #entries: Entry[] = [];
  #serial = 0;

  constructor(world: World) {
    this.#world = world;
  }

  now(): number {
    return this.#world.now;
  }

  set(callback: () => void, milliseconds: number): number {
    return this.#add(callback, milliseconds, true);
  }

  clear(handle: number): void {
    const index = this.#entries.findIndex(({ serial }) => serial === handle);
    if (index >= 0) this.#entries.splice(index, 1);
  }

  /** Something on its way through the network. */
  after(milliseconds: number, run: () => void): void {
    this.#add(run, milliseconds, false);
  }

  /** Nothing is on its way: only timers are left, if anything. */
  get quiet(): boolean {
    return this.#entries.every(({ timer, at }) => timer && at > this.#world.now);
  }

  /** Lets the next thing happen. False: there is none. */
  step(): boolean {
    const [next] = this.#entries;
    if (next === undefined) return false;
    this.#entries.shift();
    this.#world.now = Math.max(this.#world.now, next.at);
    next.run();
    return true;
  }

  #add(run: () => void, milliseconds: number, timer: boolean): number {
    const entry: Entry = { at: this.#world.now + milliseconds, serial: ++this.#serial, run, timer };
    let place = this.#entries.length;
    while (place > 0 && this.#entries[place - 1]!.at > entry.at) place--;
    this.#entries.splice(place, 0, entry);
    return entry.serial;
  }
}
