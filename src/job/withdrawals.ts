/** No image is wanted any more, or the cloud cancels a task and asks what becomes of that. */
import type { JobContext } from "./context";
import type { JobEffect, JobEvent } from "./effects";
import type { Busy } from "./offers";
import { IDLE, jobOf, to, warning } from "./states";
import type { Consent, Idle, Reporting, State, Step } from "./states";

type Withdrawn = Extract<JobEvent, { type: "withdrawn" }>;

/** The same image wanted anew is a new wish: it is answered again. */
const forgetAnswers = (context: JobContext): void => {
  context.deferred = context.answered = context.refusedForGood = undefined;
};

/** Past the switch it is too late for the job in hand; a deferred offer ends. */
export const withdrawDeferred = <S extends State>(context: JobContext, state: S, event: Withdrawn): Step<S> => {
  forgetAnswers(context);
  return to(state, answer(event, jobOf(state)?.offer.id !== event.task?.id));
};

export const withdrawInConsent = (context: JobContext, _state: Consent, event: Withdrawn): Step<Idle> => {
  forgetAnswers(context);
  return to(IDLE, answer(event, true));
};

/** As if another image superseded it: the checkpoint is kept, and there is no outcome. */
export const withdrawJob = (context: JobContext, { job }: Busy, event: Withdrawn): Step<Idle> => {
  forgetAnswers(context);
  context.leave(job, true);
  return to(IDLE, [
    { type: "stop-download" },
    ...job.forget(true),
    ...answer(event, true),
    warning(`${job.offer.version} is not wanted any more`),
    { type: "notify", notice: { event: "state", state: "idle" } },
  ]);
};

/**
 * The outcome is known, and counts more than the cancellation. Only a failure that left nothing installed ends as
 * cancelled: a superseded task that failed would leave the device marked as failed, whatever the next one brings.
 */
export const withdrawWhileReporting = (context: JobContext, state: Reporting, event: Withdrawn): Step<Reporting> => {
  const { job, outcome } = state;
  if (event.task?.id === undefined || event.task.id !== job.offer.id) return withdrawDeferred(context, state, event);
  const isNothing = outcome.kind === "fail" && job.phase.activations === 0;
  return to(state, isNothing ? answer(event, true, "outcome") : []);
};

const answer = ({ task }: Withdrawn, accepted: boolean, token: "withdrawal" | "outcome" = "withdrawal"): JobEffect[] =>
  task === undefined ? [] : [{ type: "report", token, report: { kind: "withdrawal", task, accepted } }];
