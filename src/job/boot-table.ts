/**
 * What a boot means: the job's record against the running firmware and the reset reason. The bootloader's own state is
 * only a hint: a power cut inside the confirm leaves no trace of a failure, and a slot may boot as VALID without ever
 * having been on trial.
 */
import type { ResetReason, Running } from "../ports";
import { frozen } from "../util/frozen";
import type { BootFacts } from "./effects";
import { COMPONENT_SLOT } from "./job-codecs";
import type { TrialEnd } from "./history-codecs";
import type { Phase } from "./job-codecs";
import type { StoredJob } from "./stored-job";

/**
 * Times one job may change the boot choice. More than the trials that count, because a cut can come before the new code
 * ran at all.
 */
export const ACTIVATIONS_MAX = 8;

/** What the table looks at, each with all its values. */
export interface BootCase {
  /** Record of a job in the store. */
  readonly job: "none" | "present";
  /** Platform that pushed the job. */
  readonly platform: "same" | "other";
  /**
   * Slot that the job wrote: of the running firmware, the one that can be written, neither, or none because it is a
   * component.
   */
  readonly slot: "running" | "target" | "other" | "component";
  /** Version of the running firmware against the job's. */
  readonly version: "same" | "other";
  /** See `isUnconfirmed`. */
  readonly firmware: "confirmed" | "unconfirmed";
  readonly phase: Phase;
  /** Terminal outcome in the store. */
  readonly outcome: "none" | "done" | "fail";
  readonly reset: "power loss" | "deep sleep" | "other";
  /** The job's image is remembered as one that was rolled back by its own fault. */
  readonly image: "denied" | "not denied";
  /** Whether the bootloader rejected or aborted the slot of the job last. */
  readonly entry: "failed" | "not failed";
  /**
   * Whether code of the slot that the job wrote ran since the slot was activated, by the mark of its start-up. Unknown:
   * it has no boot entry, or the flash is encrypted.
   */
  readonly started: "yes" | "no" | "unknown";
  /** Trials that were cut short, against `maxAttempts` and the budgets. */
  readonly trials: "left" | "used up";
  /**
   * How the trial that was counted last has ended, where it did not reach the cloud: it is open whose fault that is, or
   * the old firmware did not reach the cloud either.
   */
  readonly end: "not reached" | "outage" | "other";
  /** Changes of the boot choice, against ACTIVATIONS_MAX. */
  readonly activations: "left" | "used up";
}

export type Verdict =
  | "idle"
  /** The running firmware is new and has to prove itself. */
  | "trial"
  /** As "trial", and the job in the store did not install it. */
  | "trial without job"
  /** The terminal outcome waits for its PUBACK. */
  | "report"
  /** The outcome is a failure of the running firmware: it rolls back once more first. */
  | "roll back"
  | "resume"
  /** The digest matched before the power was lost: the header is written again. */
  | "commit"
  /** The trial was cut short, or never began: the verified slot gets another, without a download. */
  | "try again"
  /** The trial did not reach the cloud: the old firmware's own connection tells whose fault that is. */
  | "decide"
  | "rolled back"
  /** As "rolled back", by the image's own fault. */
  | "rolled back, deny"
  /** The record does not fit the state of this device. */
  | "drop"
  /** As "drop"; the running firmware is new and has to prove itself without the record. */
  | "drop, trial without job";

export interface BootRow extends Partial<BootCase> {
  readonly verdict: Verdict;
  /** Why, for the report or the notice. */
  readonly text?: (job: StoredJob, facts: BootFacts, trials: number) => string;
}

const installedAnotherWay = (_job: StoredJob, { running }: BootFacts): string => {
  return `the running firmware ${running.version} was installed another way`;
};

/** What a start-up says of firmware whose own start-up never ran (hal/moddable/fault-record.ts). */
const NEVER_STARTED = "the new firmware ";

/** With what that firmware died of, if it left that behind. */
const failedInTrial = ({ offer }: StoredJob, { lastFault, resetReason }: BootFacts): string => {
  const { version } = offer;
  const own = `${version}: `;
  if (lastFault?.startsWith(NEVER_STARTED)) return `trial: ${lastFault}`;
  return lastFault?.startsWith(own)
    ? `trial: ${lastFault.slice(own.length)}`
    : `firmware ${version} failed in its trial (${resetReason} reset) and was rolled back`;
};

const neverStarted = ({ offer, phase }: StoredJob): string =>
  `firmware ${offer.version} did not start in ${phase.activations} tries`;

