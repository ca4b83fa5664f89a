/** The partition tables of the chip's firmware (hal/esp32/partitions-*.csv), for the boards of the host. */
import { readFileSync } from "node:fs";
import { PartitionTable } from "../../hal/model-chip/partitions";

/** The layout for chips of 4, 8 or 16 MB; `flashSize` in bytes. Throws an Error for any other size. */
export function partitionTableFor(flashSize: number): PartitionTable {
  const megabytes = flashSize / (1 << 20);
  if (![4, 8, 16].includes(megabytes))
    throw new Error(`no partition table for ${flashSize} bytes of flash: 4, 8 or 16 MB`);
  const csv = new URL(`../../hal/esp32/partitions-${megabytes}mb.csv`, import.meta.url);
  return PartitionTable.fromCsv(readFileSync(csv, "utf8"), flashSize);
}
