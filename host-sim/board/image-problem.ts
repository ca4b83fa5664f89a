/**
 * Why an update with a file would fail on any chip, for the tools that take files from people. The agent's own checks
 * are in src/job/policy.ts; they come to the same verdict from the first sector.
 */
import { isContainer } from "../../src/container/format";
import { DESCRIPTION_LENGTH, DESCRIPTION_OFFSET, readAppDescription } from "../../src/image/esp-image";
import { verifyImage } from "../../hal/model-chip/image-check";
import type { ReadImage } from "../../hal/model-chip/image-check";
import { PartitionTable, TABLE_ADDRESS, TABLE_LENGTH } from "../../hal/model-chip/partitions";
import { hex } from "../../hal/model-chip/flash-chip";
import { nodeSha256 } from "./node-crypto";

/**
 * One line; undefined where nothing is wrong, and for a container, which is no image. Never throws. `size`: bytes that
 * `read` can give.
 */
export function problemOfImage(read: ReadImage, size: number): string | undefined {
  const first = bytesAt(read, 0, Math.min(DESCRIPTION_OFFSET + DESCRIPTION_LENGTH, size));
  if (isContainer(first)) return undefined;
  try {
    readAppDescription(first);
    verifyImage(read, size, nodeSha256);
    return undefined;
  } catch (error) {
    return wholeFlash(read, size) ?? (error as Error).message;
  }
}

/** What esptool merge-bin makes, or a chip's flash as it was read out: it has a partition table where a chip has its. */
function wholeFlash(read: ReadImage, size: number): string | undefined {
  if (size < TABLE_ADDRESS + TABLE_LENGTH) return undefined;
  const apps = PartitionTable.appsIn(bytesAt(read, TABLE_ADDRESS, TABLE_LENGTH));
  if (apps.length === 0) return undefined;
  return `not an application image but flash with bootloader and partition table: give the application's own file, which begins at ${hex(apps[0]!)} in this one`;
}

function bytesAt(read: ReadImage, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  read(offset, bytes);
  return bytes;
}
