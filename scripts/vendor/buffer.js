import { decodeUtf8, encodeUtf8, encodeUtf8Into, utf8Length } from "../../src/util/utf8";

/** As much of Node's Buffer as mqtt-packet and the list beside this file use; text is always UTF-8. */
export class Buffer extends Uint8Array {
  static isBuffer(value) {
    return value instanceof Uint8Array;
  }

  static from(value, offset, length) {
    if (typeof value === "string") value = encodeUtf8(value);
    if (value instanceof ArrayBuffer) return new Buffer(value, offset, length);
    const buffer = new Buffer(value.length);
    buffer.set(value);
    return buffer;
  }

  static alloc(length) {
    return new Buffer(length);
  }

  static allocUnsafe(length) {
    return new Buffer(length);
  }

  static byteLength(value) {
    return typeof value === "string" ? utf8Length(value) : value.byteLength;
  }

  write(text, at) {
    return encodeUtf8Into(text, this, at) - at;
  }

  writeUInt8(value, at) {
    this[at] = value;
    return at + 1;
  }

  toString() {
    return decodeUtf8(this);
  }
}
