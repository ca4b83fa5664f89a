/** What every implementation of the `Retained` port does. */
import type { ResetReason, Retained } from "../../src/ports";
import type { Case } from "./cases";
import { casesOn, equal, pattern, sameBytes, throws } from "./cases";

export interface RetainedBench {
  /** Of the run under way; nothing is kept of a new device. */
  readonly retained: Retained;
  /** The run ends by that, and the next one begins. */
  restart(reason: ResetReason): void;
  /** After the case. */
  close?(): void;
}

const MAX = 496;
const NONE = new Uint8Array(0);
const KEEPS: readonly ResetReason[] = ["software", "watchdog", "panic", "deep-sleep", "other"];
const LOSES: readonly ResetReason[] = ["power-on", "brown-out"];

export function retainedContract(make: () => RetainedBench): Case[] {
  const on = casesOn(make);
  const kept = ({ retained }: RetainedBench, wanted: Uint8Array, what: string): void => {
    const found = retained.read();
    if (found === undefined) throw new Error(`nothing: ${what}`);
    sameBytes(found, wanted, what);
  };

  return [
    on("nothing is kept of a new device", ({ retained }) => equal(retained.read(), undefined, "read")),
    on("what was written last is there after every reset but a loss of power", (bench) => {
      for (const reason of KEEPS) {
        bench.retained.write(pattern(7), pattern(90));
        bench.retained.write(pattern(100), pattern(30));
        bench.restart(reason);
        const whole = new Uint8Array(130);
        whole.set(pattern(100));
        whole.set(pattern(30), 100);
        kept(bench, whole, reason);
      }
      for (const reason of LOSES) {
        bench.retained.write(pattern(100), NONE);
        bench.restart(reason);
        equal(bench.retained.read(), undefined, reason);
      }
    }),
    on("what the run before has left stays while this one writes", (bench) => {
      bench.retained.write(pattern(20), NONE);
      bench.restart("panic");
      bench.retained.write(NONE, pattern(40));
      kept(bench, pattern(20), "after a write");
      bench.restart("panic");
      kept(bench, pattern(40), "of the second run");
    }),
    on("nothing can be left", (bench) => {
      bench.retained.write(pattern(20), pattern(20));
      bench.retained.write(NONE, NONE);
      bench.restart("software");
      equal(bench.retained.read(), undefined, "read");
    }),
    on("496 bytes are taken, and not one more", (bench) => {
      bench.retained.write(NONE, pattern(MAX));
      throws(() => bench.retained.write(pattern(1), pattern(MAX)), "1 + 496 bytes");
      bench.restart("watchdog");
      kept(bench, pattern(MAX), "all");
    }),
  ];
}
