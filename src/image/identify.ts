/** What an image is known by: the SHA-256 that ESP-IDF appends to it, and its length up to and with that. */
import { IMAGE_HEADER, SEGMENT_HEADER, readHeader } from "./esp-image";

export interface ImageIdentity {
  readonly id: Uint8Array;
  readonly length: number;
}

const SHA256 = 32;

/**
 * Of an image that the bootloader has verified: its headers are read, not its bytes. Undefined: it has no SHA-256, or is
 * no image. `read` throws outside of the slot.
 */
export const identify = (read: (offset: number, into: Uint8Array) => void): ImageIdentity | undefined => {
  try {
    const header = new Uint8Array(IMAGE_HEADER);
    read(0, header);
    const { segments, hashAppended } = readHeader(header);
    let end = IMAGE_HEADER;
    for (let left = segments; left > 0; left--) {
      const segment = header.subarray(0, SEGMENT_HEADER);
      read(end, segment);
      end += SEGMENT_HEADER + new DataView(header.buffer).getUint32(4, true);
    }
    // A checksum byte ends a block of 16.
    end = (Math.floor(end / 16) + 1) * 16;
    const id = new Uint8Array(SHA256);
    read(end, id);
    return hashAppended ? { id, length: end + SHA256 } : undefined;
  } catch {
    return undefined;
  }
};
