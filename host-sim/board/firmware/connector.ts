/** Network and clock of a simulated board, as its surroundings have them. */
import { NetworkWatch } from "../../../hal/moddable/network-watch";
import type { StartUpParts } from "../../../hal/moddable/start-up";
import type { Clock } from "../../../src/ports";
import type { Fault, Surroundings } from "./configuration";

/** A time server answers within this, ms. */
const ANSWER = 50;
/** Longer than any trial, ms: firmware that does nothing until its clock is set. */
const FOR_EVER = 86_400_000;

export interface Connector {
  readonly connect: StartUpParts["connect"];
  isClockSet(): boolean;
}

export function connector({ address, time }: Surroundings, fault: Fault | undefined, clock: Clock): Connector {
  let set = time === "set" && fault !== "no-clock";
  const isClockSet = (): boolean => set;
  return {
    isClockSet,
    connect(missing) {
      if (fault === "no-network") return;
      const waits = fault === "no-clock" ? { clockTimeout: FOR_EVER } : {};
      const watch = new NetworkWatch({ clock, isClockSet, ...waits, missing });
      if (typeof address === "string") return void clock.set(() => watch.down(address), 0);
      clock.set(() => {
        watch.up();
        if (time !== "served" || fault === "no-clock") return;
        clock.set(() => {
          set = true;
          watch.clockSet();
        }, ANSWER);
      }, address);
    },
  };
}
