import Timer from "timer";

/** What the app is there for: here a motor that doses for 2 of every 10 seconds. */
export class Pump {
  #busy = false;
  #waiting: (() => void) | undefined;

  constructor() {
    Timer.repeat(() => this.dose(), 10_000);
  }

  turns(): boolean {
    return true;
  }

  whenIdle(callback: () => void): void {
    if (this.#busy) this.#waiting = callback;
    else callback();
  }

  private dose(): void {
    this.#busy = true;
    Timer.set(() => {
      this.#busy = false;
      this.#waiting?.();
      this.#waiting = undefined;
    }, 2_000);
  }
}
