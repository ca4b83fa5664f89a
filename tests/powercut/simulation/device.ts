/** What plays the firmware in a life: the update job alone with its executor (desk-device.ts), or the whole agent (agent-device.ts). */
import type { Life } from "./life";
import type { Watch } from "../checks/watch";
import type { World } from "./world";

export interface Surroundings {
  readonly world: World;
  readonly watch: Watch;
  readonly life: Life;
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
