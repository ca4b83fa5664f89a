/**
 * Virtual time beside real sockets: it stands still while anything happens on a socket, and jumps to the next timer
 * once all is quiet.
 */
import { quiet } from "./quiet-loop";
import { VirtualClock } from "./virtual-clock";

/** Time at the start, ms: a device whose clock reads 0 would hide that a time was never set. */
const START = 1_000;

export class SocketClock extends VirtualClock {
  #stirs = 0;
  #stopped = false;
  #looks = new Set<() => void>();

  constructor() {
    super({ now: START });
    void this.#run();
  }

  /** Something happened on a socket. */
  stir(): void {
    this.#stirs++;
  }

  /** Resolves when `condition` holds; it is looked at after whatever happens. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (condition() && this.#looks.delete(look)) resolve();
      };
      this.#looks.add(look);
    });
  }

  /** The end: no timer fires any more. */
  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    for (;;) {
      // What is due needs no quiet.
      do {
        await new Promise((resolve) => setImmediate(resolve));
        for (const look of this.#looks) look();
        if (this.#stopped) return;
      } while (this.step(this.time));
      const before = this.#stirs;
      await quiet(() => this.#stirs);
      if (!this.#stopped && this.#stirs === before) this.step();
    }
  }
}
