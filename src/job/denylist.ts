/**
 * Images never to be tried again, by digest and cause: those whose digest matched and that were then refused (format,
 * chip, product, signature), and those that were rolled back by their own fault. The list has at most REFUSED_MAX
 * entries. When it is full, the oldest refused image goes first: forged images can be made without end, and must not
 * push out firmware that was signed and failed.
 */
import { REFUSED_MAX } from "../constants";
import { fromHex } from "../util/hex";
import { DENIED_ENTRY, DENIED_ID } from "./history-codecs";
import { RECORDS } from "./records";
import type { Cause, OfferDigest } from "./types";

const CODES: readonly Cause[] = Object.freeze<Cause[]>(["rejected", "rolled-back"]);
const ROLLED_BACK = 1;

export class Denylist {
  private entries: Uint8Array[];

  constructor(stored: Uint8Array | undefined) {
    this.entries = RECORDS.denylist.decode(stored);
  }

  causeOf(digest: OfferDigest | undefined): Cause | undefined {
    if (digest === undefined) return undefined;
    const id = fromHex(digest.hex).subarray(0, DENIED_ID);
    const entry = this.entries.find((candidate) => equal(candidate.subarray(0, DENIED_ID), id));
    return entry === undefined ? undefined : CODES[entry[DENIED_ID] ?? 0];
  }

  /**
   * The record to store; undefined where the image is listed already, has no digest, or is not worth another's place.
   */
  add(digest: OfferDigest | undefined, cause: Cause): Uint8Array | undefined {
    if (digest === undefined || this.causeOf(digest) !== undefined) return undefined;
    const entry = new Uint8Array(DENIED_ENTRY);
    entry.set(fromHex(digest.hex).subarray(0, DENIED_ID));
    entry[DENIED_ID] = Math.max(0, CODES.indexOf(cause));
    if (!this.makeRoom(cause)) return undefined;
    this.entries.push(entry);
    return RECORDS.denylist.encode(this.entries);
  }

  clear(): void {
    this.entries = [];
  }

  private makeRoom(cause: Cause): boolean {
    if (this.entries.length < REFUSED_MAX) return true;
    const refused = this.entries.findIndex((entry) => entry[DENIED_ID] !== ROLLED_BACK);
    if (refused < 0 && cause !== "rolled-back") return false;
    this.entries.splice(Math.max(0, refused), 1);
    return true;
  }
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, index) => byte === b[index]);
