/** The end of a job: exactly one terminal outcome, stored before it is said, said until it is acknowledged (invariant 7). */
import { MESSAGE_MAX } from "../constants";
import { truncateUtf8 } from "../util/utf8";
import type { JobContext } from "./context";
import type { JobEffect } from "./effects";
import { KEY_REFUSED } from "./refused";
import type { Cause, Offer, Outcome, Task } from "./types";

/** What a failed job leaves behind. */
export interface Aftermath {
  /** Never try this image again. */
  readonly blame?: boolean;
  /** What is in flash counts for the next job of the same image. */
  readonly keepCheckpoint?: boolean;
  /** The slot must not stay bootable. */
  readonly eraseHead?: boolean;
}

export function failure(cause: Cause, text: string): Outcome {
  return { kind: "fail", cause, message: truncateUtf8(text, MESSAGE_MAX) };
}

/** Ends the job in hand; nothing when there is none or it has ended already. */
export function fail(context: JobContext, cause: Cause, text: string, after: Aftermath): JobEffect[] {
  const { memory } = context;
  if (memory === undefined || context.state.name === "reporting") return [];
  context.storing = undefined;
  const blamed = after.blame === true ? remember(context, memory.offer, cause) : [];
  const outcome = failure(cause, text);
  // The verdict first: a cut in what follows is made up for at the next start, and changes nothing about it.
  const effects: JobEffect[] = [{ type: "stop-download" }, ...blamed, ...memory.conclude(outcome)];
  if (after.eraseHead === true) effects.push({ type: "erase", sector: 0 });
  if (after.keepCheckpoint !== true) {
    effects.push(...memory.dropCheckpoint());
    if (memory.offer.part !== undefined) effects.push({ type: "abort-part", part: memory.offer.part });
  }
  return [...effects, ...say(context, outcome)];
}

/** Failures that may leave a head in the slot. */
const UNBOOTABLE: readonly Cause[] = Object.freeze<Cause[]>(["digest-mismatch", "rejected", "signature", "flash"]);

/** A cut has kept a refused slot from losing its head: the checkpoint, which goes last, is still there. */
export function finishFailure(context: JobContext, outcome: Outcome): JobEffect[] {
  const { memory } = context;
  if (memory === undefined || memory.offset === 0 || memory.record.slot !== context.facts.target) return [];
  return outcome.kind === "fail" && UNBOOTABLE.includes(outcome.cause)
    ? [{ type: "erase", sector: 0 }, ...memory.dropCheckpoint()]
    : [];
}

/** Stores the outcome and says it. */
export function conclude(context: JobContext, outcome: Outcome): JobEffect[] {
  const { memory } = context;
  return memory === undefined ? [] : [...memory.conclude(outcome), ...say(context, outcome)];
}

/** Says an outcome that is in the store already. */
export function say(context: JobContext, outcome: Outcome): JobEffect[] {
  const { memory } = context;
  if (memory === undefined) return [];
  context.state = { name: "reporting" };
  return [
    { type: "report", token: "outcome", report: { kind: "outcome", task: memory.offer, outcome } },
    noticeOf(memory.offer, outcome),
  ];
}

/** The outcome of an offer that never became a job. */
export function refuse(context: JobContext, task: Task, outcome: Outcome, now: number): JobEffect[] {
  return [
    ...context.owed.answers(task, outcome, now),
    { type: "report", token: "refused", report: { kind: "outcome", task, outcome } },
    noticeOf(task, outcome),
  ];
}

/** The outcome that waits, once more. */
export function waitingOutcome(context: JobContext): Outcome | undefined {
  if (context.state.name !== "reporting") return undefined;
  return context.memory?.outcome ?? { kind: "done" };
}

export function remember(context: JobContext, offer: Offer, cause: Cause): JobEffect[] {
  const bytes = context.refused.remember(offer.digest, cause);
  return bytes === undefined ? [] : [{ type: "put-bytes", key: KEY_REFUSED, bytes }];
}

function noticeOf(task: Task, outcome: Outcome): JobEffect {
  if (outcome.kind === "done") return { type: "notify", notice: { event: "state", state: "done" } };
  return {
    type: "notify",
    notice: { event: "state", state: "fail", cause: outcome.cause, message: outcome.message, version: task.version },
  };
}
