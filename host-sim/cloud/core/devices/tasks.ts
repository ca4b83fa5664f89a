import { clipped } from "./clipped";

/** How far an update of one device is, in terms that every platform shares. The last three are final. */
export type TaskStatus = "pending" | "pushed" | "upgrading" | "success" | "failure" | "cancelled";

/** The update of one device to one package: a snapshot, plain data. Times are milliseconds since 1970. */
export interface Task {
  readonly id: string;
  readonly device: string;
  readonly package: string;
  /** The rollout that it is part of. */
  readonly rollout?: string;
  /** The target. */
  readonly version: string;
  readonly status: TaskStatus;
  /** The platform's own number for the state. */
  readonly state: number;
  readonly percent?: number;
  /** Result code and text as the device reported them. */
  readonly code?: number;
  readonly message?: string;
  readonly createdAt: number;
  readonly pushedAt?: number;
  readonly finishedAt?: number;
  /** Times the offer was sent. */
  readonly pushes: number;
  /** Fields that replace or extend those of the offer: to rehearse what a wrong one does. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Of a task that took too long. No device has said so, and there is no code. */
export const NO_RESULT = "no result in time";

export function isGivenUp({ status, code, message }: Task): boolean {
  return status === "failure" && code === undefined && message === NO_RESULT;
}

/** Finished tasks stored for each device. */
export const FINISHED_MAX = 20;

/** Characters of a device's message. */
const MESSAGE_MAX = 500;

export function isFinal(task: Pick<Task, "status">): boolean {
  return task.status === "success" || task.status === "failure" || task.status === "cancelled";
}

/**
 * The tasks of all platforms, newest last; at most one of a device is not final. Every change replaces the task's
 * snapshot and is announced, so that whoever listens can keep the tasks elsewhere and bring them back by `load`.
 */
export class TaskLedger {
  readonly #tasks = new Map<string, Task>();
  readonly #byDevice = new Map<string, string[]>();
  readonly #changed: (task: Task) => void;
  #serial = 0;

  constructor(changed: (task: Task) => void) {
    this.#changed = changed;
  }

  /** Ids count upwards. Throws if the device has a task that is not final, unless this one is to stand `beside` it. */
  create({ beside = false, ...task }: Omit<Task, "id" | "pushes"> & { readonly beside?: boolean }): Task {
    if (!beside && this.active(task.device)) throw new Error(`device ${task.device} has a task under way`);
    const created: Task = { ...task, id: String(++this.#serial), pushes: 0 };
    this.#keep(created);
    this.#changed(created);
    return created;
  }

  /** What was announced before: brings a task back without announcing it. */
  load(task: Task): void {
    this.#serial = Math.max(this.#serial, Number(task.id));
    this.#keep(task);
  }

  /** Throws if there is no such task. */
  update(id: string, change: Partial<Omit<Task, "id" | "device" | "package">>): Task {
    const task = this.#tasks.get(id);
    if (!task) throw new Error(`no task ${id}`);
    const { message } = change;
    const updated = {
      ...task,
      ...change,
      ...(message === undefined ? {} : { message: clipped(message, MESSAGE_MAX) }),
    };
    this.#tasks.set(id, updated);
    this.#changed(updated);
    return updated;
  }

  /** Drops what is known of a device. */
  forget(device: string): void {
    for (const id of this.#byDevice.get(device) ?? []) this.#tasks.delete(id);
    this.#byDevice.delete(device);
  }

  get(id: string): Task | undefined {
    return this.#tasks.get(id);
  }

  list(): Task[] {
    return [...this.#tasks.values()];
  }

  /** Oldest first. */
  ofDevice(device: string): Task[] {
    return (this.#byDevice.get(device) ?? []).map((id) => this.#tasks.get(id)!);
  }

  /** The one that is not final. */
  active(device: string): Task | undefined {
    return this.ofDevice(device).findLast((task) => !isFinal(task));
  }

  /**
   * The one that a result is for: that which is not final, or else the latest if it was given up. A result that comes
   * late counts all the same: the device runs what it runs.
   */
  awaited(device: string): Task | undefined {
    const last = this.ofDevice(device).at(-1);
    return last !== undefined && (!isFinal(last) || isGivenUp(last)) ? last : this.active(device);
  }

  #keep(task: Task): void {
    this.#tasks.set(task.id, task);
    const ids = this.#byDevice.get(task.device) ?? [];
    ids.push(task.id);
    this.#byDevice.set(task.device, ids);
    while (ids.length > FINISHED_MAX + 1) this.#tasks.delete(ids.shift()!);
  }
}
