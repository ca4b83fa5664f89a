/** The stub's READ_FLASH: blocks, of which some may be under way, and the MD5 of all once the last was acknowledged. */
import { createHash } from "node:crypto";
import type { FlashChip } from "../../hal/model-chip/flash-chip";

export interface ReadRequest {
  readonly offset: number;
  readonly length: number;
  /** Bytes of a block. */
  readonly block: number;
  /** Blocks that may be under way. */
  readonly inFlight: number;
}

export class FlashReader {
  readonly #flash: FlashChip;
  readonly #request: ReadRequest;
  readonly #hash = createHash("md5");
  #sent = 0;
  /** The digest was given. */
  isDone = false;

  constructor(flash: FlashChip, request: ReadRequest) {
    this.#flash = flash;
    this.#request = request;
  }

  /** What is sent once that many bytes were acknowledged. */
  next(acknowledged: number): Uint8Array[] {
    const { offset, length, block, inFlight } = this.#request;
    const frames: Uint8Array[] = [];
    while (this.#sent < length && this.#sent - acknowledged < inFlight * block) {
      const bytes = new Uint8Array(Math.min(block, length - this.#sent));
      this.#flash.read(offset + this.#sent, bytes);
      this.#hash.update(bytes);
      this.#sent += bytes.length;
      frames.push(bytes);
    }
    if (acknowledged < length) return frames;
    this.isDone = true;
    return [this.#hash.digest()];
  }
}
