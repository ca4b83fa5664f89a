/**
 * What the cloud is told when a connection is there: the version, a waiting outcome, and answers that were not
 * acknowledged.
 */
import { REREPORT } from "../constants";
import type { JobContext } from "./context";
import type { JobEffect, JobEvent } from "./effects";
import { reportOf } from "./outcome";
import { jobOf, stay, to } from "./states";
import type { Idle, Reporting, State, Step } from "./states";

type Event<T extends JobEvent["type"]> = Extract<JobEvent, { type: T }>;

export const linkChanged = <S extends State>(
  context: JobContext,
  state: S,
  event: Event<"link">,
  now: number,
): Step<S> => {
  noteLink(context, event, now);
  if (!event.up) return stay(state);
  const answer = pendingAnswer(context);
  const version = answer.length > 0 && isVersionLast(context) ? [] : reportVersion(context, state);
  return to(state, [...answer, ...version, ...progressAgain(state, now)]);
};

/** What was reported into a dead connection is lost. */
const progressAgain = (state: State, now: number): JobEffect[] => {
  if (!("progress" in state)) return [];
  const { job, progress } = state;
  progress.again(now);
  return progress.report(job, now);
};

/**
 * A `fail` goes out before the version, or the cloud pushes the image again. `done` goes out after it, except where the
 * version comes last.
 */
export const linkWhileReporting = (
  context: JobContext,
  state: Reporting,
  event: Event<"link">,
  now: number,
): Step<Reporting> => {
  noteLink(context, event, now);
  if (!event.up) return stay(state);
  const { job, outcome } = state;
  const answer = pendingAnswer(context);
  const report = reportOf(job, outcome);
  if (outcome.kind === "fail" || isVersionLast(context)) return to(state, [...answer, report]);
  return to(state, [...answer, ...reportVersion(context, state), report]);
};

export const noteLink = (context: JobContext, event: Event<"link">, now: number): void => {
  const { up } = event;
  context.linkUp = up;
  if (!up && event.reason !== undefined) context.obstacles.link = event.reason;
  context.linkDown = !up;
  context.versionReported = false;
  context.askAgainAt = up ? nextReport(context, now) : undefined;
};

/** A version report brings a lost push again, except where it comes last. */
const nextReport = (context: JobContext, now: number): number | undefined => {
  const { renewable, versionReport } = context.options.platform.rules;
  return renewable && versionReport && !isVersionLast(context) ? now + REREPORT : undefined;
};

export const isVersionLast = ({ options }: JobContext): boolean =>
  options.platform.rules.versionAfterOutcome !== undefined;

/** An outcome was acknowledged. `state`: what follows it. */
export const versionAfter = (context: JobContext, state: State, now: number): JobEffect[] => {
  const pause = context.options.platform.rules.versionAfterOutcome;
  if (context.versionReported) return [];
  if (pause === undefined) return reportVersion(context, state);
  context.askAgainAt = now + pause;
  return [];
};

export const pendingAnswer = ({ pending }: JobContext): JobEffect[] => {
  const { answer } = pending;
  if (answer === undefined) return [];
  const { task, outcome } = answer;
  return [{ type: "report", token: "refused", report: { kind: "outcome", task, outcome } }];
};

/** Nothing where the cloud has no version report, or where one would use up a push of what is in hand or waits. */
export const reportVersion = (context: JobContext, state: State): JobEffect[] => {
  const { running } = context.facts;
  const { rules } = context.options.platform;
  if (!context.linkUp || !rules.versionReport) return [];
  const job = jobOf(state);
  const busy = job !== undefined || context.deferred !== undefined || state.name === "consent";
  const runsTarget = job?.record.slot === running.slot;
  // A trial ends well only with the version's PUBACK.
  const needed = runsTarget || state.name === "trial" || state.name === "trial-without-job";
  if (busy && !rules.versionWhileBusy && !needed) return [];
  context.versionReported = true;
  return [{ type: "report", token: "version", report: { kind: "version", version: running.version } }];
};

/** Makes the cloud say again what it wants: by the version report, or, where there is none, by being asked. */
export const askForOffer = (context: JobContext, state: State): JobEffect[] =>
  context.options.platform.rules.versionReport
    ? reportVersion(context, state)
    : [{ type: "report", token: "version", report: { kind: "version", version: context.facts.running.version } }];

/**
 * A push comes at QoS 0 and only once. Where a version report brings it again, an idle device sends one now and then.
 * Elsewhere it sends the one that is due after an outcome.
 */
export const askAgain = (context: JobContext, state: Idle, _event: unknown, now: number): Step<Idle> => {
  const due = storeDue(context, now);
  if (context.askAgainAt === undefined || now < context.askAgainAt) return to(state, due);
  context.askAgainAt = nextReport(context, now);
  return to(state, due.concat(reportVersion(context, state)));
};

/** What waits for a later time to be stored. */
export const storeDue = ({ pending, budgets }: JobContext, now: number): JobEffect[] =>
  pending.store(now).concat(budgets.store(now));
