/**
 * Mutants that nothing notices, and why each is right so: it does the same, or what it changes is promised to nobody. By the mutant's name without the
 * line number, which every change of the file moves.
 */
export const EXPLAINED: ReadonlyMap<string, string> = new Map<string, string>([
  [
    "src/job/context.ts: steps exchanged: this.facts = facts;",
    "Each field of the context is made from the arguments alone: in which order nobody can see.",
  ],
  [
    "src/job/context.ts: steps exchanged: this.refused = new Denylist(facts.stored.refused);",
    "Each field of the context is made from the arguments alone: in which order nobody can see.",
  ],
  [
    "src/job/context.ts: steps exchanged: this.#left = { firmware: facts.stored, part: facts.stored.part ?? NO_CHECKPOINT };",
    "Each field of the context is made from the arguments alone: in which order nobody can see.",
  ],
  [
    "src/job/downloading.ts: steps exchanged: context.renewals++;",
    "A count in memory and the state it does not depend on; the effects are made after both.",
  ],
  [
    "src/job/job.ts: steps exchanged: ...memory.forget(false)",
    "What a trial that begins adds there is a word to the application; the record is gone before the next event either way.",
  ],
  [
    "src/job/job.ts: steps exchanged: ...rolledBack",
    "A word to the application and an erase in one turn: neither flash nor cloud sees which came first.",
  ],
  [
    "src/job/job.ts: steps exchanged: context.letGo(keep);",
    "Letting the job go does not look at the name of the state, which is set beside it.",
  ],
  [
    "src/job/trial.ts: guard half: memory === undefined, of !state.ofJob || memory === undefined",
    "A trial that is not of the job in hand begins by letting the job go: the other condition says the same.",
  ],
  [
    'src/job/verifying.ts: steps exchanged: context.state = { name: "downloading" };',
    "State and progress are two fields in memory; the effects are made after both.",
  ],
  [
    "src/job/memory.ts: steps exchanged: this.#record = record;",
    "The identity is computed from the argument, not from the field that is set beside it.",
  ],
  [
    "src/job/memory.ts: steps exchanged: memory.#state = decodePhase(memory.#identity, stored.state);",
    "State, outcome and checkpoint are read from records of their own, and none of them from the other.",
  ],
  [
    "src/job/memory.ts: steps exchanged: memory.#outcome = decodeOutcome(memory.#identity, stored.outcome);",
    "State, outcome and checkpoint are read from records of their own, and none of them from the other.",
  ],
  [
    "src/job/owed.ts: steps exchanged: this.#offer = new LateRecord(RECORDS.pendingOffer.key, (offer: Offer) => encodeJob({ platform, slot: slot(offer), offer }),…",
    "Two records that know nothing of each other are set up.",
  ],
  [
    "src/job/owed.ts: steps exchanged: ...this.#offer.store(now)",
    "Two records that are owed independently: after a cut between them one is there and the other is not, either way.",
  ],
  ["src/job/sector-store.ts: steps exchanged: this.#part = part;", "Both fields are made from the arguments."],
  [
    "src/job/sector-store.ts: steps exchanged: this.#skip = this.sector === 0 && !part ? HEAD : 0;",
    "The head depends on the sector, not on what is skipped.",
  ],
  [
    "src/job/sector-store.ts: steps exchanged: this.head = this.sector === 0 ? bytes.slice(0, HEAD) : undefined;",
    "The head is a copy and what is written is a view: neither changes the other.",
  ],
  [
    "src/agent/executor.ts: steps exchanged: quietly(() => this.#installers.get(effect.part)?.abort());",
    "The installer that is told is looked up by its name, not taken from what is open.",
  ],
  ["src/store/ab-record-store.ts: steps exchanged: this.#store = store;", "Both fields are made from the arguments."],
  [
    "src/store/ab-record-store.ts: steps exchanged: copy[0] = nextGeneration(newest);",
    "The generation and the bytes go to different places of one buffer, which is written after both.",
  ],
]);

/** A mutant's name as a key of EXPLAINED. */
export const withoutLine = (name: string): string => name.replace(/:\d+ /, ": ");
