/**
 * The end of a job: exactly one terminal outcome, stored before it is reported, and reported until it is acknowledged.
 */
import { MESSAGE_MAX } from "../constants";
import { truncateUtf8 } from "../util/utf8";
import type { JobContext } from "./context";
import type { JobEffect } from "./effects";
import { RECORDS } from "./records";
import { before, to, warning } from "./states";
import type { Reporting, State, Step } from "./states";
import type { StoredJob } from "./stored-job";
import type { Cause, Offer, Outcome, Task } from "./types";

/** What a failed job leaves behind. */
export interface Aftermath {
  /** Never try this image again; of a container "file": only the container. */
  readonly deny?: boolean | "file";
  /** What is in flash counts for the next job of the same image. */
  readonly keepCheckpoint?: boolean;
  /** Nothing of the image stays usable. */
  readonly discard?: boolean;
}

export const failure = (cause: Cause, text: string): Outcome => {
  return { kind: "fail", cause, message: truncateUtf8(text, MESSAGE_MAX) };
};

/** Ends a job that has no outcome yet. */
export const fail = (
  context: JobContext,
  job: StoredJob,
  cause: Cause,
  text: string,
  after: Aftermath,
): Step<Reporting> => {
  const { offer, names } = job;
  const denied = after.deny ? remember(context, after.deny === "file" ? [offer] : [offer, ...names], cause) : [];
  const outcome = failure(cause, text);
  // The verdict first: what follows is made up for at the next boot if the power is cut, and changes nothing about the
  // verdict.
  const effects: JobEffect[] = [{ type: "stop-download" }, ...denied, job.conclude(outcome)];
  if (after.discard === true) effects.push(...job.target.discard());
  if (after.keepCheckpoint !== true) effects.push(...job.dropCheckpoint().concat(job.target.abort(offer)));
  return before(effects, report(job, outcome));
};

/** Failures that may leave a header in the slot. */
const UNUSABLE: readonly Cause[] = Object.freeze<Cause[]>(["digest-mismatch", "rejected", "signature", "flash"]);

/**
 * A power cut kept a refused slot from losing its header: the checkpoint, which is deleted last, is still there. Only
 * where the old firmware runs: the slot of the job is the one that can be written.
 */
export const finishFailure = ({ facts }: JobContext, job: StoredJob, outcome: Outcome): JobEffect[] => {
  if (job.offset === 0 || job.record.slot !== facts.target) return [];
  return outcome.kind === "fail" && UNUSABLE.includes(outcome.cause)
    ? job.target.discard().concat(job.dropCheckpoint())
    : [];
};

/** Stores the outcome and reports it. */
export const conclude = (job: StoredJob, outcome: Outcome): Step<Reporting> => {
  return before([job.conclude(outcome)], report(job, outcome));
};

/** Reports an outcome that is in the store already. */
export const report = (job: StoredJob, outcome: Outcome): Step<Reporting> => {
  return to({ name: "reporting", job, outcome }, [reportOf(job, outcome), noticeOf(job.offer, outcome)]);
};

export const reportOf = ({ offer }: StoredJob, outcome: Outcome): JobEffect => ({
  type: "report",
  token: "outcome",
  report: { kind: "outcome", task: offer, outcome },
});

/** The outcome of an offer that never became a job. */
export const refuse = <S extends State>(
  { pending }: JobContext,
  state: S,
  { task, outcome }: { readonly task: Task; readonly outcome: Outcome },
  now: number,
): Step<S> => {
  return to(state, [
    ...pending.answerWaits(task, outcome, now),
    { type: "report", token: "refused", report: { kind: "outcome", task, outcome } },
    noticeOf(task, outcome),
  ]);
};

/** `offers`: of the file, and of the image by each of its digests; all are one where the file is no container. */
export const remember = ({ denylist }: JobContext, offers: readonly Offer[], cause: Cause): JobEffect[] => {
  const added = offers.map(({ digest }) => denylist.add(digest, cause)).filter((bytes) => bytes !== undefined);
  const bytes = added[added.length - 1];
  return bytes === undefined ? [] : [{ type: "put-bytes", key: RECORDS.denylist.key, bytes }];
};

const noticeOf = (task: Task, outcome: Outcome): JobEffect => {
  if (outcome.kind === "done" && task.fetchOnly === true)
    return warning(`${task.version} is stored, and waits for a task that installs it`);
  if (outcome.kind === "done") return { type: "notify", notice: { event: "state", state: "done" } };
  return {
    type: "notify",
    notice: { event: "state", state: "fail", cause: outcome.cause, message: outcome.message, version: task.version },
  };
};
