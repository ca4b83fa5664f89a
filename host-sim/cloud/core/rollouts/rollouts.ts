import type { Device } from "../devices/devices";
import type { Package } from "../files/packages";
import type { PushOptions } from "../platforms/platform-side";
import type { Task } from "../devices/tasks";
import { Members } from "./members";
import { follow, unasked } from "./member-steps";
import { isFinalStatus, isOver, type Member, type Rollout, type RolloutState, type Selection } from "./rollout";
import { select } from "./selection";
import { checkWaves, decide, planWaves, releasedWaves, waveOf } from "./waves";

/** What rollouts need of the cloud. */
export interface RolloutHost {
  readonly now: () => number;
  readonly devices: () => readonly Device[];
  readonly package: (id: string) => Package | undefined;
  readonly task: (id: string) => Task | undefined;
  readonly push: (device: string, file: Package, options: PushOptions) => Task;
  readonly cancel: (task: Task, why?: "timeout") => void;
  /** A snapshot was replaced, or is gone. */
  readonly changed: (rollout: Rollout) => void;
  readonly removed: (id: string) => void;
  readonly memberChanged: (rollout: string, member: Member) => void;
}

export interface RolloutRequest {
  readonly name?: string;
  /** Id of a package. */
  readonly package: string;
  readonly selection: Selection;
  /** Rising percentages up to 100; default: everybody at once. */
  readonly waves?: readonly number[];
  readonly failureLimit?: number;
  /** Seconds. */
  readonly pause?: number;
  readonly timeout?: number;
  /** Milliseconds since 1970; default: now. */
  readonly startAt?: number;
}

export interface Created {
  readonly rollout: Rollout;
  /** Left out because they run the version already. */
  readonly current: number;
  /** Asked for and not known. */
  readonly unknown: readonly string[];
}

interface Entry {
  rollout: Rollout;
  readonly members: Members;
  /** When the released waves were found done. */
  readySince: number | undefined;
  /** Guards against being decided upon in the middle of its own pushes. */
  busy: boolean;
  /** The device that is being pushed to: the next task of it is this rollout's. */
  asking: string | undefined;
}

const ROLLOUTS_MAX = 200;

/** Updates of many devices. Each is decided upon whenever one of its tasks changes, and once a second by `tick`. */
export class Rollouts {
  readonly #host: RolloutHost;
  readonly #entries = new Map<string, Entry>();
  #serial = 0;

  constructor(host: RolloutHost) {
    this.#host = host;
  }

