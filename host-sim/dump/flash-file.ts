/** The bytes of a chip's flash as esptool read them out, which may be fewer than the chip has. */
import { SECTOR_SIZE } from "../../hal/model-chip/flash-cells";
import type { FlashChip } from "../../hal/model-chip/flash-chip";

/** A flash of `size` bytes; what the file lacks reads as erased. It can not be written. */
export class FlashFile implements Pick<FlashChip, "read" | "size"> {
  readonly size: number;
  /** Bytes of the file. */
  readonly given: number;
  readonly #bytes: Uint8Array;

  /** `size`: bytes of the chip; at least a whole sector. */
  constructor(bytes: Uint8Array, size: number) {
    this.#bytes = bytes;
    this.given = bytes.length;
    this.size = Math.ceil(Math.max(size, bytes.length, SECTOR_SIZE) / SECTOR_SIZE) * SECTOR_SIZE;
  }

  read(address: number, into: Uint8Array): void {
    into.fill(0xff);
    into.set(this.#bytes.subarray(address, address + into.length));
  }

  bytes(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.read(address, bytes);
    return bytes;
  }

  isErased(address: number, length: number): boolean {
    return this.bytes(address, length).every((byte) => byte === 0xff);
  }
}
