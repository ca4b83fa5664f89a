/**
 * The shape of a contract suite: cases that any engine can run, XS included, so nothing here or in the suites knows
 * Node. `run-cases.ts` hands them to Node's test runner.
 */
export interface Case {
  readonly title: string;
  run(): void;
}

/** Makes cases of which each has a bench of its own, closed after it. */
export function casesOn<B extends { close?(): void }>(
  make: () => B,
): (title: string, body: (bench: B) => void) => Case {
  return (title, body) => ({
    title,
    run() {
      const bench = make();
      try {
        body(bench);
      } finally {
        bench.close?.();
      }
    },
  });
}

export function equal<T>(found: T, wanted: T, what: string): void {
  if (!Object.is(found, wanted)) throw new Error(`${what}: found ${String(found)}, wanted ${String(wanted)}`);
}

export function sameBytes(found: Uint8Array | undefined, wanted: Uint8Array, what: string): void {
  if (found === undefined) throw new Error(`${what}: found nothing, wanted ${wanted.length} bytes`);
  equal(found.length, wanted.length, `${what}, length`);
  for (let index = 0; index < wanted.length; index++) equal(found[index], wanted[index], `${what}, byte ${index}`);
}

/** An `Error` with a message, not merely something thrown. */
export function throws(action: () => unknown, what: string): void {
  let thrown: unknown = "nothing";
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof Error) || thrown.message === "")
    throw new Error(`${what}: threw ${String(thrown)}, wanted an Error with a message`);
}

/** Bytes that look random, always the same for a seed. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 2654435761;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