  /** Throws one line if nobody is selected or something does not fit. It starts at once unless it has a later start. */
  create(request: RolloutRequest): Created {
    const file = this.#host.package(request.package);
    if (!file) throw new Error(`no package ${request.package}`);
    const { devices, current, unknown } = select(request.selection, file.version, this.#host.devices());
    if (devices.length === 0) throw new Error(nobody(current, unknown));
    const upTo = request.waves ?? [100];
    checkWaves(upTo);
    this.#makeRoom();
    const now = this.#host.now();
    const waves = planWaves(upTo, devices.length);
    const rollout: Rollout = {
      id: String(++this.#serial),
      name: request.name ?? `${file.version} for ${devices.length} device${devices.length === 1 ? "" : "s"}`,
      package: file.id,
      version: file.version,
      selection: request.selection,
      waves,
      ...(request.failureLimit === undefined ? {} : { failureLimit: request.failureLimit }),
      ...(request.timeout === undefined ? {} : { timeout: request.timeout }),
      pause: request.pause ?? 0,
      state: "scheduled",
      forgiven: 0,
      createdAt: now,
      startAt: request.startAt ?? now,
    };
    const members = devices.map((device, at): Member => ({
      device,
      wave: waveOf(waves, at),
      status: "pending",
      attempts: 0,
    }));
    const entry = this.#keep(rollout, members);
    for (const member of members) this.#host.memberChanged(rollout.id, member);
    this.#change(entry, {});
    this.#advance(entry);
    return { rollout: entry.rollout, current, unknown };
  }

  /** Brings one back, together with its members as they were announced; the tasks are there already. */
  load(rollout: Rollout, members: readonly Member[]): void {
    this.reserve(Number(rollout.id));
    const entry = this.#keep(rollout, members);
    for (const member of members) {
      const task = member.task === undefined ? undefined : this.#host.task(member.task);
      if (task) entry.members.replace(follow(member, task));
      else if (!isFinalStatus(member.status)) entry.members.replace(unasked(member));
    }
  }

  /** Ids up to this one are taken, though their rollouts may be gone. */
  reserve(id: number): void {
    this.#serial = Math.max(this.#serial, id);
  }

  get(id: string): Rollout | undefined {
    return this.#entries.get(id)?.rollout;
  }

  /** Newest first. */
  list(): Rollout[] {
    return [...this.#entries.values()].map(({ rollout }) => rollout).reverse();
  }

  members(id: string): Members | undefined {
    return this.#entries.get(id)?.members;
  }

  /** Ends it for every device that has no result yet. Throws if it is over. */
  cancel(id: string): void {
    const entry = this.#entry(id, ["scheduled", "running", "halted"]);
    entry.busy = true;
    for (const member of entry.members.list()) {
      if (isFinalStatus(member.status)) continue;
      const task = member.task === undefined ? undefined : this.#host.task(member.task);
      if (task) this.#host.cancel(task);
      else this.#replace(entry, { ...member, status: "cancelled", finishedAt: this.#host.now() });
    }
    entry.busy = false;
    this.#change(entry, { state: "cancelled", finishedAt: this.#host.now() });
  }

  /** Lets a halted one go on. What has failed so far does not halt it again. */
  resume(id: string): void {
    const entry = this.#entry(id, ["halted"]);
    const { reason: _, ...rollout } = entry.rollout;
    entry.rollout = rollout;
    this.#change(entry, { state: "running", forgiven: entry.members.counts().failure });
    this.#ask(entry);
    this.#advance(entry);
  }

  /** Asks those that failed once more. Returns how many. A halted rollout stays halted for all others. */
  retry(id: string): number {
    const entry = this.#entry(id, ["running", "halted", "finished"]);
    const failed = entry.members.list().filter(({ status }) => status === "failure");
    if (failed.length === 0) throw new Error("nothing has failed");
    for (const member of failed) this.#replace(entry, unasked(member));
    const { finishedAt: _, ...rollout } = entry.rollout;
    entry.rollout = rollout;
    this.#change(entry, { forgiven: 0, ...(rollout.state === "finished" ? { state: "running" } : {}) });
    this.#ask(entry, new Set(failed.map(({ device }) => device)));
    this.#advance(entry);
    return failed.length;
  }

  /** Throws unless it is over. */
  remove(id: string): void {
    this.#entry(id, ["finished", "cancelled"]);
    this.#entries.delete(id);
    this.#host.removed(id);
  }

  /** First half of hearing of a task: its member follows. */
  follow(task: Task): void {
    const entry = task.rollout === undefined ? undefined : this.#entries.get(task.rollout);
    const member = entry?.members.get(task.device);
    if (!entry || !member) return;
    if (member.task === task.id) this.#replace(entry, follow(member, task));
    else if (entry.asking === task.device) {
      entry.asking = undefined;
      this.#replace(entry, { ...follow(member, task), attempts: member.attempts + 1 });
    }
  }

  /** Second half, once what changed is kept: what that means for the others. */
  react(task: Task): void {
    const entry = task.rollout === undefined ? undefined : this.#entries.get(task.rollout);
    if (entry) this.#advance(entry);
  }

  /** What time brings: starts, pauses that end, devices that took too long. */
  tick(): void {
    for (const entry of this.#entries.values()) {
      this.#expire(entry);
      this.#advance(entry);
    }
  }

  /** After `load`: devices that were about to be asked when the cloud ended. */
  goOn(): void {
    for (const entry of this.#entries.values()) if (entry.rollout.state === "running") this.#ask(entry);
  }

  #keep(rollout: Rollout, members: readonly Member[]): Entry {
    const entry = {
      rollout,
      members: new Members(members, rollout.waves.length),
      readySince: undefined,
      busy: false,
      asking: undefined,
    };
    this.#entries.set(rollout.id, entry);
    return entry;
  }

  #entry(id: string, states: readonly RolloutState[]): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw new Error(`no rollout ${id}`);
    if (!states.includes(entry.rollout.state)) throw new Error(`the rollout is ${entry.rollout.state}`);
    return entry;
  }

  #makeRoom(): void {
    if (this.#entries.size < ROLLOUTS_MAX) return;
    const oldest = [...this.#entries.values()].find(({ rollout }) => isOver(rollout));
    if (!oldest) throw new Error(`${ROLLOUTS_MAX} rollouts are under way`);
    this.remove(oldest.rollout.id);
  }

  #advance(entry: Entry): void {
    if (entry.busy) return;
    const now = this.#host.now();
    if (entry.rollout.state === "scheduled" && entry.rollout.startAt <= now)
      this.#change(entry, { state: "running", startedAt: now });
    for (;;) {
      const decision = decide(entry.rollout, entry.members);
      if (decision.next !== "release") entry.readySince = undefined;
      if (decision.next === "wait") return;
      if (decision.next === "finish") return this.#change(entry, { state: "finished", finishedAt: this.#host.now() });
      if (decision.next === "halt") return this.#halt(entry, decision.reason);
      entry.readySince ??= this.#host.now();
      const first = releasedWaves(entry.rollout) === 0;
      if (!first && this.#host.now() < entry.readySince + entry.rollout.pause * 1000) return;
      entry.readySince = undefined;
      this.#release(entry);
    }
  }

  #release(entry: Entry): void {
    const next = releasedWaves(entry.rollout);
    const releasedAt = this.#host.now();
    this.#change(entry, {
      waves: entry.rollout.waves.map((wave, index) => (index === next ? { ...wave, releasedAt } : wave)),
    });
    this.#ask(entry);
  }

