/** The budget of counts: a little room above what was measured, so that small changes pass and a step does not. */
const ROOM = 1.03;

/** Counts that are exact by design: no room at all. */
const EXACT = /^(flash erases|NVS entries|HTTP requests)/;

export function budgetFor(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).map(([name, value]) => [name, EXACT.test(name) ? value : Math.ceil(value * ROOM)]),
  );
}

/** One line for each count that is beyond its budget. */
export function overBudget(
  counts: Readonly<Record<string, number>>,
  budget: Readonly<Record<string, number>>,
): string[] {
  return Object.entries(counts)
    .filter(([name, value]) => value > (budget[name] ?? 0))
    .map(([name, value]) => `${name}: ${value}, budget ${budget[name] ?? 0}`);
}
