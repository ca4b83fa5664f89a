import type { Device, LoggedMessage } from "./devices/devices";
import type { Served } from "./files/file-server";
import type { Violation } from "./platforms/platform-side";
import type { Rollout } from "./rollouts/rollout";
import type { Task } from "./devices/tasks";

/** Somebody was not let in. */
export interface Refusal {
  readonly at: number;
  readonly clientId: string;
  readonly reason: string;
}

export interface CloudEvents {
  device: [Device];
  message: [Device, LoggedMessage];
  task: [Task];
  rollout: [Rollout];
  /** Id of one that is gone. */
  deviceRemoved: [string];
  rolloutRemoved: [string];
  /** The connection to a broker elsewhere came or went. */
  broker: [connected: boolean, message: string];
  served: [Served];
  violation: [Violation];
  refused: [Refusal];
}
