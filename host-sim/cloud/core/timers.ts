import { STOOD_STILL } from "./running-time";

/** Milliseconds in which the messages that came while the process stood still are read, before anybody counts as late. */
const CATCH_UP = 1_000;

/** Timers that end with what they belong to. */
export class Timers {
  readonly #clock: () => number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #open = false;

  constructor(clock = () => performance.now()) {
    this.#clock = clock;
  }

  /** From here on timers run. */
  open(): void {
    this.#open = true;
  }

  /** Those that were due are dropped. */
  close(): void {
    this.#open = false;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Runs later, unless closed before; never while closed. Returns the way to call it off. */
  after(milliseconds: number, run: () => void): () => void {
    if (!this.#open) return () => undefined;
    let timer: NodeJS.Timeout;
    const wait = (delay: number): void => {
      const due = this.#clock() + delay;
      timer = setTimeout(() => {
        this.#timers.delete(timer);
        if (this.#clock() - due > STOOD_STILL) wait(CATCH_UP);
        else run();
      }, delay);
      this.#timers.add(timer);
    };
    wait(milliseconds);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  /** Again and again; as `after`. */
  every(milliseconds: number, run: () => void): void {
    this.after(milliseconds, () => {
      this.every(milliseconds, run);
      run();
    });
  }
}
