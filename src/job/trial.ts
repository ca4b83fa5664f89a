/** New firmware on trial: it reaches the cloud, passes the application's own check, and stays; or it goes, and leaves the reason. */
import { lostPower } from "./boot-judgement";
import type { JobContext } from "./context";
import type { JobEffect } from "./effects";
import { failure, remember, say } from "./outcome";
import { KEY_FLOOR } from "./record";

export function startTrial(context: JobContext, ofJob: boolean, now: number): JobEffect[] {
  context.state = { name: "trial", until: now + context.options.policy.trialSeconds * 1000, asked: false, ofJob };
  if (!ofJob) {
    // A module's job that firmware from elsewhere found in the store goes on after the trial.
    if (context.memory?.offer.part !== undefined) context.kept = context.memory.offer;
    context.memory = undefined;
  }
  return [{ type: "notify", notice: { event: "state", state: "trial" } }];
}

/** The old firmware runs again after a trial of the job in hand: one more trial of that image, counted once. */
export function countTrial(context: JobContext, now: number): JobEffect[] {
  const { memory, facts, budgets, refused } = context;
  if (memory === undefined || memory.state.phase !== "trial" || memory.record.slot !== facts.target) return [];
  const { offer, outcome, stamp } = memory;
  const started = facts.lastInvalid === facts.target;
  const rolledBack = outcome?.kind === "fail" && outcome.cause === "rolled-back";
  // It never started, which `activations` bounds. A cut in the rollback may have taken the boot entry, but not the outcome.
  if (!started && !rolledBack) return [];
  const ownFault = outcome === undefined ? !lostPower(facts) : refused.causeOf(offer.digest) === "rolled-back";
  // The denylist has it, or gets it now; without a digest it can not.
  if (ownFault && offer.digest !== undefined) return [];
  const cause = outcome === undefined ? "the power was cut" : "the cloud was not reached";
  return budgets.trialEnded(offer, ownFault || !started ? "it was rolled back" : cause, stamp, now);
}

/** CONNACK, an accepted SUBACK and, where the cloud has one, the PUBACK of the version report have come. */
export function reached(context: JobContext): JobEffect[] {
  const { state, facts, memory } = context;
  if (state.name !== "trial" || state.asked) return [];
  context.state = { ...state, asked: true };
  return [{ type: "ask", question: "health", task: memory?.offer ?? { version: facts.running.version } }];
}

export function health(context: JobContext, ok: boolean, message: string, now: number): JobEffect[] {
  const { state, memory, facts, budgets } = context;
  if (state.name !== "trial" || !state.asked) return [];
  if (!ok) return giveUp(context, `health check failed: ${message}`, true);
  const confirmed: JobEffect[] = [
    { type: "confirm" },
    { type: "notify", notice: { event: "confirmed", version: facts.running.version } },
    ...raiseFloor(context),
  ];
  if (!state.ofJob || memory === undefined) {
    context.state = { name: "idle" };
    return confirmed;
  }
  // Confirmed first, said second: a cut in between repeats the trial of firmware that stays anyway.
  return [
    ...confirmed,
    ...budgets.confirmed(memory.offer, now),
    ...memory.enter({ phase: "confirmed" }),
    ...say(context, { kind: "done" }),
  ];
}

/**
 * Firmware that stays raises the floor to its own. Only where signatures are asked for: else anybody's image could set one that no
 * later image reaches.
 */
export function raiseFloor(context: JobContext): JobEffect[] {
  const { options, facts } = context;
  const own = facts.running.securityFloor ?? 0;
  if (options.refusalOfSignature === undefined || own <= context.floor) return [];
  context.floor = own;
  return [{ type: "put-number", key: KEY_FLOOR, value: own }];
}

export function trialOver(context: JobContext, asked: boolean): JobEffect[] {
  const { trialSeconds } = context.options.policy;
  return asked
    ? giveUp(context, `health check did not answer within ${trialSeconds} s`, true)
    : giveUp(context, `cloud not reached within ${trialSeconds} s`, false);
}

/** `blame`: the image is at fault and is not tried again; an unreachable cloud is nobody's. The old firmware reports. */
export function giveUp(context: JobContext, message: string, blame: boolean): JobEffect[] {
  const { memory, facts } = context;
  context.state = { name: "leaving" };
  const left =
    memory === undefined
      ? []
      : [
          ...(blame ? remember(context, memory.offer, "rolled-back") : []),
          ...memory.conclude(failure("rolled-back", message)),
        ];
  return [...left, { type: "rollback" }, { type: "reboot", slot: facts.target }];
}
