/**
 * The proven image waits for a cloud that can be reached, because its trial is judged by that. After LINK_WAIT it is
 * activated all the same. A power cut begins the wait anew.
 */
import { BURNING_ACK, LINK_WAIT } from "../constants";
import { acked } from "./acknowledge";
import { activate } from "./activate";
import type { JobContext } from "./context";
import type { JobEvent } from "./effects";
import { proofOf } from "./proof";
import { linkChanged } from "./report";
import { before, to } from "./states";
import type { Activating, AwaitingLink, Burning, Restart, Step } from "./states";
import type { StoredJob } from "./stored-job";

type Event<T extends JobEvent["type"]> = Extract<JobEvent, { type: T }>;

/** The image is bootable. `burning` was reported, and gets a moment for its PUBACK where there is a connection. */
export const awaitBurning = ({ linkUp }: JobContext, job: StoredJob, now: number): Step<Burning | AwaitingLink> =>
  linkUp ? to({ name: "burning", job, until: now + BURNING_ACK }, []) : awaitLink(job, false, now);

/** A new object each time: XS throws "read only value" when an application passes a frozen notice to JSON.stringify. */
const awaitLink = (job: StoredJob, agreed: boolean, now: number): Step<AwaitingLink> =>
  to({ name: "awaiting-link", job, until: now + LINK_WAIT, agreed }, [
    { type: "notify", notice: { event: "state", state: "awaiting-link" } },
  ]);

/** No PUBACK in time: the connection is dead, unless this cloud needs none. */
export const burningTimeout = (
  context: JobContext,
  state: Burning,
  _event: unknown,
  now: number,
): Step<Burning | AwaitingLink | Restart> => {
  const reached = context.linkUp && proofOf(context, state) === undefined;
  return reached ? askRestart(state.job, "up") : awaitLink(state.job, false, now);
};

/** The session sends `burning` on the new connection. */
export const linkWhileAwaited = (
  context: JobContext,
  state: AwaitingLink,
  event: Event<"link">,
  now: number,
): Step<AwaitingLink | Restart | Activating> => {
  const step = linkChanged(context, state, event, now);
  return event.up && proofOf(context, state) === undefined
    ? before(step.effects, leave(context, state, "up", now))
    : step;
};

export const ackedWhileAwaited = (
  context: JobContext,
  state: AwaitingLink,
  event: Event<"acked">,
  now: number,
): Step<AwaitingLink | Restart | Activating> =>
  event.token === "burning" ? leave(context, state, "up", now) : acked(context, state, event, now);

export const linkWaitTimeout = (context: JobContext, state: AwaitingLink, _event: unknown, now: number) =>
  leave(context, state, "unneeded", now);

const leave = (
  context: JobContext,
  { job, agreed }: AwaitingLink,
  link: "up" | "unneeded",
  now: number,
): Step<Restart | Activating> => (agreed ? activate(context, job, job.phase.trials, now) : askRestart(job, link));

export const ackedBurning = (
  context: JobContext,
  state: Burning,
  event: Event<"acked">,
  now: number,
): Step<Burning | Restart> =>
  event.token === "burning" ? askRestart(state.job, "up") : acked(context, state, event, now);

/** When may the chip restart? */
const askRestart = (job: StoredJob, link: "up" | "unneeded"): Step<Restart> =>
  to({ name: "restart", job, link }, [{ type: "ask", question: "restart", task: job.offer }]);

/** The application may take its time, and the link may go meanwhile. */
export const linkBeforeRestart = (
  context: JobContext,
  state: Restart,
  event: Event<"link">,
  now: number,
): Step<Restart> => {
  const { effects } = linkChanged(context, state, event, now);
  return to(state.link === "unneeded" ? state : { ...state, link: event.up ? "up" : "lost" }, effects);
};

export const restart = (
  context: JobContext,
  { job, link }: Restart,
  _event: unknown,
  now: number,
): Step<AwaitingLink | Activating> =>
  link === "lost" ? awaitLink(job, true, now) : activate(context, job, job.phase.trials, now);
