/** Firmware that is made to fail (`xs-ota image --fault`), once it runs. */
import type { AgentOptions } from "../../../src/index";
import type { Clock, Network } from "../../../src/ports";
import type { Program } from "../../../hal/moddable/device";
import type { Fault } from "./configuration";

/** From the health check to what comes late, ms. */
const LATE = 1_000;
/** One block beyond what any engine's memory has, bytes. */
const BLOCK = 0x7fff_fff0;
const BLOCKS = 64;

/** "offline": nobody ever answers. */
export const NOWHERE: Network = { connect: () => ({ read: () => 0, write: () => 0, close: () => {} }) };

/** "reject": the start of an app that reads a sensor first, say. */
export const rejected = (): Promise<Program> => Promise.reject(new Error("this firmware is rejected at its start"));

const LATE_FAULTS: { readonly [fault in Fault]?: () => void } = {
  "throw-late": () => {
    throw new Error("this firmware throws in its trial");
  },
  "out-of-memory": () => {
    const blocks: ArrayBuffer[] = [];
    while (blocks.length < BLOCKS) blocks.push(new ArrayBuffer(BLOCK));
  },
};

/** A health check that never answers, because something else comes first. Other firmware has none. */
export function healthCheckOf(fault: Fault | undefined, clock: Clock): Pick<AgentOptions, "onHealthCheck"> {
  const late = LATE_FAULTS[fault!];
  return late === undefined ? {} : { onHealthCheck: () => void clock.set(late, LATE) };
}
