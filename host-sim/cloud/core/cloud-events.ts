import type { EventEmitter } from "node:events";
import type { Device, LoggedMessage } from "./devices/devices";
import type { Served } from "./files/file-server";
import type { Violation } from "./platforms/platform-side";
import type { Rollout } from "./rollouts/rollout";
import { isFinal, type Task, type TaskLedger } from "./devices/tasks";

/** The broker refused a connection. */
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
  /** Nothing can be stored, for that reason; undefined: it can again. */
  storage: [trouble: string | undefined];
  served: [Served];
  violation: [Violation];
  refused: [Refusal];
}

/** Resolves when the task is final. Rejects if there is none of that id. */
export async function settled(cloud: EventEmitter<CloudEvents>, tasks: TaskLedger, id: string): Promise<Task> {
  const task = tasks.get(id);
  if (!task) throw new Error(`no task ${id}`);
  if (isFinal(task)) return task;
  return new Promise((resolve) => {
    const changed = (now: Task): void => {
      if (now.id !== id || !isFinal(now)) return;
      cloud.off("task", changed);
      resolve(now);
    };
    cloud.on("task", changed);
  });
}