  /** Pushes to every member of the waves that are out which has no task, or to those among `only`. */
  #ask(entry: Entry, only?: ReadonlySet<string>): void {
    const released = releasedWaves(entry.rollout);
    const file = this.#host.package(entry.rollout.package);
    entry.busy = true;
    for (const member of entry.members.list()) {
      const due = member.wave < released && member.task === undefined && member.status === "pending";
      if (!due || only?.has(member.device) === false) continue;
      try {
        if (!file) throw new Error("the package was removed");
        entry.asking = member.device;
        this.#host.push(member.device, file, { rollout: entry.rollout.id });
      } catch (error) {
        const now = this.#host.now();
        this.#replace(entry, {
          ...member,
          status: "failure",
          attempts: member.attempts + 1,
          message: (error as Error).message,
          finishedAt: now,
        });
      }
      entry.asking = undefined;
      if (decide(entry.rollout, entry.members).next === "halt") break;
    }
    entry.busy = false;
  }

  /** Devices that were not reached yet are called off; those at work have begun and go on. */
  #halt(entry: Entry, reason: string): void {
    entry.busy = true;
    this.#change(entry, { state: "halted", reason });
    for (const member of entry.members.list()) {
      const task = member.task === undefined || member.status !== "pending" ? undefined : this.#host.task(member.task);
      if (!task) continue;
      this.#replace(entry, unasked(member));
      this.#host.cancel(task);
    }
    entry.busy = false;
  }

  #expire(entry: Entry): void {
    const { timeout, state } = entry.rollout;
    if (timeout === undefined || (state !== "running" && state !== "halted")) return;
    const latest = this.#host.now() - timeout * 1000;
    for (const { status, task: id, pushedAt } of entry.members.list()) {
      if ((status !== "pushed" && status !== "upgrading") || id === undefined || (pushedAt ?? Infinity) > latest)
        continue;
      const task = this.#host.task(id);
      if (task) this.#host.cancel(task, "timeout");
    }
  }

  #change(entry: Entry, change: Partial<Rollout>): void {
    entry.rollout = { ...entry.rollout, ...change };
    this.#host.changed(entry.rollout);
  }

  #replace(entry: Entry, member: Member): void {
    entry.members.replace(member);
    this.#host.memberChanged(entry.rollout.id, member);
  }
}

function nobody(current: number, unknown: readonly string[]): string {
  if (unknown.length > 0)
    return `unknown or ambiguous: ${unknown.slice(0, 5).join(", ")}${unknown.length > 5 ? " ..." : ""}`;
  return current > 0 ? "every device selected runs that version already" : "no device is selected";
}
