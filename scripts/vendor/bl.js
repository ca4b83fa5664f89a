import { Buffer } from "./buffer.js";

const NOTHING = Buffer.alloc(0);

/**
 * As much of the package bl as mqtt-packet's parser uses: bytes that come at the end and go at the beginning. What is
 * appended to an empty list is not copied.
 */
class BufferList {
  constructor() {
    this.bytes = NOTHING;
  }

  get length() {
    return this.bytes.length;
  }

  append(more) {
    const added = Buffer.from(more.buffer, more.byteOffset, more.byteLength);
    if (this.bytes.length === 0) this.bytes = added;
    else {
      const joined = Buffer.alloc(this.bytes.length + added.length);
      joined.set(this.bytes);
      joined.set(added, this.bytes.length);
      this.bytes = joined;
    }
    return this;
  }

  /** An empty view would keep the last packet's bytes in memory until the next comes, which may be days. */
  consume(count) {
    this.bytes = count < this.bytes.length ? this.bytes.subarray(count) : NOTHING;
    return this;
  }

  slice(start, end) {
    return this.bytes.subarray(start, end);
  }

  toString(_encoding, start, end) {
    return this.slice(start, end).toString();
  }

  readUInt8(at) {
    return this.bytes[at];
  }

  readUInt16BE(at) {
    return this.bytes[at] * 0x100 + this.bytes[at + 1];
  }
}

export default () => new BufferList();
