/**
 * Digest of a whole file from what is in flash, sector by sector (invariant 2): one reading pass after the last byte has arrived,
 * 0.46 ms of flash time a sector. A digest that grew while downloading would have to be rebuilt after each power cut, and could
 * not tell what became of the sectors after they were written.
 */
import type { Digest } from "../../hal/ports";
import { SECTOR } from "../constants";
import { toHex } from "../util/hex";
import type { JobEffect, Source } from "./effects";

/** Sectors read in one turn: 64 KiB are about 40 ms on a C3 (facts: 0.46 ms flash and 2 ms digest a sector), far below any watchdog. */
const SECTORS_PER_TURN = 16;

export class HashPass {
  readonly #from: Source;
  readonly #size: number;
  readonly #digest: Digest;
  #offset: number;
  #inTurn = 0;

  /** `head`: bytes that are not in flash yet and come first. */
  constructor(from: Source, size: number, digest: Digest, head?: Uint8Array) {
    this.#from = from;
    this.#size = size;
    this.#digest = digest;
    this.#offset = head === undefined ? 0 : head.length;
    if (head !== undefined) digest.write(head);
  }

  /** The next read; a yield now and then; nothing when all is read. */
  next(): JobEffect[] {
    if (this.#offset >= this.#size) return [];
    if (this.#inTurn >= SECTORS_PER_TURN) {
      this.#inTurn = 0;
      return [{ type: "yield" }];
    }
    this.#inTurn++;
    const end = Math.min(this.#size, (Math.floor(this.#offset / SECTOR) + 1) * SECTOR);
    return [{ type: "read", from: this.#from, offset: this.#offset, length: end - this.#offset }];
  }

  take(bytes: Uint8Array): void {
    this.#digest.write(bytes);
    this.#offset += bytes.length;
  }

  /** Lower-case hex. */
  close(): string {
    return toHex(this.#digest.close());
  }
}
