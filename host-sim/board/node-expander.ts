/** The decoder of containers of boards that run on this computer, in Node or with their flash in it. */
import type { CreateExpander } from "../../hal/model-chip/board-ports";
import { BLOCK } from "../../src/container/format";
import { expandBlock } from "../delta/expand";

/** It decodes a whole block in `begin`. */
export const nodeExpander: CreateExpander = ({ oldLength, readBlock, readOld }) => {
  let made = new Uint8Array(0);
  return {
    begin(offset, length, start, size) {
      made = new Uint8Array(0);
      if (size > BLOCK) throw new Error(`a block of ${size} bytes`);
      const block = new Uint8Array(length);
      readBlock(offset, block);
      const bytes = new Uint8Array(size);
      expandBlock(block, { length: oldLength, read: readOld }, bytes, start);
      made = bytes;
    },
    next(into) {
      if (into.length > made.length) throw new Error("the block has no more bytes");
      into.set(made.subarray(0, into.length));
      made = made.subarray(into.length);
    },
    close: () => void (made = new Uint8Array(0)),
  };
};
