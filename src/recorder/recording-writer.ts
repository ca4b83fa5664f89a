/** Writes the entries of a recording (format.ts) into a buffer that grows up to its bound. */
import { encodeUtf8 } from "../util/utf8";
import { COMMON, TEXTS, TEXTS_MAX, Value } from "./format";

/** Bytes of the buffer at first. */
const FIRST = 512;
/** A lower byte is a number of itself. */
const SMALL = 0xf0;

export class RecordingWriter {
  /** Bytes written so far. */
  at = 0;
  private buffer = new Uint8Array(FIRST);
  private readonly most: number;
  /** Texts that a number stands for. */
  private readonly known: string[] = TEXTS.slice();

  /** `most`: bytes. */
  constructor(most: number) {
    this.most = most;
  }

  /** Makes room for `length` more bytes; false: there is none. */
  room(length: number): boolean {
    const { buffer, at, most } = this;
    const wanted = at + length;
    if (wanted <= buffer.length) return true;
    if (wanted > most) return false;
    const grown = new Uint8Array(Math.min(most, Math.max(wanted, 2 * buffer.length)));
    grown.set(buffer.subarray(0, at));
    this.buffer = grown;
    return true;
  }

  /** Bytes that the buffer has now. */
  get capacity(): number {
    return this.buffer.length;
  }

  /** What was written, as a view. */
  get written(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  /** Changes a byte that was written. */
  patch(at: number, value: number): void {
    this.buffer[at] = value;
  }

  /** Drops the bytes from `from` on that lie before `to`. Texts keep their numbers. */
  drop(from: number, to: number): void {
    this.buffer.copyWithin(from, to, this.at);
    this.at -= to - from;
  }

  /** Throws where there is no room, as all that follow. */
  byte(value: number): void {
    if (this.at === this.buffer.length && !this.room(1)) throw new Error("the recording is full");
    this.buffer[this.at++] = value;
  }

  /** 7 bits a byte, the lowest first; up to 2^53. */
  varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest = rest < 0x80000000 ? rest >> 7 : Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    if (!this.room(length)) throw new Error("the recording is full");
    this.buffer.set(bytes, this.at);
    this.at += length;
  }

  /** How many texts have a number. */
  get texts(): number {
    return this.known.length;
  }

  /** Forgets the others. */
  set texts(count: number) {
    this.known.length = count;
  }

  counted(kind: number, count: number): void {
    this.byte(kind);
    this.varint(count);
  }

  text(text: string): void {
    const { known } = this;
    const number = known.indexOf(text);
    if (number >= 0) return this.counted(Value.again, number);
    const common = COMMON.indexOf(text);
    if (common >= 0) {
      this.byte(Value.common);
      return this.byte(common);
    }
    if (known.length < TEXTS_MAX) known.push(text);
    const bytes = encodeUtf8(text);
    this.counted(Value.text, bytes.length);
    this.bytes(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.counted(Value.bytes, bytes.length);
    this.bytes(bytes);
  }

  omitted(length: number): void {
    this.counted(Value.omitted, length);
  }

  number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.byte(Value.real);
      return this.bytes(new Uint8Array(Float64Array.of(value).buffer));
    }
    if (value < 0) return this.counted(Value.negative, -value);
    if (value < SMALL) return this.byte(value);
    this.counted(Value.number, value);
  }

  /** Plain data, nested at most as deep as an event. */
  value(value: unknown): void {
    switch (typeof value) {
      case "string":
        return this.text(value);
      case "number":
        return this.number(value);
      case "boolean":
        return this.byte(value ? Value.true : Value.false);
      case "object":
        return value === null ? this.byte(Value.undefined) : this.compound(value);
      default:
        return this.byte(Value.undefined);
    }
  }

  private compound(value: object): void {
    if (value instanceof Uint8Array) return this.raw(value);
    if (Array.isArray(value)) {
      this.counted(Value.array, value.length);
      for (const each of value) this.value(each);
      return;
    }
    const fields = Object.entries(value).filter(([, each]) => each !== undefined);
    this.counted(Value.object, fields.length);
    for (const [name, each] of fields) {
      this.text(name);
      this.value(each);
    }
  }
}
