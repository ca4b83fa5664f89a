/** Replaces each text that occurs exactly once; anything else is an error that names the file and the text. */
export function replaceEach(
  file: string,
  source: string,
  changes: readonly (readonly [published: string, instead: string])[],
): string;

/** The files that are changed, by their path under node_modules, and how. */
export const CHANGED: ReadonlyMap<string, (source: string) => string>;
