/**
 * The first event: what the boot means is decided, and the job in the store continues, is repeated, reported or
 * dropped.
 */
import { ACTIVATIONS_MAX, decideBoot } from "./boot-table";
import { tellBootloader } from "./bootloader";
import type { Decision } from "./boot-table";
import { decide as decideByLink } from "./deciding";
import { spentNotice } from "./budgets";
import type { JobContext } from "./context";
import type { JobEffect } from "./effects";
import { startDownload } from "./download";
import { expand } from "./containers";
import { fail, finishFailure, report } from "./outcome";
import { before, IDLE, to, warning } from "./states";
import type {
  Activating,
  Checking,
  Downloading,
  Deciding,
  Expanding,
  Idle,
  Reporting,
  Starting,
  Step,
  Trial,
  TrialWithoutJob,
  Waiting,
} from "./states";
import { StoredJob } from "./stored-job";
import { refusalOfOffer } from "./target";
import { countTrial, raiseMinimum, startTrial, startTrialWithoutJob } from "./trial";
import { checkRunning, verify, verifyAgain } from "./verify";
import type { Verified } from "./verify";
import type { Outcome } from "./types";

type Booted =
  | Idle
  | Trial
  | TrialWithoutJob
  | Reporting
  | Waiting
  | Downloading
  | Checking
  | Verified
  | Activating
  | Deciding
  | Expanding;

export const boot = (context: JobContext, _state: Starting, _event: unknown, now: number): Step<Booted> => {
  const job = StoredJob.restore(context.facts.stored);
  // No sleep begins in the middle of a program.
  if (job !== undefined && context.facts.resetReason === "deep-sleep") job.torn = -1;
  context.budgets.start(now);
  // Before the verdict: a trial that has ended counts for it.
  const counted = job === undefined ? [] : countTrial(context, job, now);
  return before([...tellBootloader(context), ...counted], decide(context, job, now));
};

const decide = (context: JobContext, job: StoredJob | undefined, now: number): Step<Booted> => {
  const { facts, options, budgets, denylist } = context;
  const { platform, policy } = options;
  const denied = job !== undefined && denylist.causeOf(job.known.digest) === "rolled-back";
  const usedUp = job !== undefined && budgets.usedUp(job.known);
  const end = job === undefined || usedUp ? undefined : budgets.endOf(job.known, job.stamp);
  const decision = decideBoot(job, facts, platform.name, usedUp ? 0 : policy.maxAttempts, denied, end);
  if (decision.verdict === "trial without job") {
    // The job of a component continues after the trial.
    context.deferred = job?.offer;
    return startTrialWithoutJob(context, now);
  }
  // Firmware that a power cut kept from raising the minimum security version, or that was flashed by wire.
  if (job === undefined) return to(IDLE, raiseMinimum(context));
  return ofJob(context, job, decision, now);
};

const ofJob = (context: JobContext, job: StoredJob, { verdict, text, trials }: Decision, now: number): Step<Booted> => {
  switch (verdict) {
    case "trial":
      return startTrial(context, job, now);
    case "drop":
      return to(IDLE, drop(job, text));
    case "drop, trial without job":
      return before(drop(job, text), startTrialWithoutJob(context, now));
    case "decide":
      return before(noticeOf(context, job), decideByLink(context, job, now));
    case "report":
    case "roll back":
      return reportAgain(context, job, verdict);
    case "rolled back":
      return before(noticeOf(context, job), fail(context, job, "rolled-back", text, { keepCheckpoint: true }));
    case "rolled back, deny":
      return before(noticeOf(context, job), fail(context, job, "rolled-back", text, { deny: true }));
    case "try again":
      return refusedNow(context, job) ?? before([leftOf(context, job, trials)], verifyAgain(context, job, trials, now));
    case "commit":
      return refusedNow(context, job) ?? verifyStored(context, job, now);
    default:
      return refusedNow(context, job) ?? resume(context, job, now);
  }
};

/** Another activation, or another trial after one that a power loss cut short. */
const leftOf = ({ options }: JobContext, { offer, phase }: StoredJob, trials: number): JobEffect =>
  trials > phase.trials
    ? spentNotice("power-loss trials", offer, options.policy.maxAttempts - trials, 0)
    : spentNotice("activations", offer, ACTIVATIONS_MAX - phase.activations, 0);

const drop = (job: StoredJob, why: string): JobEffect[] =>
  job.forget(false).concat(warning(`stored job dropped: ${why}`));

const DONE: Outcome = Object.freeze({ kind: "done" });

/**
 * Firmware that was given up and runs again rolls back first. The old firmware makes up for what a cut kept from the
 * slot.
 */
const reportAgain = (context: JobContext, job: StoredJob, verdict: "report" | "roll back"): Step<Reporting> => {
  const outcome = job.outcome ?? DONE;
  const first: JobEffect[] =
    verdict === "roll back"
      ? [{ type: "rollback" }]
      : [...noticeOf(context, job), ...finishFailure(context, job, outcome)];
  return before(first, report(job, outcome));
};

/** The old firmware runs again after a trial of the new one. */
const noticeOf = ({ facts }: JobContext, { phase, record, offer }: StoredJob): JobEffect[] =>
  phase.phase === "trial" && record.slot === facts.target
    ? [{ type: "notify", notice: { event: "rollback", version: offer.version } }]
    : [];

/** Other firmware may have been flashed meanwhile, which would not take the job in the store. */
const refusedNow = (context: JobContext, job: StoredJob): Step<Reporting> | undefined => {
  const refusal = refusalOfOffer(context, job.offer);
  return refusal === undefined ? undefined : fail(context, job, "rejected", refusal, { discard: true });
};

/** From the digest on: that costs half a second, and nothing then relies on what was true before the cut. */
const verifyStored = (context: JobContext, job: StoredJob, now: number): Step<Verified> =>
  before(job.target.open(job.offer, job.offset), verify(context, job, now));

const resume = (
  context: JobContext,
  job: StoredJob,
  now: number,
): Step<Waiting | Downloading | Checking | Expanding | Verified> => {
  if (job.complete) return verifyStored(context, job, now);
  if (job.container !== undefined && !job.isStaging) return expand(context, job, now);
  // The cut came while the running image was compared with the offer.
  if (job.target.runs(context, job.offer)) return checkRunning(context, job, now);
  // A wake is no power-on after which the cloud may know better: the URL worked minutes ago.
  if (context.facts.resetReason === "deep-sleep") return startDownload(job, now);
  return to({ name: "waiting", job, until: now + context.options.platform.rules.resumeDelay }, []);
};
