/**
 * The cloud of a scenario: what it pushes and when, and the reports that it has received. It has no connections and no
 * bytes, so both devices under test use the same one. Plain data, forked with the simulation.
 */
import { TRIAL_WAITS } from "../../../src/constants";
import type { Offer } from "../../../src/job/types";
import type { Report } from "../../../src/platforms/platform";
import type { Scenario } from "./scenarios";
import type { Ending, Push } from "./push";

/** A report that has arrived. `version`: of the task, where the dialect names it. */
export type Heard =
  | { readonly kind: "version"; readonly version: string }
  | { readonly kind: "progress"; readonly percent: number; readonly version: string | undefined }
  | { readonly kind: "burning"; readonly version: string | undefined }
  | {
      readonly kind: "outcome";
      readonly done: boolean;
      readonly cause: string | undefined;
      readonly message: string;
      readonly version: string | undefined;
      /** Number of the task, where the platform has task ids. */
      readonly task?: number;
    };
export type HeardOutcome = Extract<Heard, { kind: "outcome" }>;

/** One push of an image by the operator. */
export interface Task {
  /** Index in the scenario. */
  readonly push: number;
  /** Outcomes in the order of their arrival. */
  readonly outcomes: readonly string[];
  /** The first outcome is the one that the scenario expects. */
  readonly fitting: boolean;
  /** Times that the offer was sent. */
  readonly deliveries: number;
  /** Times that it was sent in answer to a version report. */
  readonly repeats: number;
  readonly open: boolean;
  /** Another push has replaced it. */
  readonly superseded: boolean;
  /** Not sent yet: it waits for a connected device. */
  readonly unsent: boolean;
  /** The device no longer accepts this image: too many trials ended without a confirm. */
  readonly usedUp: boolean;
  /** It failed by what may pass: another attempt is another job. */
  readonly passing: boolean;
  /** The chip has restarted since it ended. */
  readonly restarted: boolean;
}

/** The refusal of an image that has no trials left. */
export const NEVER_AGAIN = /^tried \d+ times and never confirmed/;

/** Times that one push is sent, and pushes of one image after failures, before the operator stops. */
const DELIVERIES_MAX = 20;
const TRIES = 4;
/** Milliseconds from an outcome to the next push of the same image: the longest wait between two trials. */
const OPERATOR_WAIT = Math.max(...TRIAL_WAITS) * 1000;
/** Causes that stay: a device does not try again by itself what is wanted. */
const LASTING: readonly string[] = ["rejected", "signature", "rolled-back"];
/** Version reports that ThingsPanel v0 answers with another push. */
const REPEATS = 3;

