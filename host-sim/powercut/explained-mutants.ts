/** Mutants that nothing notices, and why each is right so: it does the same, or what it changes is promised to nobody. By the mutant's name. */
export const EXPLAINED: ReadonlyMap<string, string> = new Map<string, string>([
  ["src/job/context.ts:87 steps exchanged: this.facts = facts;", "Each field of the context is made from the arguments alone: in which order nobody can see."],
  ["src/job/context.ts:88 steps exchanged: this.refused = new RefusedImages(facts.stored.refused);", "Each field of the context is made from the arguments alone: in which order nobody can see."],
  ["src/job/context.ts:90 steps exchanged: this.#left = { firmware: facts.stored, part: facts.stored.part ?? NO_CHECKPOINT };", "Each field of the context is made from the arguments alone: in which order nobody can see."],
  ["src/job/downloading.ts:87 steps exchanged: context.renewals++;", "A count in memory and the state it does not depend on; the effects are made after both."],
  ["src/job/memory.ts:29 steps exchanged: this.#record = record;", "The identity is computed from the argument, not from the field that is set beside it."],
  ["src/job/memory.ts:38 steps exchanged: memory.#state = decodeState(memory.#identity, stored.state);", "State, outcome and checkpoint are read from records of their own, and none of them from the other."],
  ["src/job/memory.ts:39 steps exchanged: memory.#outcome = decodeOutcome(memory.#identity, stored.outcome);", "State, outcome and checkpoint are read from records of their own, and none of them from the other."],
  ["src/job/owed.ts:66 steps exchanged: this.#offer = new LateRecord(KEY_WAITING, (offer: Offer) => encodeJob({ platform, slot: slot(offer), offer }),…", "Two records that know nothing of each other are set up."],
  ["src/job/owed.ts:102 steps exchanged: ...this.#offer.store(now)", "Two records that are owed independently: after a cut between them one is there and the other is not, either way."],
  ["src/job/sector-store.ts:20 steps exchanged: this.#part = part;", "Both fields are made from the arguments."],
  ["src/job/sector-store.ts:22 steps exchanged: this.#skip = this.sector === 0 && !part ? HEAD : 0;", "The head depends on the sector, not on what is skipped."],
  ["src/job/sector-store.ts:23 steps exchanged: this.head = this.sector === 0 ? bytes.slice(0, HEAD) : undefined;", "The head is a copy and what is written is a view: neither changes the other."],
  ["src/agent/executor.ts:76 steps exchanged: quietly(() => this.#installers.get(effect.part)?.abort());", "The installer that is told is looked up by its name, not taken from what is open."],
  ["hal/two-copies.ts:51 steps exchanged: this.#store = store;", "Both fields are made from the arguments."],
  ["hal/two-copies.ts:127 steps exchanged: copy[0] = nextGeneration(newest);", "The generation and the bytes go to different places of one buffer, which is written after both."],
]);
