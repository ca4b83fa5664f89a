/**
 * What a boot means: the job's record against the running firmware and the reset reason (invariant 9). The bootloader's own state
 * is only a hint: a cut inside the confirm leaves no trace of a failure, and a slot may boot as VALID without ever having been on trial.
 */
import type { Running } from "../ports";
import type { BootFacts } from "./effects";
import type { JobMemory } from "./memory";
import { PART } from "./record";
import type { Outcome } from "./types";

/** Times one job may change the boot choice. Above the trials that count, because a cut can fall before the new code ran at all. */
export const ACTIVATIONS_MAX = 8;

export type Judgement =
  | { readonly kind: "idle" }
  /** The running firmware is new: it has to prove itself. `ofJob`: it is what the job in hand installed. */
  | { readonly kind: "trial"; readonly ofJob: boolean }
  /** A terminal outcome waits for its PUBACK. `goBack`: said by the wrong firmware; it gives itself up once more first. */
  | { readonly kind: "report"; readonly outcome: Outcome; readonly goBack?: true }
  | { readonly kind: "resume" }
  /** The digest matched before the power went: write the head again and go on. */
  | { readonly kind: "seal" }
  /** The trial was cut short, or never began: the verified slot gets another, without a download. */
  | { readonly kind: "try-again"; readonly trials: number }
  | { readonly kind: "rolled-back"; readonly message: string; readonly blame: boolean }
  /** The record does not fit this device's state any more. `unconfirmed`: the running firmware has to prove itself without it. */
  | { readonly kind: "drop"; readonly why: string; readonly unconfirmed?: boolean };

/** The running firmware is on trial. A bootloader without rollback leaves "new" where one with it writes "pending". */
export const isUnconfirmed = ({ state }: Running): boolean => state === "pending" || state === "new";

/** `blamed`: the job's image is remembered as one that failed by itself. */
export function judgeBoot(
  memory: JobMemory | undefined,
  facts: BootFacts,
  platform: string,
  maxAttempts: number,
  blamed: boolean,
): Judgement {
  const { running } = facts;
  const unconfirmed = isUnconfirmed(running);
  if (memory === undefined) return unconfirmed ? { kind: "trial", ofJob: false } : { kind: "idle" };
  if (memory.record.platform !== platform)
    return { kind: "drop", why: `the job was of platform ${memory.record.platform}` };
  if (memory.record.slot === PART)
    return unconfirmed ? { kind: "trial", ofJob: false } : judgeModule(memory, facts, maxAttempts);
  if (memory.record.slot === running.slot) return judgeNewFirmware(memory, facts, unconfirmed);
  if (unconfirmed) return { kind: "drop", why: "the running firmware is unconfirmed and not of this job", unconfirmed };
  if (memory.record.slot !== facts.target)
    return { kind: "drop", why: `slot ${memory.record.slot} is not the one to write` };
  return judgeOldFirmware(memory, facts, maxAttempts, blamed);
}

/** Running from the slot that the job wrote. */
function judgeNewFirmware(memory: JobMemory, facts: BootFacts, unconfirmed: boolean): Judgement {
  if (facts.running.version !== memory.offer.version || memory.state.phase === "downloading")
    return {
      kind: "drop",
      why: `the running firmware ${facts.running.version} was installed another way`,
      unconfirmed,
    };
  // It was given up, yet runs again: the power went while the boot entry was changed, or there was nothing to go back to. The outcome stands.
  if (memory.outcome !== undefined)
    return {
      kind: "report",
      outcome: memory.outcome,
      ...(memory.outcome.kind === "fail" && lostPower(facts) ? { goBack: true } : {}),
    };
  if (memory.state.phase === "confirmed" && !unconfirmed) return { kind: "report", outcome: { kind: "done" } };
  return { kind: "trial", ofJob: true };
}

/** A module is never started, so it has no trial. */
function judgeModule(memory: JobMemory, facts: BootFacts, maxAttempts: number): Judgement {
  if (memory.state.phase === "trial") return { kind: "drop", why: "a module has no trial" };
  return judgeOldFirmware(memory, facts, maxAttempts, false);
}

/** Running from the other slot: the job is not done, or it was rolled back. */
function judgeOldFirmware(memory: JobMemory, facts: BootFacts, maxAttempts: number, blamed: boolean): Judgement {
  if (memory.outcome !== undefined) return { kind: "report", outcome: memory.outcome };
  switch (memory.state.phase) {
    case "downloading":
      return { kind: "resume" };
    case "sealing":
      return { kind: "seal" };
    case "confirmed":
      // `done` may be on its way already: a second outcome would be a lie either way.
      return { kind: "drop", why: `firmware ${memory.offer.version} was confirmed and does not run any more` };
    case "trial":
      return judgeAbortedTrial(memory, facts, maxAttempts, blamed);
  }
}

function judgeAbortedTrial(memory: JobMemory, facts: BootFacts, maxAttempts: number, blamed: boolean): Judgement {
  const tried = facts.lastInvalid === memory.record.slot;
  // Blamed already: the power went after that and before the outcome was stored. A cut in the bootloader may have taken the boot entry, too.
  if (blamed || (tried && !lostPower(facts)))
    return { kind: "rolled-back", message: failedInTrial(memory.offer.version, facts), blame: true };
  const trials = memory.state.trials + (tried ? 1 : 0);
  if (trials >= maxAttempts)
    return { kind: "rolled-back", message: `trial cut short by power loss ${trials} times`, blame: false };
  if (memory.state.activations >= ACTIVATIONS_MAX)
    return {
      kind: "rolled-back",
      message: `firmware ${memory.offer.version} did not start in ${memory.state.activations} tries`,
      blame: false,
    };
  return { kind: "try-again", trials };
}

/** With what that firmware died of, where it left word of it. */
function failedInTrial(version: string, { lastFault, resetReason }: BootFacts): string {
  const own = `${version}: `;
  return lastFault?.startsWith(own)
    ? `firmware ${version} failed in its trial and was rolled back: ${lastFault.slice(own.length)}`
    : `firmware ${version} failed in its trial (${resetReason} reset) and was rolled back`;
}

export function lostPower({ resetReason }: BootFacts): boolean {
  return resetReason === "power-on" || resetReason === "brown-out";
}
