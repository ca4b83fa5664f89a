/** Offers, from the push to the beginning of a job, whatever is under way when one comes. */
import { acked } from "./acknowledge";
import { plainInstead } from "./containers";
import type { JobContext } from "./context";
import { download, renew, startDownload } from "./download";
import type { JobEffect, JobEvent } from "./effects";
import { failure, refuse } from "./outcome";
import { sameImage } from "./policy";
import { versionAfter } from "./report";
import { before, IDLE, stay, to, warning } from "./states";
import type {
  AwaitingLink,
  Burning,
  Checking,
  Choosing,
  Committing,
  Consent,
  Deciding,
  Downloading,
  Expanding,
  Idle,
  Installing,
  Renewing,
  Reporting,
  Restart,
  State,
  Step,
  Storing,
  Trial,
  TrialWithoutJob,
  Verifying,
  Waiting,
} from "./states";
import { StoredJob } from "./stored-job";
import { refusalOfOffer, targetOf } from "./target";
import type { Offer, Outcome } from "./types";
import { checkRunning } from "./verify";
import type { Verified } from "./verify";

type Event<T extends JobEvent["type"]> = Extract<JobEvent, { type: T }>;
/** A job is under way that a newer image of the same target supersedes. */
export type Busy =
  | Checking
  | Choosing
  | Waiting
  | Downloading
  | Storing
  | Renewing
  | Verifying
  | Expanding
  | Committing
  | Burning
  | AwaitingLink
  | Restart
  | Deciding;

/* ---- an offer, by what is under way ---- */

export const offerWhenIdle = (
  context: JobContext,
  state: Idle,
  { offer }: { readonly offer: Offer },
  now: number,
): Step<Idle | Consent> => {
  const { answered, refusedForGood } = context;
  if (refusedForGood !== undefined && sameImage(refusedForGood, offer)) return stay(state);
  // Another job of it would end in the same way, and cost a dozen entries in the store.
  if (answered !== undefined && sameImage(answered.offer, offer))
    return answer(context, state, offer, answered.outcome, now);
  const refusal = refusalOf(context, offer, now);
  return refusal === undefined ? askConsent(context, offer, now) : answerNo(context, state, offer, refusal, now);
};

export const offerInConsent = (
  context: JobContext,
  state: Consent,
  { offer }: Event<"offer">,
  now: number,
): Step<Consent> => {
  if (sameImage(state.offer, offer)) return stay({ name: "consent", offer });
  const refusal = refusalOf(context, offer, now);
  if (refusal !== undefined) return answerNo(context, state, offer, refusal, now);
  return state.offer.component === offer.component
    ? askConsent(context, offer, now)
    : defer(context, state, offer, now);
};

/** The same image again: its URL may be of use later. */
export const offerWhenBusy = <S extends Busy>(
  context: JobContext,
  state: S,
  { offer }: Event<"offer">,
  now: number,
): Step<S | Consent> => {
  return sameImage(state.job.offer, offer)
    ? to(state, settle(context, state.job, offer))
    : otherOffer(context, state, offer, now);
};

/** A fresh push of the job that was found at power-on: it continues at once. */
export const offerWhileWaiting = (
  context: JobContext,
  state: Waiting,
  { offer }: Event<"offer">,
  now: number,
): Step<Waiting | Consent | Downloading> => {
  const { job } = state;
  if (!sameImage(job.offer, offer)) return otherOffer(context, state, offer, now);
  const settled = settle(context, job, offer);
  const url = offer.url === job.offer.url ? [] : job.renew(offer.url);
  return before(
    [...settled, { type: "notify", notice: { event: "offer", version: offer.version, size: job.offer.size } }, ...url],
    startDownload(job, now),
  );
};

/** The fresh URL that was asked for. */
export const offerWhileRenewing = (
  context: JobContext,
  state: Renewing,
  { offer }: Event<"offer">,
  now: number,
): Step<Renewing | Consent | Downloading> => {
  if (!sameImage(state.job.offer, offer)) return otherOffer(context, state, offer, now);
  return before(settle(context, state.job, offer), renew(state, offer.url));
};

/** The running firmware proves itself first; an outcome is reported first; an installer is not interrupted. */
export const offerWhileUnable = <S extends Trial | Reporting | Installing>(
  context: JobContext,
  state: S,
  { offer }: Event<"offer">,
  now: number,
): Step<S> => {
  const { job } = state;
  return sameImage(job.offer, offer) && job.offer.id === offer.id
    ? to(state, settle(context, job, offer))
    : defer(context, state, offer, now);
};

export const offerInTrialWithoutJob = (
  context: JobContext,
  state: TrialWithoutJob,
  { offer }: Event<"offer">,
  now: number,
) => defer(context, state, offer, now);

/* ---- what becomes of it ---- */

/** A further task for the image of the job: the outcome is that of the latest. */
const settle = ({ pending }: JobContext, job: StoredJob, offer: Offer): JobEffect[] => {
  job.freshUrl = offer.url;
  const adopted = offer.id === job.offer.id ? [] : job.renew(job.offer.url, offer);
  return pending.offerSettled(offer).concat(adopted);
};

