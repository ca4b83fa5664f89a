/**
 * Compares two images in a process of its own, which the packer can bound in time and memory. The part is expanded
 * again there: what a device will make of it is tried before it is given to one.
 */
import { expandPart } from "./expand";
import { encodePart } from "./part";
import type { EncodedPart } from "./part";

export interface DiffTask {
  readonly file: Uint8Array;
  /** Undefined: the part is the whole file, compressed. */
  readonly old: Uint8Array | undefined;
}

/** `wrong`: the part does not make the file. */
export type DiffAnswer = { readonly part: EncodedPart } | { readonly wrong: string };

/** Encodes, and expands what was encoded. */
function diff({ file, old }: DiffTask): DiffAnswer {
  const part = encodePart(file, old);
  try {
    const made = expandPart(part.bytes, old ?? new Uint8Array(0), file.length);
    return Buffer.compare(made, file) === 0 ? { part } : { wrong: "the part does not make the new image" };
  } catch (error) {
    return { wrong: `the part does not make the new image: ${(error as Error).message}` };
  }
}

process.once("message", (task: DiffTask) => {
  process.send!(diff(task), () => process.disconnect());
});
