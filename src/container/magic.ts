/** How a container is told from an image. Firmware that is built without containers has this alone, to name what it refuses. */
import { startsWith } from "../util/bytes";

/** "XSOU" */
export const MAGIC: readonly number[] = Object.freeze([0x58, 0x53, 0x4f, 0x55]);

export const isContainer = (first: Uint8Array): boolean => startsWith(first, MAGIC);
