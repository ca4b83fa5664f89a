/**
 * The cloud of a scenario, as far as an update is concerned: what it pushes and when, and what it has heard. It knows nothing of
 * connections or bytes, so the quick desk and the whole agent meet the same one. Plain data: forked with the simulation.
 */
import { TRIAL_WAITS } from "../../../src/constants";
import type { Offer } from "../../../src/job/types";
import type { Ending, Push, Scenario } from "./scenarios";

/** A report as it arrived. `version`: of the task, where the dialect names it. */
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
    };
export type HeardOutcome = Extract<Heard, { kind: "outcome" }>;

/** One time that the operator pushed an image. */
export interface Task {
  /** Index in the scenario. */
  readonly push: number;
  /** Outcomes in the order of their arrival. */
  readonly outcomes: readonly string[];
  /** The first of them is the one that the scenario foresees. */
  readonly fitting: boolean;
  /** Times the offer was sent; a person sends it again only where the cloud does not. */
  readonly deliveries: number;
  /** Of these, in answer to version reports. */
  readonly repeats: number;
  readonly open: boolean;
  /** Another image took its place. */
  readonly superseded: boolean;
  /** Still to be sent to a device that is connected. */
  readonly unsent: boolean;
  /** The device takes this image no more: too many trials have ended without a confirm. */
  readonly usedUp: boolean;
}

/** What a device says of an image whose trials are used up. */
export const NEVER_AGAIN = /^tried \d+ times and never confirmed/;

/** Times an image is sent, and pushed anew after a failure, before the operator gives the device up. */
const PATIENCE = 20;
const TRIES = 4;
/** From an outcome to the next push of the same image: no device has to wait longer for another trial. */
const OPERATOR_WAIT = Math.max(...TRIAL_WAITS) * 1000;
/** ThingsPanel v0: version reports that are answered by another push. */
const REPEATS = 3;

export class CloudSide {
  readonly scenario: Scenario;
  /** Kinds of report whose first PUBACK was lost on purpose. */
  readonly lostAcks = new Set<string>();
  /** What can not be right, from the cloud's point of view. */
  readonly complaints: string[] = [];
  /** Newest last. */
  #tasks: Task[] = [];
  /** When the operator pushes again; undefined: he has not thought of it yet. */
  #pushAt: number | undefined;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.#open(0);
  }

  fork(): CloudSide {
    const copy = new CloudSide(this.scenario);
    copy.#tasks = this.#tasks.slice();
    copy.#pushAt = this.#pushAt;
    for (const kind of this.lostAcks) copy.lostAcks.add(kind);
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

  /** Every push has had its end. */
  get finished(): boolean {
    return this.#next === undefined && !this.#tasks.some(({ open }) => open);
  }

  /** An offer for a device that is connected now. */
  offer(): Offer | undefined {
    const task = this.#tasks.find(({ open, unsent }) => open && unsent);
    return task && this.#send(task);
  }

  /** No further trial of this push's image is to be had. */
  usedUp(push: Push): boolean {
    return this.#tasks.some((task) => task.usedUp && this.pushOf(task).file === push.file);
  }

  /**
   * The device has nothing to do: a person pushes the next image, or once more what is open and did not arrive. A number: not before
   * that time. Undefined: that did not help often enough, or there is nothing left.
   */
  operate(now: number): Offer | number | undefined {
    const open = this.#tasks.find((task) => task.open);
    if (open !== undefined) return open.deliveries < PATIENCE ? this.#send(open) : undefined;
    const next = this.#next;
    if (next === undefined || this.#tasks.filter(({ push }) => push === next).length >= TRIES) return undefined;
    this.#pushAt ??= this.#triedBefore(next) ? now + OPERATOR_WAIT : now;
    if (now < this.#pushAt) return this.#pushAt;
    this.#pushAt = undefined;
    this.#open(next);
    return this.offer();
  }

  /** Takes a report; what is sent in answer to it. */
  heard(report: Heard): Offer | undefined {
    if (report.kind === "version") return this.#version(report.version);
    if (report.kind === "outcome") this.#outcome(report);
    return undefined;
  }

  /** The file server has given out bytes of a push up to here, to firmware of version `running`. */
  served(version: string, end: number, running: string): Offer | undefined {
    const task = this.taskOf(version);
    if (task !== undefined) this.#overtake(task, running);
    const limit = task && this.pushOf(task).supersededAt;
    if (task === undefined || limit === undefined || end < limit || !task.open) return undefined;
    this.#change(task, { open: false, superseded: true });
    this.#open(task.push + 1);
    return this.offer();
  }

  /** The next push came during the trial, a cut undid the trial, and so the firmware from before has got both: the newer one counts. */
  #overtake({ push }: Task, running: string): void {
    for (const task of this.#tasks) {
      const { nextInTrial, offer } = this.pushOf(task);
      if (task.open && task.push < push && nextInTrial === true && offer.version !== running)
        this.#change(task, { open: false, superseded: true });
    }
  }

  /** This version is on trial and connected: the operator may push the next one already. */
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

  /** The image of this push was on trial and failed, by its own fault or not. */
  #triedBefore(push: number): boolean {
    const { file } = this.scenario.pushes[push]!;
    return this.#tasks.some((task) => task.outcomes.length > 0 && this.pushOf(task).file === file);
  }

  /** Index of the first push that has had no end yet. */
  get #next(): number | undefined {
    const settled = new Set(
      this.#tasks.filter(({ fitting, superseded, usedUp }) => fitting || superseded || usedUp).map(({ push }) => push),
    );
    // Nobody goes back to an older one that cuts have made fail, when the newer one that came in its trial runs.
    const next = this.scenario.pushes.findIndex(
      ({ nextInTrial }, push) => !settled.has(push) && !(nextInTrial === true && settled.has(push + 1)),
    );
    return next < 0 ? undefined : next;
  }

  /** Pushes again what is pending: for ever on Tencent, a few times on ThingsPanel v0. */
  #version(version: string): Offer | undefined {
    const { platform } = this.scenario;
    const task = this.#tasks.findLast((each) => each.open && this.pushOf(each).offer.version !== version);
    if (task === undefined || platform === "thingspanel-v1") return undefined;
    if (platform === "thingspanel-v0" && task.repeats >= REPEATS) return undefined;
    return this.#send(this.#change(task, { repeats: task.repeats + 1 }));
  }

  #outcome(report: HeardOutcome): void {
    const task =
      report.version === undefined
        ? (this.#tasks.find(({ open }) => open) ?? this.#tasks.at(-1))
        : this.taskOf(report.version);
    if (task === undefined) {
      this.complaints.push(`outcome for ${report.version}, which nobody pushed`);
      return;
    }
    const text = JSON.stringify([report.done, report.cause, report.message]);
    const [first] = task.outcomes;
    if (first !== undefined && first !== text) this.complaints.push(`two outcomes for one job: ${first} and ${text}`);
    // Remembered from a push before, whose own end a cut made another one.
    const again =
      this.#tasks.filter(({ push }) => push === task.push).length > 1 &&
      !report.done &&
      /was (rolled back|refused) before/.test(report.message);
    const fitting = first === undefined ? again || fits(this.pushOf(task).ends, report) : task.fitting;
    this.#change(task, {
      outcomes: [...task.outcomes, text],
      fitting,
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

/** Whether an outcome is the one that the scenario foresees. */
export function fits(
  ends: Ending,
  { done, cause, message }: Pick<HeardOutcome, "done" | "cause" | "message">,
): boolean {
  if (ends === "done") return done;
  return !done && (cause === undefined || cause === ends.cause) && ends.message.test(message);
}
