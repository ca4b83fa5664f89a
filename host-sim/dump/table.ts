/** The partition table of a dump, or why there is none, in words that an engineer can act on. */
import { hex } from "../../hal/model-chip/flash-chip";
import { PartitionTable, TABLE_ADDRESS, TABLE_LENGTH, partitionsOfBinary } from "../../hal/model-chip/partitions";
import type { Partition } from "../../hal/model-chip/partitions";
import { BOOTLOADER_OFFSETS, chipOf } from "../../hal/model-chip/chips";
import { isContainer } from "../../src/container/format";
import { IMAGE_HEADER, readAppDescription, readHeader } from "../../src/image/esp-image";
import type { FlashFile } from "./flash-file";

/** Other places that CONFIG_PARTITION_TABLE_OFFSET is set to. */
const SEARCHED = 0x20000;
const SECTOR = 0x1000;
/** No chip has more. */
const FLASH_MAX = 128 << 20;
/** Different values among 3 KiB: text, code and tables have far fewer repeated evenly; noise has nearly all. */
const NOISE_VALUES = 240;
const MB = 1 << 20;

/** The file is flash and not firmware: it has a table where flash has it, or the size of a flash chip. */
export function isFlash(bytes: Uint8Array): boolean {
  if (PartitionTable.appsIn(bytes.subarray(TABLE_ADDRESS, TABLE_ADDRESS + TABLE_LENGTH)).length > 0) return true;
  return bytes.length >= MB && (bytes.length & (bytes.length - 1)) === 0 && !isFirmware(bytes);
}

function isFirmware(bytes: Uint8Array): boolean {
  if (isContainer(bytes)) return true;
  try {
    readAppDescription(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Throws one line that says why there is no table. */
export function tableOf(flash: FlashFile): readonly Partition[] {
  if (flash.given < TABLE_ADDRESS + TABLE_LENGTH)
    throw new Error(
      `the dump ends at ${hex(flash.given)}, before the end of the partition table at ${hex(TABLE_ADDRESS)}: read the whole flash (esptool read-flash 0 ALL flash.bin)`,
    );
  const bytes = flash.bytes(TABLE_ADDRESS, TABLE_LENGTH);
  let partitions: readonly Partition[];
  try {
    partitions = partitionsOfBinary(bytes);
  } catch (error) {
    throw new Error(reasonOf(flash, bytes, error as Error), { cause: error });
  }
  // Without MD5 a damaged table may say anything.
  const odd = partitions.find(({ address, size }) => address + size > FLASH_MAX || (address | size) % SECTOR !== 0);
  if (odd === undefined) return partitions;
  throw new Error(
    `partition ${JSON.stringify(odd.label)} at ${hex(odd.address)} with ${odd.size} bytes: no partition of a chip; the dump or the flash is damaged`,
  );
}

function reasonOf(flash: FlashFile, bytes: Uint8Array, error: Error): string {
  if (!error.message.startsWith("no partition table")) return `${error.message}: the dump or the flash is damaged`;
  if (flash.isErased(0, flash.given)) return "the whole dump is erased (0xff): an empty chip, or one that was erased";
  const elsewhere = otherTable(flash);
  if (elsewhere !== undefined)
    return `no partition table at ${hex(TABLE_ADDRESS)}, but one at ${hex(elsewhere)}: built with another CONFIG_PARTITION_TABLE_OFFSET, which this agent's layouts do not have; or the dump does not begin at address 0`;
  if (flash.isErased(TABLE_ADDRESS, TABLE_LENGTH))
    return `no partition table: ${hex(TABLE_ADDRESS)} is erased (0xff)${bootloaderAt(flash) === undefined ? "" : ", although there is a bootloader"}`;
  if (new Set(bytes).size >= NOISE_VALUES && bootloaderAt(flash) === undefined)
    return "no partition table and no bootloader, only noise: as flash encryption leaves it. Without the chip's key a dump can not be read; what the device reported is in its cloud and its log";
  return `no partition table at ${hex(TABLE_ADDRESS)}: not a dump from address 0, or of another kind of chip`;
}

function otherTable(flash: FlashFile): number | undefined {
  for (let at = 0; at < Math.min(SEARCHED, flash.given); at += SECTOR) {
    try {
      partitionsOfBinary(flash.bytes(at, TABLE_LENGTH));
      return at;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/** Where there is the header of an image. Noise has its first byte in one of 128 dumps, but not the number of a chip. */
function bootloaderAt(flash: FlashFile): number | undefined {
  return BOOTLOADER_OFFSETS.find((offset) => {
    try {
      return chipOf(readHeader(flash.bytes(offset, IMAGE_HEADER)).chip) !== undefined;
    } catch {
      return false;
    }
  });
}