export class CloudSide {
  readonly scenario: Scenario;
  /** Kinds of report whose first PUBACK was lost on purpose. */
  readonly lostAcks = new Set<string>();
  /** What the device has left at the cloud: client attributes of ThingsBoard. */
  readonly attributes = new Map<string, string>();
  /** Reports that contradict each other or belong to no push. */
  readonly complaints: string[] = [];
  /** Newest last. */
  #tasks: Task[] = [];
  /** The end of the outage; undefined: it has not begun. */
  #backAt: number | undefined;
  /** Time of the operator's next push; undefined: not decided yet. */
  #pushAt: number | undefined;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.#open(0);
  }

  fork(): CloudSide {
    const copy = new CloudSide(this.scenario);
    copy.#tasks = this.#tasks.slice();
    copy.#backAt = this.#backAt;
    copy.#pushAt = this.#pushAt;
    for (const kind of this.lostAcks) copy.lostAcks.add(kind);
    for (const [key, value] of this.attributes) copy.attributes.set(key, value);
    copy.complaints.push(...this.complaints);
    return copy;
  }

  get tasks(): readonly Task[] {
    return this.#tasks;
  }

  pushOf({ push }: Task): Push {
    return this.scenario.pushes[push]!;
  }

  /** The last task that pushed this version. */
  taskOf(version: string): Task | undefined {
    return this.#tasks.findLast((task) => this.pushOf(task).offer.version === version);
  }

  /**
   * A manifest is asked for. It wants what it wanted before, so a device whose job failed by what may pass begins another
   * one, as after a push.
   */
  polled(): void {
    const { push, passing } = this.#tasks.at(-1)!;
    if (passing) this.#open(push);
  }

  /** The file server has no bytes of this version from here on. */
  goneAt(version: string): number {
    const task = this.taskOf(version);
    return (task && this.pushOf(task).goneAt) ?? Infinity;
  }

  /** An idle chip restarts now: once, where the latest push says so. */
  restarts(): boolean {
    const task = this.#tasks.at(-1)!;
    if (task.open || task.restarted || this.pushOf(task).restarts !== true) return false;
    this.#change(task, { restarted: true });
    return true;
  }

  /** Every push has ended. */
  get finished(): boolean {
    return this.#next === undefined && !this.#tasks.some(({ open }) => open);
  }

  /** When the cloud is back; undefined: it is there. `state`: of the device. */
  awayUntil(state: string, now: number): number | undefined {
    const { outage } = this.scenario;
    if (outage === undefined) return undefined;
    if (state === "trial") this.#backAt ??= now + outage;
    return this.#backAt === undefined || now >= this.#backAt ? undefined : this.#backAt;
  }

  /** An offer for a device that is connected now. */
  offer(): Offer | undefined {
    const task = this.#tasks.find(({ open, unsent }) => open && unsent);
    return task && this.#send(task);
  }

  /** The device no longer accepts the image of this push. */
  usedUp(push: Push): boolean {
    return this.#tasks.some((task) => task.usedUp && this.pushOf(task).file === push.file);
  }

  /**
   * The operator's step when the device is idle: the next push, or the open one once more. A number: the time before
   * which nothing is pushed. Undefined: nothing is left to push, or too many attempts have failed.
   */
  operate(now: number): Offer | number | undefined {
    const open = this.#tasks.find((task) => task.open);
    if (open !== undefined) {
      if (open.deliveries >= DELIVERIES_MAX) return undefined;
      // The device says nothing of what can not begin yet, and asks again by itself.
      if (this.scenario.platform.startsWith("thingsboard") && open.deliveries > 1 && now < this.#waitsUntil(now))
        return this.#pushAt;
      this.#pushAt = undefined;
      return this.#send(open);
    }
    const next = this.#next;
    if (next === undefined || this.#tasks.filter(({ push }) => push === next).length >= TRIES) return undefined;
    this.#pushAt ??= this.#triedBefore(next) ? now + OPERATOR_WAIT : now;
    if (now < this.#pushAt) return this.#pushAt;
    this.#pushAt = undefined;
    this.#open(next);
    return this.offer();
  }

  #waitsUntil(now: number): number {
    return (this.#pushAt ??= now + OPERATOR_WAIT);
  }

  /** Takes a report. Returns the offer that answers it. */
  heard(report: Heard): Offer | undefined {
    if (report.kind === "version") return this.#version(report.version);
    if (report.kind === "outcome") this.#outcome(report);
    return undefined;
  }

  /** The device has agreed that this task is cancelled. */
  canceled(task: number): void {
    this.#change(this.#tasks[task]!, { open: false, superseded: true });
  }

  /**
   * The file server has served bytes of a push up to `end`, to firmware of version `running`. Returns the offer that
   * this triggers.
   */
  served(version: string, end: number, running: string): Offer | undefined {
    const task = this.taskOf(version);
    if (task !== undefined) this.#overtake(task, running);
    const limit = task && this.pushOf(task).supersededAt;
    if (task === undefined || limit === undefined || end < limit || !task.open) return undefined;
    this.#change(task, { open: false, superseded: true });
    this.#open(task.push + 1);
    return this.offer();
  }

  /**
   * The next push came during the trial and a power cut ended the trial: the old firmware has both offers, and the
   * newer one counts.
   */
  #overtake({ push }: Task, running: string): void {
    for (const task of this.#tasks) {
      const { nextInTrial, offer } = this.pushOf(task);
      if (task.open && task.push < push && nextInTrial === true && offer.version !== running)
        this.#change(task, { open: false, superseded: true });
    }
  }

  /** This version is on trial and connected. Returns the next push, where the scenario has it come now. */
  inTrial(version: string): Offer | undefined {
    const task = this.taskOf(version);
    if (
      task === undefined ||
      this.pushOf(task).nextInTrial !== true ||
      this.#tasks.some(({ push }) => push > task.push)
    )
      return undefined;
    this.#open(task.push + 1);
    return this.offer();
  }

  /** The image of this push was on trial and not confirmed, whatever the cause. */
  #triedBefore(push: number): boolean {
    const { file } = this.scenario.pushes[push]!;
    return this.#tasks.some((task) => task.outcomes.length > 0 && this.pushOf(task).file === file);
  }

  /** Index of the first push that has not ended as expected. */
  get #next(): number | undefined {
    const settled = new Set(
      this.#tasks.filter(({ fitting, superseded, usedUp }) => fitting || superseded || usedUp).map(({ push }) => push),
    );
    // A push that failed by power cuts is not repeated when the newer one, pushed during its trial, has succeeded.
    const next = this.scenario.pushes.findIndex(
      ({ nextInTrial }, push) => !settled.has(push) && !(nextInTrial === true && settled.has(push + 1)),
    );
    return next < 0 ? undefined : next;
  }

  /** A version report makes the cloud send the pending push again: always on Tencent, a few times on ThingsPanel v0. */
  #version(version: string): Offer | undefined {
    const { platform } = this.scenario;
    const task = this.#tasks.findLast((each) => each.open && this.pushOf(each).offer.version !== version);
    if (task === undefined || platform === "thingspanel-v1") return undefined;
    if (platform === "thingspanel-v0" && task.repeats >= REPEATS) return undefined;
    return this.#send(this.#change(task, { repeats: task.repeats + 1 }));
  }

  #outcome(report: HeardOutcome): void {
    const task =
      report.task !== undefined
        ? this.#tasks[report.task]
        : report.version === undefined
          ? (this.#tasks.find(({ open }) => open) ?? this.#tasks.at(-1))
          : this.taskOf(report.version);
    if (task === undefined) {
      this.complaints.push(`outcome for ${report.version}, which nobody pushed`);
      return;
    }
    const text = JSON.stringify([report.done, report.cause, report.message]);
    const [first] = task.outcomes;
    if (first !== undefined && first !== text) this.complaints.push(`two outcomes for one job: ${first} and ${text}`);
    // The denylist has the image from an earlier push, whose outcome a power cut has changed.
    const again =
      this.#tasks.filter(({ push }) => push === task.push).length > 1 &&
      !report.done &&
      /was (rolled back|refused) before/.test(report.message);
    const fitting = first === undefined ? again || fits(this.pushOf(task).ends, report) : task.fitting;
    this.#change(task, {
      outcomes: [...task.outcomes, text],
      fitting,
      passing: !fitting && !report.done && !LASTING.includes(report.cause ?? ""),
      usedUp: task.usedUp || NEVER_AGAIN.test(report.message),
      open: false,
    });
  }

  #open(push: number): void {
    this.#tasks.push({
      push,
      outcomes: [],
      fitting: false,
      deliveries: 0,
      repeats: 0,
      open: true,
      superseded: false,
      unsent: true,
      usedUp: false,
      passing: false,
      restarted: false,
    });
  }

  #send(task: Task): Offer {
    this.#change(task, { unsent: false, deliveries: task.deliveries + 1 });
    return this.pushOf(task).offer;
  }

  #change(task: Task, change: Partial<Task>): Task {
    const changed = { ...task, ...change };
    this.#tasks[this.#tasks.indexOf(task)] = changed;
    return changed;
  }
}

/** Whether an outcome is the one that the scenario expects. */
export function fits(
  ends: Ending,
  { done, cause, message }: Pick<HeardOutcome, "done" | "cause" | "message">,
): boolean {
  if (ends === "done") return done;
  return !done && (cause === undefined || cause === ends.cause) && ends.message.test(message);
}

/** A report of the job, as it arrives. */
export function heardOf(report: Report): Heard {
  switch (report.kind) {
    case "withdrawal":
      throw new Error("no cloud of this search cancels");
    case "version":
      return { kind: "version", version: report.version };
    case "progress":
      return { kind: "progress", percent: report.percent, version: report.task.version };
    case "burning":
      return { kind: "burning", version: report.task.version };
    case "outcome": {
      const { outcome, task } = report;
      if (outcome.kind === "done")
        return { kind: "outcome", done: true, cause: undefined, message: "", version: task.version };
      return { kind: "outcome", done: false, cause: outcome.cause, message: outcome.message, version: task.version };
    }
  }
}
