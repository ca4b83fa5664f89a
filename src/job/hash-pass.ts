/**
 * Digests of a whole file from what is in flash. A download that nothing interrupts takes each sector as it was read back
 * (`take`); otherwise the pass reads the slot after the last byte has arrived, at 0.46 ms of flash time a sector.
 */
import type { Digest } from "../ports";
import { SECTOR, TRAILER } from "../constants";
import { IMAGE_FACTS } from "../image/firmware-block";
import { toHex } from "../util/hex";
import type { JobEffect, Source } from "./effects";

/**
 * Sectors read in one turn: 64 KiB take about 40 ms on an ESP32-C3 (0.46 ms flash and 2 ms digest a sector), far below
 * any watchdog.
 */
const SECTORS_PER_TURN = 16;

/** What the pass computes; an absent digest is not needed. */
export interface Digests {
  /** Over the whole file: the offer's. */
  readonly whole?: Digest | undefined;
  /** Over what a signature covers: everything before the trailer. */
  readonly signed?: Digest | undefined;
}

export class HashPass {
  private readonly from: Source;
  private readonly start: number;
  private readonly size: number;
  private readonly digests: Digests;
  private readonly first = new Uint8Array(IMAGE_FACTS);
  private readonly last = new Uint8Array(TRAILER);
  private offset = 0;
  private inTurn = 0;

  /** `header`: bytes that are not in flash yet and come first. `start`: where the first byte lies. */
  constructor(from: Source, size: number, digests: Digests, header?: Uint8Array, start = 0) {
    this.from = from;
    this.start = start;
    this.size = size;
    this.digests = digests;
    if (header !== undefined) this.take(header);
  }

  /** The next read; a yield now and then; nothing when all is read. */
  next(): JobEffect[] {
    if (this.offset >= this.size) return [];
    if (this.inTurn >= SECTORS_PER_TURN) {
      this.inTurn = 0;
      return [{ type: "yield" }];
    }
    this.inTurn++;
    const end = Math.min(this.size, (Math.floor(this.offset / SECTOR) + 1) * SECTOR);
    return [{ type: "read", from: this.from, offset: this.start + this.offset, length: end - this.offset }];
  }

  /** Where the next bytes belong. */
  get taken(): number {
    return this.offset;
  }

  take(bytes: Uint8Array): void {
    const { whole, signed } = this.digests;
    if (this.offset < IMAGE_FACTS) this.first.set(bytes.subarray(0, IMAGE_FACTS - this.offset), this.offset);
    whole?.write(bytes);
    if (signed !== undefined) this.takeSigned(signed, bytes);
    this.offset += bytes.length;
  }

  private takeSigned(signed: Digest, bytes: Uint8Array): void {
    const inside = Math.min(bytes.length, Math.max(0, this.size - TRAILER - this.offset));
    if (inside > 0) signed.write(bytes.subarray(0, inside));
    if (inside < bytes.length)
      this.last.set(bytes.subarray(inside), this.offset + inside - Math.max(0, this.size - TRAILER));
  }

  /**
   * Once, at the end: digest of the whole file (lower-case hex), hash of the signed bytes, the trailer behind them, and
   * the first IMAGE_FACTS bytes.
   */
  close(): { whole: string | undefined; signed: Uint8Array | undefined; trailer: Uint8Array; first: Uint8Array } {
    const { whole, signed } = this.digests;
    return {
      whole: whole === undefined ? undefined : toHex(whole.close()),
      signed: signed?.close(),
      trailer: this.last,
      first: this.first,
    };
  }
}
