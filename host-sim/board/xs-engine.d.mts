/** Where the worker of `@agoric/xsnap` is, or would be. */
export function workerFile(folder?: string): string;

/** What is missing to build it, as one line; undefined if nothing is. */
export function missingTools(): string | undefined;

/** Builds the worker unless it is there. Throws one line. */
export function buildXsEngine(say: (line: string) => void): void;
