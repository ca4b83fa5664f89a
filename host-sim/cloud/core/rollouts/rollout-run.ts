import type { Task } from "../devices/tasks";
import type { Package } from "../files/packages";
import type { PushOptions } from "../platforms/platform-side";
import { follow, unasked } from "./member-steps";
import { Members } from "./members";
import { isFinalStatus, type Member, type Rollout, type RolloutState } from "./rollout";
import { decide, releasedWaves } from "./waves";

/** What a rollout needs of the cloud. */
export interface RolloutHost {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds for durations; never goes back, whatever becomes of the machine's clock. */
  readonly running: () => number;
  readonly package: (id: string) => Package | undefined;
  readonly task: (id: string) => Task | undefined;
  /** It sleeps, as it has announced. */
  readonly asleep: (device: string) => boolean;
  readonly push: (device: string, file: Package, options: PushOptions) => Task;
  readonly cancel: (task: Task, why?: "timeout") => void;
  /** A snapshot was replaced. */
  readonly changed: (rollout: Rollout) => void;
  readonly memberChanged: (rollout: string, member: Member) => void;
}

/** One rollout at work: pushes to its members wave by wave, and halts, ends or resumes. */
export class RolloutRun {
  readonly members: Members;
  readonly #host: RolloutHost;
  #rollout: Rollout;
  /** Its own pushes and cancellations change tasks: no decision in between. */
  #busy = false;
  /** Milliseconds that devices slept since their push, by task: they do not count for the timeout. */
  readonly #slept = new Map<string, number>();
  #lookedAt: number;
  /** The device that is being pushed to: the next task of it is this rollout's. */
  #asking: string | undefined;

  constructor(host: RolloutHost, rollout: Rollout, members: readonly Member[]) {
    this.#host = host;
    this.#rollout = rollout;
    this.#lookedAt = host.running();
    this.members = new Members(members, rollout.waves.length);
  }

  /** A snapshot. */
  get rollout(): Rollout {
    return this.#rollout;
  }

  /** Announces a new rollout and its members, and starts it unless it is to start later. */
  begin(): void {
    for (const member of this.members.list()) this.#host.memberChanged(this.#rollout.id, member);
    this.#change({});
    this.advance();
  }

