/**
 * ASN.1 in its distinguished encoding (X.690), as much as a certificate needs: definite lengths, low tag numbers. Each
 * length is checked against what is there, so no input makes it read beyond its element.
 */
import { toHex } from "../util/hex";

export const SEQUENCE = 0x30;
export const SET = 0x31;
export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;

export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** With its tag and length: what a signature covers. */
  readonly whole: Uint8Array;
}

export class DerReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get more(): boolean {
    return this.at < this.bytes.length;
  }

  /** Tag of the next element; -1 at the end. */
  get tag(): number {
    return this.bytes[this.at] ?? -1;
  }

  /** The next element. Throws when it is not of type `tag`, where one is named, or does not fit. */
  next(tag?: number): Element {
    const bytes = this.bytes;
    const start = this.at;
    const found = bytes[start];
    if (found === undefined || (found & 0x1f) === 0x1f) throw new Error("DER: no element");
    if (tag !== undefined && found !== tag) throw new Error(`DER: tag ${found}, expected ${tag}`);
    let length = bytes[start + 1] ?? 0x80;
    let at = start + 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 3) throw new Error("DER: length");
      length = 0;
      for (const end = at + count; at < end; at++) length = length * 256 + (bytes[at] ?? 0);
    }
    const end = at + length;
    if (end > bytes.length) throw new Error("DER: element longer than its frame");
    this.at = end;
    return { tag: found, content: bytes.subarray(at, end), whole: bytes.subarray(start, end) };
  }

  /** Opens the next element, which holds others. */
  enter(tag: number = SEQUENCE): DerReader {
    return new DerReader(this.next(tag).content);
  }

  /** Content of a bit string of whole bytes. */
  bits(): Uint8Array {
    const { content } = this.next(BIT_STRING);
    if (content[0] !== 0) throw new Error("DER: bit string of odd length");
    return content.subarray(1);
  }

  /** An object identifier, as the hex of its content. */
  oid(): string {
    return toHex(this.next(OBJECT_ID).content);
  }

  /** A number that is not negative, without leading zeros. */
  integer(): Uint8Array {
    const { content } = this.next(INTEGER);
    if (content.length === 0 || content[0]! >= 0x80) throw new Error("DER: integer");
    let zeros = 0;
    while (zeros < content.length - 1 && content[zeros] === 0) zeros++;
    return content.subarray(zeros);
  }

  end(): void {
    if (this.more) throw new Error("DER: something follows");
  }
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};
