import type { TaskStatus } from "../devices/tasks";

/** Which devices an update is for, as it was asked. */
export type Selection =
  | { readonly kind: "all" }
  /** Those that reported this version last. */
  | { readonly kind: "version"; readonly version: string }
  /** By id. */
  | { readonly kind: "devices"; readonly devices: readonly string[] }
  /** By name, as in a pasted list; ids are taken too. */
  | { readonly kind: "names"; readonly names: readonly string[] };

/**
 * "halted": more failed than allowed, no further device is asked. The last two are final unless failures are tried
 * again.
 */
export type RolloutState = "scheduled" | "running" | "halted" | "finished" | "cancelled";

export interface Wave {
  /** Percent of all devices that have been asked when this wave is out. */
  readonly upTo: number;
  readonly size: number;
  readonly releasedAt?: number;
}

/** One package for many devices, wave after wave: a snapshot, plain data. Times are milliseconds since 1970. */
export interface Rollout {
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly selection: Selection;
  /** At least one; the last one is up to 100. */
  readonly waves: readonly Wave[];
  /** Halts when more than this percentage of the devices asked so far have failed; absent = never. */
  readonly failureLimit?: number;
  /** Seconds between the end of a wave and the next one. */
  readonly pause: number;
  /** Seconds from the push until a device without a result counts as failed; absent = never. */
  readonly timeout?: number;
  readonly state: RolloutState;
  /** Why it halted. */
  readonly reason?: string;
  /** When the released waves were found done, on the clock of durations. */
  readonly readySince?: number;
  /** Failures at the time when the rollout was resumed: they do not halt it again. */
  readonly forgiven: number;
  readonly createdAt: number;
  readonly startAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
}

/** One device's part in a rollout. */
export interface Member {
  readonly device: string;
  /** Counts from 0. */
  readonly wave: number;
  readonly status: TaskStatus;
  /** Times it was asked. */
  readonly attempts: number;
  /** The latest task; absent before the first. */
  readonly task?: string;
  readonly percent?: number;
  readonly code?: number;
  readonly message?: string;
  readonly pushedAt?: number;
  readonly finishedAt?: number;
  /** When the task was pushed, on the clock of durations. */
  readonly since?: number;
  /** Milliseconds from push to result. */
  readonly took?: number;
}

export type Counts = { readonly [status in TaskStatus]: number };

export const STATUSES = [
  "pending",
  "pushed",
  "upgrading",
  "success",
  "failure",
  "cancelled",
] as const satisfies readonly TaskStatus[];

export function isFinalStatus(status: TaskStatus): boolean {
  return status === "success" || status === "failure" || status === "cancelled";
}

export function isOver(rollout: Rollout): boolean {
  return rollout.state === "finished" || rollout.state === "cancelled";
}
