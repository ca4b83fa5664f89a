/**
 * One sector on its way into flash: erase, program, read back; repaired when the readback differs, at most SECTOR_REPAIRS times
 * (invariant 6). Of the firmware's first sector the head stays in RAM and erased in flash (invariant 2); a module's is written like
 * the rest, and its installer erases.
 */
import { HEAD, SECTOR, SECTOR_REPAIRS } from "../constants";
import type { JobEffect } from "./effects";

export class SectorStore {
  readonly sector: number;
  /** The image's first bytes, of the first sector only. */
  readonly head: Uint8Array | undefined;
  readonly #part: boolean;
  readonly #bytes: Uint8Array;
  readonly #skip: number;
  #repairs = 0;

  /** `bytes` must stay as they are until the sector is stored. */
  constructor(offset: number, bytes: Uint8Array, part: boolean) {
    this.#part = part;
    this.sector = Math.floor(offset / SECTOR);
    this.#skip = this.sector === 0 && !part ? HEAD : 0;
    this.head = this.sector === 0 ? bytes.slice(0, HEAD) : undefined;
    this.#bytes = bytes.subarray(this.#skip);
  }

  /** Address in the slot, for messages. */
  get address(): number {
    return this.sector * SECTOR;
  }

  effects(): JobEffect[] {
    const offset = this.address + this.#skip;
    if (this.#part) {
      return [
        { type: "write", offset, bytes: this.#bytes, part: true },
        { type: "compare", offset, bytes: this.#bytes, erased: 0, part: true },
      ];
    }
    return [
      { type: "erase", sector: this.sector },
      { type: "write", offset, bytes: this.#bytes },
      { type: "compare", offset, bytes: this.#bytes, erased: this.#skip },
    ];
  }

  /** After a readback that differs: the effects of one more try, or undefined when flash will not hold it. */
  repair(): JobEffect[] | undefined {
    this.#repairs++;
    return this.#repairs > SECTOR_REPAIRS ? undefined : this.effects();
  }
}
