/**
 * The new firmware did not reach the cloud and was rolled back. If the old one reaches it soon, the image is to blame and
 * the job fails. If not, nobody could reach it: the image is activated again when the cloud is there, without a download
 * and within the budgets. What is decided is stored with the count of the trial (budgets.ts), so that a power cut
 * changes nothing about it.
 */
import { DECIDE_WITHIN } from "../constants";
import { acked } from "./acknowledge";
import type { JobContext } from "./context";
import type { JobEvent } from "./effects";
import { fail } from "./outcome";
import { askProof, proofOf } from "./proof";
import { noteLink, pendingAnswer } from "./report";
import { before, stay, to } from "./states";
import type { Deciding, Installing, Reporting, Step } from "./states";
import type { StoredJob } from "./stored-job";
import { verify } from "./verify";
import type { Verified } from "./verify";

type Event<T extends JobEvent["type"]> = Extract<JobEvent, { type: T }>;
type Decided = Deciding | Reporting | Exclude<Verified, Installing>;

/** The old firmware has started, and its interface has an address. */
export const decide = (context: JobContext, job: StoredJob, now: number): Step<Deciding> => {
  const outage = context.budgets.endOf(job.known, job.stamp) === "outage";
  return to({ name: "deciding", job, outage, until: outage ? undefined : now + DECIDE_WITHIN }, [
    { type: "notify", notice: { event: "state", state: "deciding" } },
  ]);
};

export const linkWhileDeciding = (
  context: JobContext,
  state: Deciding,
  event: Event<"link">,
  now: number,
): Step<Decided> => {
  noteLink(context, event, now);
  if (!event.up) return stay(state);
  const reports = pendingAnswer(context).concat(askProof(context, state));
  return proofOf(context, state) === undefined ? before(reports, reached(context, state, now)) : to(state, reports);
};

export const ackedWhileDeciding = (
  context: JobContext,
  state: Deciding,
  event: Event<"acked">,
  now: number,
): Step<Decided> => (event.token === "burning" ? reached(context, state, now) : acked(context, state, event, now));

const reached = (context: JobContext, state: Deciding, now: number): Step<Decided> => {
  const { job, outage } = state;
  const { budgets, facts } = context;
  if (!outage) {
    const counted = budgets.decided(job.known, "at fault", now);
    const why = `${messageOf(job)}; ${facts.running.version} reached it after the rollback`;
    return before(counted, fail(context, job, "rolled-back", why, { keepCheckpoint: true }));
  }
  const wait = budgets.waitFor(job.known, now);
  return wait > 0 ? stay({ ...state, until: now + wait * 1000 }) : tryAgain(context, job, now);
};

const messageOf = ({ outcome, offer }: StoredJob): string =>
  outcome?.kind === "fail" ? outcome.message : `firmware ${offer.version} did not reach the cloud`;

/** Nobody reached the cloud in time, or the wait for the next trial is over. */
export const decidingTimeout = (context: JobContext, state: Deciding, _event: unknown, now: number): Step<Decided> => {
  const { job, outage } = state;
  if (outage && context.linkUp) return tryAgain(context, job, now);
  const effects = outage ? [] : context.budgets.decided(job.known, "outage", now);
  return to({ name: "deciding", job, outage: true, until: undefined }, effects);
};

/** The image is proven once more, as after a power cut before the switch. It is firmware: a component has no trial. */
const tryAgain = (context: JobContext, job: StoredJob, now: number): Step<Decided> =>
  before(
    [...job.reopen(), job.enter({ phase: "committing" })],
    verify(context, job, now) as Step<Exclude<Verified, Installing>>,
  );
