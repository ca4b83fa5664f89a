/** When a battery device falls asleep: after how many steps of each start, drawn from a seed. */
import { Random } from "./random";

/** In one scenario; after that the device stays awake, or the scenario had no end. */
const SLEEPS_MAX = 12;
const STEPS_MAX = 8;
/** Length of a sleep, seconds. */
export const ASLEEP = 600;

export class Sleeps {
  /** Steps of this start after which the device sleeps. Undefined: it does not. */
  readonly after: number | undefined;
  #steps = 0;

  /** `seed` 0: a device that never sleeps. */
  constructor(
    { ledger, sleeps }: { readonly ledger: { readonly starts: number }; readonly sleeps: number },
    seed: number,
  ) {
    if (seed === 0 || sleeps >= SLEEPS_MAX) return;
    this.after = 1 + new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(ledger.starts, 0x85ebca6b)).below(STEPS_MAX);
  }

  /** One more step: the device wants to sleep now. It asks again with each step until it may. */
  step(): boolean {
    return this.after !== undefined && ++this.#steps > this.after;
  }
}
