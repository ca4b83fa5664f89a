/**
 * Images never to be tried again, by digest and cause (invariant 9): those whose digest matched and that were then refused
 * (format, chip, product, signature) or rolled back by their own fault. At most REFUSED_MAX. Of a full list the oldest refused one
 * goes first: forged images can be made without end, and must not push out firmware that was signed and failed.
 */
import { REFUSED_MAX } from "../constants";
import { crc32 } from "../util/crc32";
import { fromHex } from "../util/hex";
import type { Cause, OfferDigest } from "./types";

export const KEY_REFUSED = "refused";

/** First bytes of a digest that identify an image here. */
const PREFIX = 16;
const ENTRY = PREFIX + 1;
const FORMAT = 1;
const CODES: readonly Cause[] = Object.freeze<Cause[]>(["rejected", "rolled-back"]);
const ROLLED_BACK = 1;

export class RefusedImages {
  #entries: Uint8Array[] = [];

  /** An unreadable record counts as empty. */
  constructor(stored: Uint8Array | undefined) {
    if (stored === undefined || stored.length < 5 || stored[0] !== FORMAT) return;
    const end = stored.length - 4;
    if ((end - 1) % ENTRY !== 0 || !equal(checksum(stored.subarray(0, end)), stored.subarray(end))) return;
    for (let at = 1; at < end; at += ENTRY) this.#entries.push(stored.slice(at, at + ENTRY));
  }

  causeOf(digest: OfferDigest | undefined): Cause | undefined {
    if (digest === undefined) return undefined;
    const prefix = fromHex(digest.hex).subarray(0, PREFIX);
    const entry = this.#entries.find((candidate) => equal(candidate.subarray(0, PREFIX), prefix));
    return entry === undefined ? undefined : CODES[entry[PREFIX] ?? 0];
  }

  /** The record to store; undefined when the image is known already, has no digest to know it by, or is not worth another's place. */
  remember(digest: OfferDigest | undefined, cause: Cause): Uint8Array | undefined {
    if (digest === undefined || this.causeOf(digest) !== undefined) return undefined;
    const entry = new Uint8Array(ENTRY);
    entry.set(fromHex(digest.hex).subarray(0, PREFIX));
    entry[PREFIX] = Math.max(0, CODES.indexOf(cause));
    if (!this.makeRoom(cause)) return undefined;
    this.#entries.push(entry);
    const bytes = new Uint8Array(1 + this.#entries.length * ENTRY + 4);
    bytes[0] = FORMAT;
    this.#entries.forEach((each, index) => bytes.set(each, 1 + index * ENTRY));
    bytes.set(checksum(bytes.subarray(0, bytes.length - 4)), bytes.length - 4);
    return bytes;
  }

  forget(): void {
    this.#entries = [];
  }

  private makeRoom(cause: Cause): boolean {
    if (this.#entries.length < REFUSED_MAX) return true;
    const refused = this.#entries.findIndex((entry) => entry[PREFIX] !== ROLLED_BACK);
    if (refused < 0 && cause !== "rolled-back") return false;
    this.#entries.splice(Math.max(0, refused), 1);
    return true;
  }
}

function checksum(bytes: Uint8Array): Uint8Array {
  const crc = crc32(bytes);
  return Uint8Array.of(crc & 0xff, (crc >>> 8) & 0xff, (crc >>> 16) & 0xff, crc >>> 24);
}

const equal = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);
