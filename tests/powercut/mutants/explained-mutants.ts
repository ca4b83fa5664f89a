/**
 * Mutants that nothing notices, and the reason: the mutant does the same, or it changes what no invariant covers. The
 * key is the name of the mutant without its line number, which every change of the file moves.
 */
export const EXPLAINED: ReadonlyMap<string, string> = new Map<string, string>([
  [
    "src/job/context.ts: steps exchanged: this.facts = facts;",
    "Each field of the context is made from the arguments alone: in which order nobody can see.",
  ],
  [
    "src/job/context.ts: steps exchanged: this.denylist = new Denylist(stored.denylist);",
    "Each field of the context is made from the arguments alone: in which order nobody can see.",
  ],
  [
    "src/job/context.ts: steps exchanged: this.budgets = new Budgets(stored, options.policy.repeatBudget);",
    "Each field of the context is made from the arguments alone: in which order nobody can see.",
  ],
  [
    "src/job/context.ts: steps exchanged: this.minimumSecurityVersion = stored.minimumSecurityVersion ?? 0;",
    "Each field of the context is made from the arguments alone: in which order nobody can see.",
  ],
  [
    "src/job/context.ts: steps exchanged: this.left = { firmware: FIRMWARE.checkpointIn(stored), component: COMPONENT.checkpointIn(stored) };",
    "Each field of the context is made from the arguments alone: in which order nobody can see.",
  ],
  [
    "src/job/boot.ts: steps exchanged: ...noticeOf(context, job)",
    "A notice to the application and an erase in one turn: neither flash nor cloud sees which came first.",
  ],
  [
    "src/job/stored-job.ts: steps exchanged: this.ofOffer = targetOf(record.offer);",
    "Each field is made from the argument alone.",
  ],
  [
    "src/job/stored-job.ts: steps exchanged: this.imageOffer = record.offer;",
    "The identity is computed from the argument, not from the field that is set beside it.",
  ],
  [
    "src/job/stored-job.ts: steps exchanged: job.phaseRecord = RECORDS.phase.decode(job.identity, stored.phase);",
    "Phase, outcome and checkpoint are read from records of their own, and none of them from another.",
  ],
  [
    "src/job/pending.ts: steps exchanged: this.lateOffer = new LateRecord(pendingOffer.key, (offer: Offer) => pendingOffer.encode({ platform, slot: targ…",
    "Two records that do not depend on each other are set up.",
  ],
  ["src/store/ab-record-store.ts: steps exchanged: this.store = store;", "Both fields are made from the arguments."],
  [
    "src/store/ab-record-store.ts: steps exchanged: copy[0] = nextGeneration(newest);",
    "The generation and the bytes go to different places of one buffer, which is written after both.",
  ],
]);

/** A mutant's name as a key of EXPLAINED. */
export const withoutLine = (name: string): string => name.replace(/:\d+ /, ": ");
