/** Compares two images in a process of its own, which the packer can bound in time and memory. */
import { encodePart } from "./part";

export interface DiffTask {
  readonly file: Uint8Array;
  /** Undefined: the part is the whole file, compressed. */
  readonly old: Uint8Array | undefined;
}

process.once("message", ({ file, old }: DiffTask) => {
  process.send!(encodePart(file, old), () => process.disconnect());
});
