/** What an update may erase of the slot (invariant 6), in sectors. */
import { BLOCK_SIZE } from "../../../hal/model-chip/flash-chip";
import { ERASE_BLOCK_LEAST, SECTOR } from "../../../src/constants";

const BLOCK = BLOCK_SIZE / SECTOR;

/** First sector that is not erased for an image of `sectors`: its last block is erased whole where that takes less time. */
export const endOfErases = (sectors: number): number =>
  sectors % BLOCK < ERASE_BLOCK_LEAST ? sectors : Math.ceil(sectors / BLOCK) * BLOCK;

/** Erases that one power cut may cost: the sector that was written, and the block that was erased. */
export const erasesOfCut = (sectors: number): number => (endOfErases(sectors) < BLOCK ? 1 : 1 + BLOCK);
