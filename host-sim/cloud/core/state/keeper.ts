import type { Device, LoggedMessage } from "../devices/devices";
import type { Member, Rollout } from "../rollouts/rollout";
import { FINISHED_MAX, type Task } from "../devices/tasks";
import { RunningTime } from "../running-time";
import type { StateDatabase } from "./database";
import { StoreError } from "./store-error";
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
/** Milliseconds between two tries while nothing can be written. */
const RETRY = 1_000;
/** What was begun is written, but the reserve that this took can not be had again. */
const NO_ROOM = new StoreError({ code: "ENOSPC" });

interface Messages {
  fresh: LoggedMessage[];
  sincePruned: number;
}

/**
 * Writes down what changes in a cloud. A new task, a change of a task's status or of a rollout, a device that is added
 * or reports another version: these are committed before the call returns, so before anybody outside can see an effect
 * of them. The rest follows within a quarter of a second, many changes in one transaction.
 *
 * While nothing can be written, what changes waits here. It is written as soon as that goes again.
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
  /** Written before all else, by what they are about. */
  readonly #writes = new Map<string, () => void>();
  readonly #onTrouble: (trouble: string | undefined) => void;
  #timer: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #trouble: StoreError | undefined;
  #closed = false;

  /**
   * `identity`: what the device's platform side needs to know it again. `onTrouble` hears why nothing can be written,
   * and of the end of that.
   */
  constructor(
    database: StateDatabase,
    running: RunningTime,
    identity: (device: string) => unknown,
    onTrouble: (trouble: string | undefined) => void,
  ) {
    this.#database = database;
    this.#running = running;
    this.#identity = identity;
    this.#onTrouble = onTrouble;
  }

  /** Why nothing new can be written down; undefined while that goes well. */
  get trouble(): string | undefined {
    return this.#trouble?.message;
  }

  /** Throws one line unless there is room for what is about to be made. */
  checkRoom(): void {
    if (this.#trouble !== undefined || !this.#database.hasRoom()) this.flush();
    if (this.#trouble !== undefined) throw this.#trouble;
  }

  /** Writes something of one's own; it takes the place of what still waits under the same name. */
  write(about: string, work: (database: StateDatabase) => void): void {
    this.#writes.set(about, () => work(this.#database));
    this.flush();
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
    for (const task of this.#tasks.values()) if (task.device === id) this.#tasks.delete(task.id);
    this.write(`device ${id}`, (database) => deleteDevice(database, id));
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
    this.#rollouts.delete(id);
    for (const [key, { rollout }] of this.#members) if (rollout === id) this.#members.delete(key);
    this.write(`rollout ${id}`, (database) => {
      database.run("DELETE FROM members WHERE rollout = ?", Number(id));
      deleteRollout(database, id);
    });
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
    if (messages.fresh.length > MESSAGES_KEPT) messages.fresh.shift();
    this.#later(false);
  }

  /** Commits everything that waits, and how long the cloud has run; or leaves it waiting. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closed) return;
    try {
      this.#commit();
      this.#note(this.#database.hasRoom() ? undefined : NO_ROOM);
    } catch (error) {
      this.#note(new StoreError(error));
    }
  }

  #note(trouble: StoreError | undefined): void {
    const before = this.trouble;
    this.#trouble = trouble;
    clearTimeout(this.#retry);
    if (trouble !== undefined) this.#retry = setTimeout(() => this.flush(), RETRY);
    if (this.trouble !== before) this.#onTrouble(this.trouble);
  }

  #commit(): void {
    const database = this.#database;
    database.transaction(() => {
      database.setSetting(RunningTime.SETTING, this.#running.stored);
      for (const write of this.#writes.values()) write();
      for (const device of this.#devices.values()) this.#saveDevice(device);
      for (const task of this.#tasks.values()) {
        saveTask(database, task);
        if (task.finishedAt !== undefined) pruneTasks(database, task.device, FINISHED_MAX + 1);
      }
      for (const rollout of this.#rollouts.values()) saveRollout(database, rollout);
      for (const { rollout, member } of this.#members.values()) saveMember(database, rollout, member);
      for (const [device, messages] of this.#messages) this.#saveMessages(device, messages);
    });
    for (const waiting of [this.#writes, this.#devices, this.#tasks, this.#rollouts, this.#members]) waiting.clear();
    for (const messages of this.#messages.values()) this.#written(messages);
  }

  /** Writes the rest; nothing is stored after this. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.flush();
    clearTimeout(this.#retry);
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
    if (messages.sincePruned + messages.fresh.length >= PRUNE_EVERY)
      pruneMessages(this.#database, device, MESSAGES_KEPT);
  }

  /** After the messages were committed. */
  #written(messages: Messages): void {
    const unpruned = messages.sincePruned + messages.fresh.length;
    messages.sincePruned = unpruned >= PRUNE_EVERY ? 0 : unpruned;
    messages.fresh = [];
  }
}
