/** Mutants that nothing notices, and why each is right so: it does the same, or what it changes is promised to nobody. By the mutant's name. */
export const EXPLAINED: ReadonlyMap<string, string> = new Map<string, string>([]);
