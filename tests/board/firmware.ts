/** Small boards and small images for tests of the board. */
import { PartitionTable } from "../../hal/model-chip/partitions";
import { buildImage } from "../../hal/model-chip/build-image";

/** Two slots of 64 KiB: a chip of 192 KiB. */
export function smallTable(): PartitionTable {
  return PartitionTable.fromCsv(
    `nvs, data, nvs, 0x9000, 0x4000
     otadata, data, ota, 0xd000, 0x2000
     ota_0, app, ota_0, 0x10000, 0x10000
     ota_1, app, ota_1, 0x20000, 0x10000`,
    0x30000,
  );
}

/** Its padding is its own: a sector that is left from another image must not pass for one of this. */
export function firmware(version: string, size = 20_005): Uint8Array {
  return buildImage({ version, payload: Buffer.from(`"firmware ${version}"`), size, seed: `${version} ${size}` });
}
