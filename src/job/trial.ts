/**
 * New firmware on trial: it reaches the cloud, passes the application's own check, and stays; or it is rolled back,
 * with the reason.
 */
import { TRIAL_MARGIN, TRIAL_SPAN, TRIAL_WAKES } from "../constants";
import { acked } from "./acknowledge";
import { ACTIVATIONS_MAX, lostPower } from "./boot-table";
import type { JobContext } from "./context";
import type { JobEffect, JobEvent } from "./effects";
import { takeDeferred } from "./offers";
import { failure, remember, report } from "./outcome";
import { askProof, proofOf } from "./proof";
import { RECORDS } from "./records";
import { noteLink, pendingAnswer } from "./report";
import { beforeSleep } from "./sleep";
import { deadlineText } from "./stage";
import { before, jobOf, stay, to, warning } from "./states";
import type {
  Consent,
  Idle,
  Reporting,
  RollingBack,
  RollingBackWithoutJob,
  Step,
  Trial,
  TrialWithoutJob,
} from "./states";
import type { StoredJob } from "./stored-job";

type Event<T extends JobEvent["type"]> = Extract<JobEvent, { type: T }>;
type AnyTrial = Trial | TrialWithoutJob;

/** A new object each time: XS throws "read only value" when an application passes a frozen notice to JSON.stringify. */
const trialNotice = (): JobEffect => ({ type: "notify", notice: { event: "state", state: "trial" } });

/** Awake time counts, over deep sleeps. */
const endOfTrial = ({ options, facts }: JobContext, now: number): number =>
  now + options.policy.trialSeconds * 1000 - facts.startUp.awake;

/** The chip's own deadline follows that of the state. */
const until = <S extends AnyTrial>(state: S, effects: readonly JobEffect[], now: number): Step<S> =>
  to(state, [{ type: "deadline", milliseconds: state.until - now + TRIAL_MARGIN }, ...effects]);

/** A router that restarts together with the device takes minutes: without an address nothing was tried. Once. */
const extension = <S extends AnyTrial>(context: JobContext, state: S, now: number): Step<S> | undefined =>
  context.hasAddress || state.extended === true
    ? undefined
    : until({ ...state, until: now + context.options.policy.trialSeconds * 1000, extended: true }, [], now);

export const startTrial = (context: JobContext, job: StoredJob, now: number): Step<Trial> =>
  until({ name: "trial", job, until: endOfTrial(context, now), asked: false }, [trialNotice()], now);

/** The running firmware came by another way than a job in the store, if there is one. */
export const startTrialWithoutJob = (context: JobContext, now: number): Step<TrialWithoutJob> =>
  until({ name: "trial-without-job", until: endOfTrial(context, now), asked: false }, [trialNotice()], now);

/** The old firmware runs again after a trial of its job: one more trial of that image, counted once. */
export const countTrial = (context: JobContext, job: StoredJob, now: number): JobEffect[] => {
  const { facts, budgets, denylist } = context;
  if (job.phase.phase !== "trial" || job.record.slot !== facts.target) return [];
  const { known, outcome, stamp } = job;
  const started = facts.lastInvalid === facts.target && facts.targetStarted !== false;
  const rolledBack = outcome?.kind === "fail" && outcome.cause === "rolled-back";
  // It never started, which `activations` bounds. A cut in the rollback may have taken the boot entry, but not the
  // outcome.
  if (!started && !rolledBack) return [];
  const slept = facts.resetReason === "deep-sleep";
  const neverStarted = !started && job.phase.activations >= ACTIVATIONS_MAX;
  const ownFault =
    outcome === undefined ? !lostPower(facts) && !slept : denylist.causeOf(known.digest) === "rolled-back";
  // The denylist has the image, or gets it now; without a digest it cannot.
  if (ownFault && known.digest !== undefined) return [];
  const end = outcome === undefined ? "power" : "not reached";
  return budgets.trialEnded(known, ownFault || slept || neverStarted ? "rolled back" : end, stamp, now);
};

/* ---- the cloud is reached ---- */

/** With CONNACK and SUBACK, where the cloud has no version report. */
export const linkInTrial = <S extends AnyTrial>(
  context: JobContext,
  state: S,
  event: Event<"link">,
  now: number,
): Step<S> => {
  noteLink(context, event, now);
  if (!event.up) return stay(state);
  const reports = pendingAnswer(context).concat(askProof(context, state));
  return proofOf(context, state) === undefined ? before(reports, reached(context, state)) : to(state, reports);
};

export const ackedInTrial = <S extends AnyTrial>(
  context: JobContext,
  state: S,
  event: Event<"acked">,
  now: number,
): Step<S> => (event.token === proofOf(context, state) ? reached(context, state) : acked(context, state, event, now));

/** The application checks itself, once. */
export const reached = <S extends AnyTrial>(context: JobContext, state: S): Step<S> => {
  if (state.asked) return stay(state);
  const task = jobOf(state)?.offer ?? { version: context.facts.running.version };
  return to({ ...state, asked: true }, [{ type: "ask", question: "health", task }]);
};

/* ---- the verdict ---- */