/** A newer image supersedes an older one of the same target. Jobs of different targets run one after the other. */
const otherOffer = <S extends Busy>(context: JobContext, state: S, offer: Offer, now: number): Step<S | Consent> => {
  const { job } = state;
  const refusal = refusalOf(context, offer, now);
  if (refusal !== undefined) return answerNo(context, state, offer, refusal, now);
  if (job.offer.component !== offer.component) return defer(context, state, offer, now);
  return askConsent(context, offer, now, job);
};

/** `superseded`: its checkpoint is kept, and the cloud is told nothing of it. */
const askConsent = (context: JobContext, offer: Offer, now: number, superseded?: StoredJob): Step<Consent> => {
  const waits = context.pending.offerWaits(offer, now);
  if (superseded !== undefined) {
    context.leave(superseded, true);
    waits.push({ type: "stop-download" }, ...superseded.forget(true));
  }
  return to({ name: "consent", offer }, [
    ...waits,
    { type: "notify", notice: { event: "offer", version: offer.version, size: offer.size } },
    { type: "ask", question: "consent", task: offer },
  ]);
};

/** The latest offer counts, but a stale or a bad one does not replace one that would be taken. */
const defer = <S extends State>(context: JobContext, state: S, offer: Offer, now: number): Step<S> => {
  const { deferred } = context;
  const refusal =
    deferred === undefined || refusalOf(context, deferred, now) !== undefined
      ? undefined
      : refusalOf(context, offer, now);
  if (refusal !== undefined) return answerNo(context, state, offer, refusal, now);
  context.deferred = offer;
  return to(state, context.pending.offerWaits(offer, now));
};

const refusalOf = (context: JobContext, offer: Offer, now: number): string | undefined =>
  refusalOfOffer(context, offer) ?? targetOf(offer).refusalByHistory(context, offer, now);

const answerNo = <S extends State>(
  context: JobContext,
  state: S,
  offer: Offer,
  refusal: string,
  now: number,
): Step<S> => {
  if (context.options.platform.rules.wantedState === true) {
    // What stands against it may pass, or was reported when its job ended: it is seen again, and told to people alone.
    if (refusal !== refusalOfOffer(context, offer)) return tellWhy(context, state, `${offer.version}: ${refusal}`);
    context.refusedForGood = offer;
  }
  return answer(context, state, offer, failure("rejected", refusal), now);
};

const tellWhy = <S extends State>(context: JobContext, state: S, text: string): Step<S> => {
  const cause = text.replace(/[0-9]+/g, "#");
  if (context.toldWhy === cause) return stay(state);
  context.toldWhy = cause;
  return to(state, [warning(text)]);
};

/** Answers an offer that becomes no job. */
const answer = <S extends State>(
  context: JobContext,
  state: S,
  offer: Offer,
  outcome: Outcome,
  now: number,
): Step<S> => {
  const settled = context.pending.offerSettled(offer);
  return before(settled, refuse(context, state, { task: offer, outcome }, now));
};

/** The latest offer that came while none could begin. */
export const takeDeferred = (context: JobContext, now: number): Step<Idle | Consent> => {
  const { deferred } = context;
  if (deferred === undefined) return stay(IDLE);
  context.deferred = undefined;
  return offerWhenIdle(context, IDLE, { offer: deferred }, now);
};

/* ---- the application's answer ---- */

export const consented = (
  context: JobContext,
  { offer }: Consent,
  { decision }: Event<"consent">,
  now: number,
): Step<Idle | Consent | Checking | Downloading | Verified> => {
  if (decision === "accept") return begin(context, offer, now);
  const declined = answerNo(context, IDLE, offer, "declined by the application", now);
  return before(declined.effects, takeDeferred(context, now));
};

const begin = (context: JobContext, offer: Offer, now: number): Step<Checking | Downloading | Verified> => {
  context.toldWhy = undefined;
  const target = targetOf(offer);
  const record = { platform: context.options.platform.name, slot: target.slot || context.facts.target, offer };
  const { job, effects } = StoredJob.begin(record, context.leftFor(target));
  effects.push(...settle(context, job, offer));
  return target.runs(context, offer)
    ? before(effects, checkRunning(context, job, now))
    : before(effects, download(context, job, now));
};

/* ---- the end of a job ---- */

export const ackedOutcome = (
  context: JobContext,
  state: Reporting,
  event: Event<"acked">,
  now: number,
): Step<Reporting | Idle | Consent> =>
  event.token === "outcome" ? closeJob(context, state, now) : acked(context, state, event, now);

/** The cloud has acknowledged the one terminal outcome. */
const closeJob = (context: JobContext, { job, outcome }: Reporting, now: number): Step<Idle | Consent> => {
  const keep = (outcome.kind === "fail" || job.offer.fetchOnly === true) && job.offset > 0;
  context.leave(job, keep);
  // What the network did says nothing of the container.
  if (outcome.kind === "fail" && outcome.cause !== "download-timeout") plainInstead(context, job);
  const final = isFinal(outcome);
  // Another attempt may end differently where the file was not reached.
  if ((final || outcome.kind === "done") && job.target.runs(context, job.offer))
    context.answered = { offer: job.offer, outcome };
  if (final && context.options.platform.rules.wantedState === true) context.refusedForGood = job.offer;
  const closed = job.forget(keep).concat(versionAfter(context, IDLE, now));
  return before(closed, takeDeferred(context, now));
};

/** The image itself is refused: another attempt would end alike. */
const isFinal = (outcome: Outcome): boolean =>
  outcome.kind === "fail" && (outcome.cause === "rejected" || outcome.cause === "signature");
