/** Timers that end with what they belong to. */
export class Timers {
  readonly #timers = new Set<NodeJS.Timeout>();
  #open = false;

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
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, milliseconds);
    this.#timers.add(timer);
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
