/** What the job owes the cloud when a connection is there. */
import type { JobContext } from "./context";
import type { JobEffect } from "./effects";
import { waitingOutcome } from "./outcome";
import { reached } from "./trial";

/** A waiting `fail` goes out before the version (else the cloud pushes the image again), `done` after it (invariant 7). */
export function linkUp(context: JobContext): JobEffect[] {
  const { memory } = context;
  const outcome = waitingOutcome(context);
  const report: JobEffect[] = memory === undefined || outcome === undefined ? [] : [{ type: "report", token: "outcome", report: { kind: "outcome", task: memory.offer, outcome } }];
  if (outcome?.kind === "fail") return report;
  return [...reportVersion(context), ...report, ...(context.options.platform.rules.versionReport ? [] : reached(context))];
}

/** Nothing where the cloud has no version report, or where one would use up a push of the job in hand. */
export function reportVersion(context: JobContext): JobEffect[] {
  const { memory, facts } = context;
  const { rules } = context.options.platform;
  if (!context.linkUp || !rules.versionReport) return [];
  const runsTarget = memory?.record.slot === facts.running.slot;
  if (memory !== undefined && !rules.versionWhileBusy && !runsTarget) return [];
  context.versionReported = true;
  return [{ type: "report", token: "version", report: { kind: "version", version: facts.running.version } }];
}
