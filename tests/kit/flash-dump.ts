/** The flash of a real board as esptool reads it out: bootloader, table, slots and NVS of a board in memory. */
import { buildImage } from "../../hal/model-chip/build-image";
import { chipOf } from "../../hal/model-chip/chips";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { partitionTableFor } from "../../host-sim/board/partition-tables";
import { createHash } from "node:crypto";
import { IMAGE_HASH } from "../../hal/model-chip/image-check";

/** A board of `megabytes` of flash that was started once, and its flash with a bootloader for `chip`. */
export function boardWithDump({
  chip = 5,
  megabytes = 4,
  version = "1.4.0",
}: { readonly chip?: number; readonly megabytes?: number; readonly version?: string } = {}): {
  readonly board: MemoryBoard;
  dump(): Buffer;
} {
  const board = new MemoryBoard({
    chipId: chip,
    table: partitionTableFor(megabytes << 20),
    factoryImage: buildImage({ chip, version, product: "thermostat", payload: Buffer.from("app"), size: 40_000 }),
  });
  board.powerOn();
  return {
    board,
    dump() {
      const bytes = Buffer.alloc(board.chip.size);
      board.chip.read(0, bytes);
      bytes.set(bootloader(chip, megabytes), chipOf(chip)!.bootloader);
      return bytes;
    },
  };
}

/** An image of the chip whose header names the flash size, as a bootloader's does. */
export function bootloader(chip: number, megabytes: number): Uint8Array {
  const image = buildImage({ chip, version: "1", product: "bootloader", payload: Buffer.from("boot"), size: 20_000 });
  image[3] = Math.log2(megabytes) << 4;
  // The checksum leaves out the header, the hash does not.
  const hash = createHash("sha256").update(image.subarray(0, -IMAGE_HASH)).digest();
  image.set(hash, image.length - IMAGE_HASH);
  return image;
}
