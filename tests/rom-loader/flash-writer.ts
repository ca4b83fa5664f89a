/** One write of FLASH_BEGIN, FLASH_DATA or of their compressed forms: sectors are erased, then programmed, as bytes come. */
import { Inflate } from "pako";
import { SECTOR_SIZE, type FlashChip } from "../../hal/model-chip/flash-chip";

export class FlashWriter {
  readonly #flash: FlashChip;
  readonly #inflate: Inflate | undefined;
  #at: number;
  #left: number;
  #erased: number;
  #failed = false;

  /** `size`: bytes to be written, uncompressed. */
  constructor(flash: FlashChip, offset: number, size: number, isCompressed: boolean) {
    if (offset % SECTOR_SIZE !== 0 || offset + size > flash.size) throw new Error("outside of the flash chip");
    this.#flash = flash;
    this.#at = offset;
    this.#erased = offset;
    this.#left = size;
    if (!isCompressed) return;
    this.#inflate = new Inflate();
    this.#inflate.onData = (bytes) => this.#write(bytes as Uint8Array);
    this.#inflate.onEnd = (status) => (this.#failed ||= status !== 0);
  }

  /** False: the compressed bytes are damaged. */
  take(bytes: Uint8Array): boolean {
    if (this.#inflate === undefined) this.#write(bytes);
    else if (!this.#inflate.push(bytes, false) && this.#inflate.err !== 0) this.#failed = true;
    return !this.#failed;
  }

  get isComplete(): boolean {
    return this.#left === 0;
  }

  /** What goes beyond the size is the padding of the last block. */
  #write(bytes: Uint8Array): void {
    const part = bytes.subarray(0, this.#left);
    eraseSectors(this.#flash, this.#erased, this.#at + part.length - this.#erased);
    this.#erased = Math.max(this.#erased, Math.ceil((this.#at + part.length) / SECTOR_SIZE) * SECTOR_SIZE);
    this.#flash.program(this.#at, part);
    this.#at += part.length;
    this.#left -= part.length;
  }
}

/** Whole sectors that a range touches, `from` being the beginning of one. */
export function eraseSectors(flash: FlashChip, from: number, length: number): void {
  for (let at = from; at < from + length; at += SECTOR_SIZE) flash.erase(at);
}
