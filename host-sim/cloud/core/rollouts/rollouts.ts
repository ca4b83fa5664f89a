import type { Device } from "../devices/devices";
import type { Task } from "../devices/tasks";
import type { Package } from "../files/packages";
import type { Members } from "./members";
import { isOver, type Member, type Rollout, type RolloutState, type Selection } from "./rollout";
import { RolloutRun, type RolloutHost } from "./rollout-run";
import { select } from "./selection";
import { checkWaves, planWaves, waveOf } from "./waves";

/** What rollouts need of the cloud. */
export interface RolloutsHost extends RolloutHost {
  readonly devices: () => readonly Device[];
  readonly removed: (id: string) => void;
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

/** Percentages of the waves where none are given. */
const ONE_WAVE = [100];
const ROLLOUTS_MAX = 200;

/** All rollouts. Each decides what is due whenever one of its tasks changes, and once a second by `tick`. */
export class Rollouts {
  readonly #host: RolloutsHost;
  readonly #runs = new Map<string, RolloutRun>();
  #serial = 0;

  constructor(host: RolloutsHost) {
    this.#host = host;
  }

  /**
   * Throws one line if no device is selected or something does not fit. It starts at once unless it has a later start.
   */
  create(request: RolloutRequest): Created {
    const file = this.#host.package(request.package);
    if (!file) throw new Error(`no package ${request.package}`);
    const { devices, current, unknown } = select(request.selection, file.version, this.#host.devices());
    if (devices.length === 0) throw new Error(nothingSelected(current, unknown));
    checkWaves(request.waves ?? ONE_WAVE);
    this.#makeRoom();
    const rollout = this.#planned(request, file, devices.length);
    const members = devices.map((device, at): Member => ({
      device,
      wave: waveOf(rollout.waves, at),
      status: "pending",
      attempts: 0,
    }));
    const run = this.#keep(rollout, members);
    run.begin();
    return { rollout: run.rollout, current, unknown };
  }

  /** Brings one back, together with its members as they were announced; the tasks are there already. */
  load(rollout: Rollout, members: readonly Member[]): void {
    this.reserve(Number(rollout.id));
    this.#keep(rollout, members).restore();
  }

  /** Ids up to this one are taken, though their rollouts may be gone. */
  reserve(id: number): void {
    this.#serial = Math.max(this.#serial, id);
  }

  get(id: string): Rollout | undefined {
    return this.#runs.get(id)?.rollout;
  }

  /** Newest first. */
  list(): Rollout[] {
    return [...this.#runs.values()].map(({ rollout }) => rollout).reverse();
  }

  members(id: string): Members | undefined {
    return this.#runs.get(id)?.members;
  }

  /** Ends it for every device that has no result yet. Throws if it is over. */
  cancel(id: string): void {
    this.#run(id, ["scheduled", "running", "halted"]).cancel();
  }

  /** Lets a halted one go on. What has failed so far does not halt it again. */
  resume(id: string): void {
    this.#run(id, ["halted"]).resume();
  }

  /** Asks those that failed once more. Returns how many. A halted rollout stays halted for all others. */
  retry(id: string): number {
    return this.#run(id, ["running", "halted", "finished"]).retry();
  }

  /** Throws unless it is over. */
  remove(id: string): void {
    this.#run(id, ["finished", "cancelled"]);
    this.#runs.delete(id);
    this.#host.removed(id);
  }

  /** A task changed: its member follows. The caller keeps both, then calls `react`. */
  follow(task: Task): void {
    this.#of(task)?.follow(task);
  }

  /** Does what the change of a task means for the other members. */
  react(task: Task): void {
    this.#of(task)?.advance();
  }

  /** Does what is due by the clock: starts, ends of pauses, timeouts. */
  tick(): void {
    for (const run of this.#runs.values()) {
      run.expire();
      run.advance();
    }
  }

  /** After `load`: devices that were about to be asked when the cloud ended. */
  goOn(): void {
    for (const run of this.#runs.values()) run.goOn();
  }

  #planned(request: RolloutRequest, file: Package, devices: number): Rollout {
    const now = this.#host.now();
    return {
      id: String(++this.#serial),
      name: request.name ?? `${file.version} for ${devices} device${devices === 1 ? "" : "s"}`,
      package: file.id,
      version: file.version,
      selection: request.selection,
      waves: planWaves(request.waves ?? ONE_WAVE, devices),
      ...(request.failureLimit === undefined ? {} : { failureLimit: request.failureLimit }),
      ...(request.timeout === undefined ? {} : { timeout: request.timeout }),
      pause: request.pause ?? 0,
      state: "scheduled",
      forgiven: 0,
      createdAt: now,
      startAt: request.startAt ?? now,
    };
  }

  #keep(rollout: Rollout, members: readonly Member[]): RolloutRun {
    const run = new RolloutRun(this.#host, rollout, members);
    this.#runs.set(rollout.id, run);
    return run;
  }

  #of(task: Task): RolloutRun | undefined {
    return task.rollout === undefined ? undefined : this.#runs.get(task.rollout);
  }

  #run(id: string, states: readonly RolloutState[]): RolloutRun {
    const run = this.#runs.get(id);
    if (!run) throw new Error(`no rollout ${id}`);
    run.check(states);
    return run;
  }

  #makeRoom(): void {
    if (this.#runs.size < ROLLOUTS_MAX) return;
    const oldest = [...this.#runs.values()].find(({ rollout }) => isOver(rollout));
    if (!oldest) throw new Error(`${ROLLOUTS_MAX} rollouts are under way`);
    this.remove(oldest.rollout.id);
  }
}

function nothingSelected(current: number, unknown: readonly string[]): string {
  if (unknown.length > 0)
    return `unknown or ambiguous: ${unknown.slice(0, 5).join(", ")}${unknown.length > 5 ? " ..." : ""}`;
  return current > 0 ? "every device selected runs that version already" : "no device is selected";
}
