/** What the factory does to a new board: partition table, first firmware in ota_0, everything else erased. */
import type { FlashChip } from "./flash-chip";
import { SECTOR_SIZE } from "./flash-chip";
import type { PartitionTable } from "./partitions";
import { TABLE_ADDRESS } from "./partitions";

/** `chip`: erased. Throws if the image is larger than a slot. */
export function flashFactory(chip: FlashChip, table: PartitionTable, image: Uint8Array): void {
  const slot = table.slots[0];
  if (image.length > slot.size)
    throw new Error(`factory firmware of ${image.length} bytes: ${slot.label} has ${slot.size}`);
  for (let at = 0; at < image.length; at += SECTOR_SIZE)
    chip.program(slot.address + at, image.subarray(at, at + SECTOR_SIZE));
  // Last: a board whose making was cut short has no table, and nothing mistakes it for one that is finished.
  chip.program(TABLE_ADDRESS, table.toBinary());
}