  /** After a restart: members follow the tasks that were restored; nothing is announced. */
  restore(): void {
    for (const member of this.members.list()) {
      const task = member.task === undefined ? undefined : this.#host.task(member.task);
      if (task) this.members.replace(follow(member, task, this.#host.running()));
      else if (!isFinalStatus(member.status)) this.members.replace(unasked(member));
    }
  }

  /** After `restore`: pushes to devices that were about to be asked when the cloud ended. */
  goOn(): void {
    if (this.#rollout.state === "running") this.#ask();
  }

  /** Throws one line unless it is in one of the states. */
  check(states: readonly RolloutState[]): void {
    if (!states.includes(this.#rollout.state)) throw new Error(`the rollout is ${this.#rollout.state}`);
  }

  /** Ends it for every device that has no result yet. */
  cancel(): void {
    this.#busy = true;
    for (const member of this.members.list()) {
      if (isFinalStatus(member.status)) continue;
      const task = member.task === undefined ? undefined : this.#host.task(member.task);
      if (task) this.#host.cancel(task);
      else this.#replace({ ...member, status: "cancelled", finishedAt: this.#host.now() });
    }
    this.#busy = false;
    this.#change({ state: "cancelled", finishedAt: this.#host.now() });
  }

  /** Lets a halted one go on. What has failed so far does not halt it again. */
  resume(): void {
    const { reason: _, ...rollout } = this.#rollout;
    this.#rollout = rollout;
    this.#change({ state: "running", forgiven: this.members.counts().failure });
    this.#ask();
    this.advance();
  }

  /**
   * Asks those that failed once more. Returns how many; throws if there are none. A halted rollout stays halted for all
   * others.
   */
  retry(): number {
    const failed = this.members.list().filter(({ status }) => status === "failure");
    if (failed.length === 0) throw new Error("nothing has failed");
    for (const member of failed) this.#replace(unasked(member));
    const { finishedAt: _, ...rollout } = this.#rollout;
    this.#rollout = rollout;
    this.#change({ forgiven: 0, ...(rollout.state === "finished" ? { state: "running" } : {}) });
    this.#ask(new Set(failed.map(({ device }) => device)));
    this.advance();
    return failed.length;
  }

  /** The member follows its task. */
  follow(task: Task): void {
    const member = this.members.get(task.device);
    if (!member) return;
    const now = this.#host.running();
    if (member.task === task.id) this.#replace(follow(member, task, now));
    else if (this.#asking === task.device) {
      this.#asking = undefined;
      this.#replace({ ...follow(member, task, now), attempts: member.attempts + 1 });
    }
  }

  /** Does what is due: starts, releases waves, halts or finishes. */
  advance(): void {
    if (this.#busy) return;
    const now = this.#host.now();
    if (this.#rollout.state === "scheduled" && this.#rollout.startAt <= now)
      this.#change({ state: "running", startedAt: now });
    for (;;) {
      const decision = decide(this.#rollout, this.members);
      if (decision.next !== "release") this.#ready(undefined);
      if (decision.next === "wait") return;
      if (decision.next === "finish") return this.#change({ state: "finished", finishedAt: this.#host.now() });
      if (decision.next === "halt") return this.#halt(decision.reason);
      const { pause, readySince } = this.#rollout;
      const since = readySince ?? this.#host.running();
      if (releasedWaves(this.#rollout) > 0 && this.#host.running() < since + pause * 1000) return this.#ready(since);
      this.#ready(undefined);
      this.#release();
    }
  }

  /** Fails the devices that have taken longer than the rollout's timeout, announced sleep aside. */
  expire(): void {
    const { timeout, state } = this.#rollout;
    if (timeout === undefined || (state !== "running" && state !== "halted")) return;
    const now = this.#host.running();
    const elapsed = now - this.#lookedAt;
    this.#lookedAt = now;
    for (const { device, status, task: id, since = Infinity } of this.members.list()) {
      if ((status !== "pushed" && status !== "upgrading") || id === undefined) continue;
      const slept = this.#slept.get(id) ?? 0;
      if (this.#host.asleep(device)) {
        this.#slept.set(id, slept + elapsed);
        continue;
      }
      if (since + slept > now - timeout * 1000) continue;
      this.#slept.delete(id);
      const task = this.#host.task(id);
      if (task) this.#host.cancel(task, "timeout");
    }
  }

  /** Stored, so that a restart does not begin the pause anew. */
  #ready(since: number | undefined): void {
    if (since === this.#rollout.readySince) return;
    const { readySince: _, ...rollout } = this.#rollout;
    this.#rollout = rollout;
    this.#change(since === undefined ? {} : { readySince: since });
  }

  #release(): void {
    const next = releasedWaves(this.#rollout);
    const releasedAt = this.#host.now();
    this.#change({
      waves: this.#rollout.waves.map((wave, index) => (index === next ? { ...wave, releasedAt } : wave)),
    });
    this.#ask();
  }

  /** Pushes to every member of the released waves that has no task, or to those among `only`. */
  #ask(only?: ReadonlySet<string>): void {
    const released = releasedWaves(this.#rollout);
    const file = this.#host.package(this.#rollout.package);
    this.#busy = true;
    for (const member of this.members.list()) {
      const due = member.wave < released && member.task === undefined && member.status === "pending";
      if (!due || only?.has(member.device) === false) continue;
      this.#push(member, file);
      if (decide(this.#rollout, this.members).next === "halt") break;
    }
    this.#busy = false;
  }

  #push(member: Member, file: Package | undefined): void {
    try {
      if (!file) throw new Error("the package was removed");
      this.#asking = member.device;
      this.#host.push(member.device, file, { rollout: this.#rollout.id });
    } catch (error) {
      this.#replace({
        ...member,
        status: "failure",
        attempts: member.attempts + 1,
        message: (error as Error).message,
        finishedAt: this.#host.now(),
      });
    }
    this.#asking = undefined;
  }

  /** Cancels the tasks of devices that were not reached yet; those that have begun go on. */
  #halt(reason: string): void {
    this.#busy = true;
    this.#change({ state: "halted", reason });
    for (const member of this.members.list()) {
      const task = member.task === undefined || member.status !== "pending" ? undefined : this.#host.task(member.task);
      if (!task) continue;
      this.#replace(unasked(member));
      this.#host.cancel(task);
    }
    this.#busy = false;
  }

  #change(change: Partial<Rollout>): void {
    this.#rollout = { ...this.#rollout, ...change };
    this.#host.changed(this.#rollout);
  }

  #replace(member: Member): void {
    this.members.replace(member);
    this.#host.memberChanged(this.#rollout.id, member);
  }
}