/** The first row whose columns all match decides. A column that a row does not name may have any value. */
export const BOOT_TABLE: readonly BootRow[] = frozen<BootRow[]>([
  { job: "none", firmware: "unconfirmed", verdict: "trial without job" },
  { job: "none", verdict: "idle" },
  { platform: "other", verdict: "drop", text: ({ record }) => `the job was of platform ${record.platform}` },
  { slot: "component", firmware: "unconfirmed", verdict: "trial without job" },
  { slot: "component", phase: "trial", verdict: "drop", text: () => "a module has no trial" },
  // Running from the slot that the job wrote.
  {
    slot: "running",
    version: "other",
    firmware: "unconfirmed",
    verdict: "drop, trial without job",
    text: installedAnotherWay,
  },
  { slot: "running", version: "other", verdict: "drop", text: installedAnotherWay },
  {
    slot: "running",
    phase: "downloading",
    firmware: "unconfirmed",
    verdict: "drop, trial without job",
    text: installedAnotherWay,
  },
  { slot: "running", phase: "downloading", verdict: "drop", text: installedAnotherWay },
  // It was given up, yet runs again: a cut while the boot entry was changed, or no other slot that boots.
  { slot: "running", outcome: "fail", reset: "power loss", verdict: "roll back" },
  { slot: "running", outcome: "fail", verdict: "report" },
  { slot: "running", outcome: "done", verdict: "report" },
  { slot: "running", phase: "confirmed", firmware: "confirmed", verdict: "report" },
  { slot: "running", verdict: "trial" },
  {
    firmware: "unconfirmed",
    verdict: "drop, trial without job",
    text: () => "the running firmware is unconfirmed and not of this job",
  },
  { slot: "other", verdict: "drop", text: ({ record }) => `slot ${record.slot} is not the one to write` },
  // Running from the other slot, or the job is of a component: it is not done, or it was rolled back.
  { end: "not reached", verdict: "decide" },
  { end: "outage", verdict: "decide" },
  { outcome: "fail", verdict: "report" },
  { outcome: "done", verdict: "report" },
  { phase: "downloading", verdict: "resume" },
  { phase: "committing", verdict: "commit" },
  // `done` may be on its way already: a second outcome would be false either way.
  {
    phase: "confirmed",
    verdict: "drop",
    text: ({ offer }) => `firmware ${offer.version} was confirmed and does not run any more`,
  },
  // The power was lost after the image was denied and before the outcome was stored. A cut in the bootloader may have
  // taken the boot entry.
  { image: "denied", verdict: "rolled back, deny", text: failedInTrial },
  // The cut came before the new code ran: an activation, and no trial.
  { entry: "failed", started: "no", trials: "left", activations: "left", verdict: "try again" },
  { entry: "failed", started: "no", verdict: "rolled back", text: neverStarted },
  // An application that sleeps past the agent, or a trial of too many wakes: no fault of the image is known.
  {
    entry: "failed",
    reset: "deep sleep",
    verdict: "rolled back",
    text: ({ offer }) => `firmware ${offer.version} slept before it was confirmed`,
  },
  { entry: "failed", reset: "other", verdict: "rolled back, deny", text: failedInTrial },
  {
    trials: "used up",
    verdict: "rolled back",
    text: (_job, _facts, trials) => `trial cut short by power loss ${trials} times`,
  },
  { activations: "used up", verdict: "rolled back", text: neverStarted },
  { verdict: "try again" },
]);

/**
 * The running firmware is on trial: "pending" under a bootloader with rollback, "new" under one without, "undefined"
 * where firmware that was built without rollback has installed it.
 */
export const isUnconfirmed = ({ state }: Running): boolean =>
  state === "pending" || state === "new" || state === "undefined";

export const lostPower = ({ resetReason }: { readonly resetReason: ResetReason }): boolean =>
  resetReason === "power-on" || resetReason === "brown-out";

export interface Decision {
  readonly verdict: Verdict;
  readonly text: string;
  /** Trials of the job that were cut short, with the one that this boot ends. */
  readonly trials: number;
}

/**
 * `maxAttempts`: trials that may be cut short. `denied`: the job's image failed by its own fault. `end`: how its trial has
 * ended, where another one is allowed.
 */
export const decideBoot = (
  job: StoredJob | undefined,
  facts: BootFacts,
  platform: string,
  maxAttempts: number,
  denied: boolean,
  end?: TrialEnd,
): Decision => {
  const failed = job !== undefined && facts.lastInvalid === job.record.slot;
  const trials = (job?.phase.trials ?? 0) + (failed && facts.targetStarted !== false ? 1 : 0);
  const found = caseOf(job, facts, platform, trials >= maxAttempts, denied, end);
  const row = BOOT_TABLE.find((candidate) => matches(candidate, found))!;
  return { verdict: row.verdict, text: job === undefined ? "" : (row.text?.(job, facts, trials) ?? ""), trials };
};

const caseOf = (
  job: StoredJob | undefined,
  facts: BootFacts,
  platform: string,
  usedUp: boolean,
  denied: boolean,
  end: TrialEnd | undefined,
): Partial<BootCase> => {
  const { running, target } = facts;
  const firmware = isUnconfirmed(running) ? "unconfirmed" : "confirmed";
  if (job === undefined) return { job: "none", firmware };
  const { slot } = job.record;
  return {
    job: "present",
    platform: job.record.platform === platform ? "same" : "other",
    slot:
      slot === COMPONENT_SLOT ? "component" : slot === running.slot ? "running" : slot === target ? "target" : "other",
    version: running.version === job.offer.version ? "same" : "other",
    firmware,
    phase: job.phase.phase,
    outcome: job.outcome?.kind ?? "none",
    reset: lostPower(facts) ? "power loss" : facts.resetReason === "deep-sleep" ? "deep sleep" : "other",
    image: denied ? "denied" : "not denied",
    entry: facts.lastInvalid === slot ? "failed" : "not failed",
    started: slot !== target || facts.targetStarted === undefined ? "unknown" : facts.targetStarted ? "yes" : "no",
    trials: usedUp ? "used up" : "left",
    end: (end === "not reached" || end === "outage") && isOpen(job) ? end : "other",
    activations: job.phase.activations >= ACTIVATIONS_MAX ? "used up" : "left",
  };
};

/** No other verdict was stored since the trial has ended. */
const isOpen = ({ phase, outcome }: StoredJob): boolean =>
  phase.phase === "trial" && (outcome === undefined || (outcome.kind === "fail" && outcome.cause === "rolled-back"));

const matches = (row: BootRow, found: Partial<BootCase>): boolean => {
  return (Object.keys(row) as (keyof BootRow)[]).every(
    (column) => column === "verdict" || column === "text" || row[column] === found[column],
  );
};
