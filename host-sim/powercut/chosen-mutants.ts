/** The mistakes that a reader would fear, made by hand: each a passage of the source and what stands there instead. */
import { readFileSync } from "node:fs";
import type { Mutant } from "./mutants";

interface Chosen {
  readonly what: string;
  readonly file: string;
  /** In the source exactly once. */
  readonly passage: string;
  readonly instead: string;
}

const CHOSEN: readonly Chosen[] = [];

/** Throws if a passage is not there any more: then the mistake must be looked for anew. */
export function chosenMutants(root: URL): Mutant[] {
  return CHOSEN.map(({ what, file, passage, instead }) => {
    const source = readFileSync(new URL(file, root), "utf8");
    if (source.split(passage).length !== 2) throw new Error(`${file} does not contain once: ${passage}`);
    return { name: `${file} chosen: ${what}`, file, operator: "chosen", text: source.replace(passage, () => instead) };
  });
}
