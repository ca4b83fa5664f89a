/** What plays the firmware in a cycle: the update job alone with its executor (desk-device.ts), or the whole agent (agent-device.ts). */
import type { BootCycle } from "./boot-cycle";
import type { InvariantMonitor } from "../checks/invariant-monitor";
import type { SimulationState } from "./simulation-state";

export interface Surroundings {
  readonly simulation: SimulationState;
  readonly monitor: InvariantMonitor;
  readonly cycle: BootCycle;
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

export type MakeDevice = (surroundings: Surroundings) => Device;
