/** Between the fleet's processes. */
import type { FirmwareConfiguration } from "../../board/firmware/configuration";
import type { LinkQuality, Target } from "../../faults/weak-link";

/** "health": the new firmware finds itself not well. "flash": a sector that holds nothing. */
export type FaultKind = "health" | "flash";

export interface DeviceOrder {
  /** Its number in the whole fleet. */
  readonly index: number;
  readonly configuration: FirmwareConfiguration;
  readonly fault?: FaultKind;
  /** Behind a link of its own. */
  readonly link?: LinkQuality;
}

export interface WorkerOrder {
  readonly devices: readonly DeviceOrder[];
  /** Base64 of the first firmware. */
  readonly factory: string;
  /** Where a link leads to. A connection to the first of them says whether a device is connected. */
  readonly targets: readonly Target[];
  /** How many times faster than real time the devices' clocks go. */
  readonly speed: number;
  /** Milliseconds over which the devices are switched on. */
  readonly ramp: number;
  readonly seed: number;
}

/** In the order in which a device goes through them. */
export const STATES = [
  "off",
  "connecting",
  "idle",
  "downloading",
  "verifying",
  "expanding",
  "installing",
  "burning",
  "awaiting-link",
  "trial",
  "deciding",
  "done",
  "fail",
] as const;
export type DeviceState = (typeof STATES)[number];

/** One thing that happened to a device. `at`: milliseconds since 1970. */
export type FleetEvent =
  | {
      readonly device: number;
      readonly at: number;
      readonly kind: "state";
      readonly state: DeviceState;
      readonly cause?: string;
      readonly message?: string;
    }
  | { readonly device: number; readonly at: number; readonly kind: "boot"; readonly version: string }
  /** A connection to the server was opened, or lost. */
  | { readonly device: number; readonly at: number; readonly kind: "link"; readonly up: boolean };

export type FromWorker =
  | { readonly type: "ready" }
  /** `memory`: bytes of the process that are in RAM. */
  | { readonly type: "events"; readonly events: readonly FleetEvent[]; readonly memory: number }
  | { readonly type: "failed"; readonly message: string };

export type ToWorker = { readonly type: "order"; readonly order: WorkerOrder } | { readonly type: "stop" };
