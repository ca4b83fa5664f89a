import type { Device, LoggedMessage } from "../devices/devices";
import type { Member, Rollout } from "../rollouts/rollout";
import { FINISHED_MAX, type Task } from "../devices/tasks";
import { RunningTime } from "../running-time";
import type { StateDatabase } from "./database";
import {
  deleteDevice,
  deleteRollout,
  pruneMessages,
  pruneTasks,
  saveDevice,
  saveMember,
  saveMessage,
  saveRollout,
  saveTask,
} from "./rows";

/** Milliseconds until what may be lost is written: percentages, presence, the message log. */
const LAZY = 250;
/** Messages of each device that outlive the process. */
export const MESSAGES_KEPT = 200;
/** New messages of a device until the older ones are looked for. */
const PRUNE_EVERY = 50;

interface Messages {
  fresh: LoggedMessage[];
  sincePruned: number;
}

/**
 * Writes down what changes in a cloud. A new task, a change of a task's status or of a rollout, a device that is added
 * or reports another version: these are committed before the call returns, so before anybody outside can see an effect
 * of them. The rest follows within a quarter of a second, many changes in one transaction.
 */
export class StateKeeper {
  readonly #database: StateDatabase;
  readonly #running: RunningTime;
  readonly #identity: (device: string) => unknown;
  readonly #devices = new Map<string, Device>();
  readonly #versions = new Map<string, string | undefined>();
  readonly #tasks = new Map<string, Task>();
  readonly #statuses = new Map<string, string>();
  readonly #rollouts = new Map<string, Rollout>();
  readonly #members = new Map<string, { rollout: string; member: Member }>();
  readonly #messages = new Map<string, Messages>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `identity`: what the device's platform side needs to know it again. */
  constructor(database: StateDatabase, running: RunningTime, identity: (device: string) => unknown) {
    this.#database = database;
    this.#running = running;
    this.#identity = identity;
  }

  device(device: Device): void {
    const isNews = !this.#versions.has(device.id) || this.#versions.get(device.id) !== device.version;
    // Until its platform side knows it, it is about to be added.
    if (this.#identity(device.id) === undefined) return;
    this.#versions.set(device.id, device.version);
    this.#devices.set(device.id, device);
    this.#later(isNews);
  }

  deviceRemoved(id: string): void {
    this.#devices.delete(id);
    this.#versions.delete(id);
    this.#messages.delete(id);
    this.flush();
    this.#database.transaction(() => deleteDevice(this.#database, id));
  }

  task(task: Task): void {
    const isNews = this.#statuses.get(task.id) !== task.status;
    if (task.finishedAt === undefined) this.#statuses.set(task.id, task.status);
    else this.#statuses.delete(task.id);
    this.#tasks.set(task.id, task);
    this.#later(isNews);
  }

  rollout(rollout: Rollout): void {
    this.#rollouts.set(rollout.id, rollout);
    this.flush();
  }

  rolloutRemoved(id: string): void {
    this.flush();
    this.#database.run("DELETE FROM members WHERE rollout = ?", Number(id));
    deleteRollout(this.#database, id);
  }

  /** Committed together with the task or the rollout that it changed with, which is announced after it. */
  member(rollout: string, member: Member): void {
    this.#members.set(`${rollout} ${member.device}`, { rollout, member });
    this.#later(false);
  }

  message(device: Device, message: LoggedMessage): void {
    let messages = this.#messages.get(device.id);
    if (messages === undefined) this.#messages.set(device.id, (messages = { fresh: [], sincePruned: 0 }));
    messages.fresh.push(message);
    this.#later(false);
  }

  /** Commits everything that waits, and how long the cloud has run. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed) return;
    const database = this.#database;
    database.transaction(() => {
      database.setSetting(RunningTime.SETTING, this.#running.stored);
      for (const device of this.#devices.values()) this.#saveDevice(device);
      for (const task of this.#tasks.values()) {
        saveTask(database, task);
        if (task.finishedAt !== undefined) pruneTasks(database, task.device, FINISHED_MAX + 1);
      }
      for (const rollout of this.#rollouts.values()) saveRollout(database, rollout);
      for (const { rollout, member } of this.#members.values()) saveMember(database, rollout, member);
      for (const [device, messages] of this.#messages) this.#saveMessages(device, messages);
    });
    for (const waiting of [this.#devices, this.#tasks, this.#rollouts, this.#members]) waiting.clear();
  }

  /** Writes the rest; nothing is stored after this. */
  close(): void {
    this.flush();
    this.#closed = true;
    this.#database.close();
  }

  #later(now: boolean): void {
    if (now) this.flush();
    else if (!this.#closed) this.#timer ??= setTimeout(() => this.flush(), LAZY);
  }

  #saveDevice({ id, platform, version, lastSeen, online }: Device): void {
    const identity = this.#identity(id);
    if (identity !== undefined) saveDevice(this.#database, { id, platform, identity, version, lastSeen, online });
  }

  #saveMessages(device: string, messages: Messages): void {
    for (const message of messages.fresh) saveMessage(this.#database, device, message);
    messages.sincePruned += messages.fresh.length;
    messages.fresh = [];
    if (messages.sincePruned < PRUNE_EVERY) return;
    messages.sincePruned = 0;
    pruneMessages(this.#database, device, MESSAGES_KEPT);
  }
}
