/** The whole model of the chip under a hostile cloud: NOR flash, NVS, boot entries, bootloader. */
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { partitionTableFor } from "../../host-sim/board/partition-tables";
import { FACTORY } from "./hostile-run";
import type { Board } from "./light-board";

export function wholeBoard(): Board {
  const board = new MemoryBoard({ factoryImage: FACTORY, table: partitionTableFor(4 << 20) });
  const mostErases = (): number =>
    Math.max(...board.table.slots.map(({ address, size }) => board.chip.counts(address, size).mostErases));
  return Object.assign(board, { mostErases });
}
