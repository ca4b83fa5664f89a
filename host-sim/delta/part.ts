/** One part of a container: the blocks of a new image, and behind them the length of each (docs/SPEC.md). */
import { BLOCK } from "../../src/container/format";
import { SECTOR } from "../../src/constants";
import { blocksOf } from "./blocks";
import { closeGaps } from "./gaps";
import { Matcher } from "./matches";

export interface EncodedPart {
  readonly bytes: Uint8Array;
  /** See `Part` in format.ts. */
  readonly room: number;
}

/** The file as a patch of `old`; undefined: as a whole. */
export function encodePart(file: Uint8Array, old: Uint8Array | undefined): EncodedPart {
  const base = old ?? new Uint8Array(0);
  const matches = old === undefined ? [] : closeGaps(file, base, new Matcher(base).matches(file));
  const blocks = blocksOf(file, base, matches);
  const lengths = new DataView(new ArrayBuffer(4 * blocks.length));
  blocks.forEach((block, index) => lengths.setUint32(4 * index, block.length, true));
  return {
    bytes: new Uint8Array(Buffer.concat([...blocks, new Uint8Array(lengths.buffer)])),
    room: roomOf(file.length, blocks),
  };
}

/**
 * A block is decoded from its beginning again after a power cut, so nothing of it may be overwritten before all sectors
 * that it reaches into are stored.
 */
function roomOf(length: number, blocks: readonly Uint8Array[]): number {
  let room = 0;
  let input = 0;
  blocks.forEach((block, index) => {
    const end = Math.ceil(Math.min((index + 1) * BLOCK, length) / SECTOR) * SECTOR;
    room = Math.max(room, end - input);
    input += block.length;
  });
  return room;
}
