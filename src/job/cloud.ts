/** What the job owes the cloud when a connection is there. */
import { REREPORT } from "../constants";
import type { JobContext } from "./context";
import type { JobEffect } from "./effects";
import { waitingOutcome } from "./outcome";
import { reached } from "./trial";

/** A `fail` goes out before the version (else the cloud pushes the image again), `done` after it (invariant 7). */
export function linkUp(context: JobContext): JobEffect[] {
  const { memory } = context;
  const outcome = waitingOutcome(context);
  const { answer } = context.owed;
  const answers: JobEffect[] =
    answer === undefined
      ? []
      : [{ type: "report", token: "refused", report: { kind: "outcome", task: answer.task, outcome: answer.outcome } }];
  const report: JobEffect[] =
    memory === undefined || outcome === undefined
      ? []
      : [{ type: "report", token: "outcome", report: { kind: "outcome", task: memory.offer, outcome } }];
  if (outcome?.kind === "fail") return [...answers, ...report];
  return [
    ...answers,
    ...reportVersion(context),
    ...report,
    ...(context.options.platform.rules.versionReport ? [] : reached(context)),
  ];
}

/** Nothing where the cloud has no version report, or where one would use up a push of what is in hand or waits. */
export function reportVersion(context: JobContext): JobEffect[] {
  const { memory, facts, state } = context;
  const { rules } = context.options.platform;
  if (!context.linkUp || !rules.versionReport) return [];
  const busy = memory !== undefined || context.kept !== undefined || state.name === "consent";
  const runsTarget = memory?.record.slot === facts.running.slot;
  // A trial ends well only with the version's PUBACK.
  if (busy && !rules.versionWhileBusy && !runsTarget && state.name !== "trial") return [];
  context.versionReported = true;
  return [{ type: "report", token: "version", report: { kind: "version", version: facts.running.version } }];
}

/** A push comes at QoS 0 and only once: where a version report brings it again, one is sent now and then although nothing seems to be missing. */
export function askAgain(context: JobContext, now: number): JobEffect[] {
  if (context.askAgainAt === undefined || now < context.askAgainAt) return [];
  context.askAgainAt = now + REREPORT;
  return reportVersion(context);
}
