/**
 * Byte codec of the records in the store (docs/SPEC.md): little-endian fields, texts with their length, CRC-32 at the
 * end.
 */
import { crc32 } from "../util/crc32";
import { decodeUtf8, encodeUtf8 } from "../util/utf8";

/** Format version of every record of bytes; a record of another version counts as absent. */
export const FORMAT = 1;

/** Writes fields; a text has its length before it, 0xFFFF where it is absent. */
export class Writer {
  private readonly written: number[] = [];
  byte(value: number): this {
    this.written.push(value & 0xff);
    return this;
  }
  u32(value: number): this {
    return this.byte(value)
      .byte(value >>> 8)
      .byte(value >>> 16)
      .byte(value >>> 24);
  }
  text(value: string | undefined): this {
    if (value === undefined) return this.byte(0xff).byte(0xff);
    const bytes = encodeUtf8(value);
    return this.byte(bytes.length)
      .byte(bytes.length >>> 8)
      .bytes(bytes);
  }
  bytes(bytes: Uint8Array): this {
    bytes.forEach((byte) => this.byte(byte));
    return this;
  }
  /** The bytes with their CRC-32 behind them. */
  sealed(): Uint8Array {
    return new Uint8Array(this.u32(crc32(Uint8Array.from(this.written))).written);
  }
  crc(): number {
    return crc32(Uint8Array.from(this.written));
  }
}

/** Reads what Writer wrote. Bytes that Writer cannot have written set `broken`; nothing throws. */
export class Reader {
  private at = 0;
  broken: boolean;
  private readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = bytes.subarray(0, Math.max(0, bytes.length - 4));
    this.broken = bytes.length < 5 || crc32(this.bytes) !== littleEndian(bytes, this.bytes.length);
  }
  /** Not all was read. */
  get more(): boolean {
    return this.at < this.bytes.length;
  }
  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) this.broken = true;
    return value ?? 0;
  }
  u32(): number {
    return (this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24)) >>> 0;
  }
  text(): string | undefined {
    const length = this.byte() | (this.byte() << 8);
    if (length === 0xffff) return undefined;
    const end = this.at + length;
    if (end > this.bytes.length) {
      this.broken = true;
      return undefined;
    }
    const text = decodeUtf8(this.bytes.subarray(this.at, end));
    this.at = end;
    return text;
  }
  /** The last `length` bytes. */
  rest(length: number): Uint8Array | undefined {
    const end = this.at + length;
    if (end !== this.bytes.length) this.broken = true;
    return this.broken ? undefined : this.bytes.slice(this.at, end);
  }
}

const littleEndian = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
