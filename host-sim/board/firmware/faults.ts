/** Firmware that is made to fail (`xs-ota image --fault`), once it runs. */
import type { Network } from "../../../src/ports";
import type { Fault } from "./configuration";
import type { App } from "./app";

/** From the health check to what comes late, ms. */
const LATE = 1_000;
/** One block beyond what any engine's memory has, bytes. */
const BLOCK = 0x7fff_fff0;
const BLOCKS = 64;

/** "offline": nobody ever answers. */
export const NOWHERE: Network = { connect: () => ({ read: () => 0, write: () => 0, close: () => {} }) };

const LATE_FAULTS: { readonly [fault in Fault]?: () => void } = {
  "throw-late": () => {
    throw new Error("this firmware throws in its trial");
  },
  "out-of-memory": () => {
    const blocks: ArrayBuffer[] = [];
    while (blocks.length < BLOCKS) blocks.push(new ArrayBuffer(BLOCK));
  },
};

/** Nothing of its own where the fault is not the app's. */
export function faultyApp(fault: Fault | undefined): App {
  // The start of an app that awaits a sensor first, say.
  if (fault === "reject") return { main: () => Promise.reject(new Error("this firmware's start is rejected")) };
  const late = LATE_FAULTS[fault!];
  // A health check that never answers, because something else comes first.
  return late === undefined ? {} : { options: (clock) => ({ onHealthCheck: () => void clock.set(late, LATE) }) };
}
