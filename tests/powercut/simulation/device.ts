/**
 * The device under test: what plays the firmware in a boot cycle. It is the update job alone with its executor
 * (job-device.ts) or the whole agent (agent-device.ts).
 */
import type { InvariantMonitor } from "../checks/invariant-monitor";
import type { SimulationState } from "./simulation-state";

/** What a device sees of the boot cycle that it is in (boot-cycle.ts). */
export interface Cycle {
  /** The power is gone: nothing of this cycle counts any more. */
  readonly stopped: boolean;
  /** What the running firmware is like. */
  readonly behaviour: string;
  /** A message between device and cloud is a point at which the power may go. False: it went. */
  message(message: string, effect: (simulation: SimulationState) => void): boolean;
}

export interface Surroundings {
  readonly simulation: SimulationState;
  readonly monitor: InvariantMonitor;
  readonly cycle: Cycle;
}

export interface Device {
  /** Name of the job's state. */
  readonly state: string;
  start(): void;
  /** Lets the next thing happen: a message, a sector, time. False: nothing is left to happen. */
  step(): boolean;
  /** Still listening: answers an offer that it can only refuse. */
  answers(): boolean;
}

/** Steps in which a device that is asked whether it still listens must have answered. */
export const PROBE_STEPS = 50;

export type MakeDevice = (surroundings: Surroundings) => Device;
