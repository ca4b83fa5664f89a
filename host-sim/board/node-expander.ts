/** The decoder of containers of boards that run on this computer, in Node or with their flash in it. */
import type { CreateExpander } from "../../hal/model-chip/board-ports";
import { BLOCK } from "../../src/container/format";
import { expandBlock } from "../delta/expand";

const NOTHING = (): Uint8Array => new Uint8Array(0);

/** It decodes a whole block with the first bytes that are asked for. */
export const nodeExpander: CreateExpander = ({ oldLength, readBlock, readOld }) => {
  let decode = NOTHING;
  let made: Uint8Array | undefined;
  return {
    begin(offset, length, start, size) {
      made = undefined;
      decode = () => {
        decode = NOTHING;
        if (size > BLOCK) throw new Error(`a block of ${size} bytes`);
        const block = new Uint8Array(length);
        readBlock(offset, block);
        const bytes = new Uint8Array(size);
        expandBlock(block, { length: oldLength, read: readOld }, bytes, start);
        return bytes;
      };
    },
    next(into) {
      made ??= decode();
      if (into.length > made.length) throw new Error("the block has no more bytes");
      into.set(made.subarray(0, into.length));
      made = made.subarray(into.length);
    },
    close() {
      decode = NOTHING;
      made = undefined;
    },
  };
};