export const health = (
  context: JobContext,
  state: Trial,
  { ok, message }: Event<"health">,
  now: number,
): Step<Trial | Reporting | RollingBack> => {
  const { job } = state;
  if (!state.asked) return stay(state);
  if (!ok) return giveUp(context, job, `trial: health check failed: ${message}`, true, now);
  // Confirmed first, reported second: a cut in between repeats the trial of firmware that stays anyway.
  return before(
    [...confirm(context), ...context.budgets.confirmed(job.known, now), job.enter({ phase: "confirmed" })],
    report(job, { kind: "done" }),
  );
};

export const healthWithoutJob = (
  context: JobContext,
  state: TrialWithoutJob,
  { ok, message }: Event<"health">,
  now: number,
): Step<TrialWithoutJob | Idle | Consent | RollingBackWithoutJob> => {
  if (!state.asked) return stay(state);
  if (ok) return before(confirm(context), takeDeferred(context, now));
  return before([warning(`trial: health check failed: ${message}`)], giveUpWithoutJob(context));
};

const confirm = (context: JobContext): JobEffect[] => [
  { type: "confirm" },
  { type: "deadline", milliseconds: 0 },
  { type: "notify", notice: { event: "confirmed", version: context.facts.running.version } },
  ...raiseMinimum(context),
];

/**
 * Firmware that stays raises the minimum security version to its own. Only where signatures are asked for: else
 * anybody's image could set one that no later image reaches.
 */
export const raiseMinimum = (context: JobContext): JobEffect[] => {
  const { options, facts } = context;
  const own = facts.running.securityFloor ?? 0;
  if (options.refusalOfSignature === undefined || own <= context.minimumSecurityVersion) return [];
  context.minimumSecurityVersion = own;
  return [{ type: "put-number", key: RECORDS.minimumSecurityVersion.key, value: own }];
};

export const trialTimeout = (
  context: JobContext,
  state: Trial,
  _event: unknown,
  now: number,
): Step<Trial | RollingBack> =>
  extension(context, state, now) ??
  giveUp(context, state.job, deadlineText(context, state.asked, boundOf(context, state)), state.asked, now);

export const trialWithoutJobTimeout = (
  context: JobContext,
  state: TrialWithoutJob,
  _event: unknown,
  now: number,
): Step<TrialWithoutJob | RollingBackWithoutJob> =>
  extension(context, state, now) ??
  before([warning(deadlineText(context, state.asked, boundOf(context, state)))], giveUpWithoutJob(context));

/** Undefined: the length of the trial. */
const boundOf = ({ options }: JobContext, { extended }: AnyTrial): string | undefined =>
  extended === true ? `${2 * options.policy.trialSeconds} s` : undefined;

/** The bound that another sleep would break. The start-up enforces it as well, but cannot say why. */
const boundOfSleep = ({ facts, options }: JobContext, seconds: number): string | undefined => {
  const { wakes, since } = facts.startUp;
  if (wakes >= TRIAL_WAKES) return `${TRIAL_WAKES} wakes`;
  const next = since + (options.policy.trialSeconds + seconds) * 1000;
  return next > TRIAL_SPAN ? `${TRIAL_SPAN / 3_600_000} h` : undefined;
};

export const sleepInTrial = (
  context: JobContext,
  state: Trial,
  event: Event<"sleep">,
  now: number,
): Step<Trial | RollingBack> => {
  const bound = boundOfSleep(context, event.seconds);
  return bound === undefined
    ? beforeSleep(context, state, event, now)
    : giveUp(context, state.job, deadlineText(context, state.asked, bound), state.asked, now);
};

export const sleepInTrialWithoutJob = (
  context: JobContext,
  state: TrialWithoutJob,
  event: Event<"sleep">,
  now: number,
): Step<TrialWithoutJob | RollingBackWithoutJob> =>
  boundOfSleep(context, event.seconds) === undefined
    ? beforeSleep(context, state, event, now)
    : giveUpWithoutJob(context);

/**
 * `deny`: the image is at fault and is not tried again; an unreachable cloud may not be its fault. The old firmware
 * reports.
 */
export const giveUp = (
  context: JobContext,
  job: StoredJob,
  message: string,
  deny: boolean,
  now: number,
): Step<RollingBack> => {
  return to({ name: "rolling-back", job }, [
    ...(deny ? blame(context, job, now) : []),
    job.conclude(failure("rolled-back", message)),
    ...leave(context),
  ]);
};

/** On the denylist; without a digest only the count of its trials can say that it is at fault. */
const blame = (context: JobContext, { known, names, offer, stamp }: StoredJob, now: number): JobEffect[] =>
  known.digest === undefined
    ? context.budgets.trialEnded(known, "rolled back", stamp, now)
    : remember(context, [offer, ...names], "rolled-back");

export const giveUpWithoutJob = (context: JobContext): Step<RollingBackWithoutJob> =>
  to({ name: "rolling-back-without-job" }, leave(context));

export const leave = ({ facts }: JobContext): JobEffect[] => [
  { type: "rollback" },
  { type: "reboot", slot: facts.target },
];
