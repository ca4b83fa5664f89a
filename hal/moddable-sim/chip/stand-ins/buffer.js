/** As much of Node's Buffer as the simulated board uses. */
export class Buffer extends Uint8Array {
  static alloc(length, fill = 0) {
    const buffer = new Buffer(length);
    if (fill !== 0) buffer.fill(fill);
    return buffer;
  }

  static from(value) {
    const bytes = typeof value === "string" ? latin1(value) : value;
    const buffer = new Buffer(bytes.length);
    buffer.set(bytes);
    return buffer;
  }

  static concat(list) {
    const buffer = new Buffer(list.reduce((length, bytes) => length + bytes.length, 0));
    let at = 0;
    for (const bytes of list) {
      buffer.set(bytes, at);
      at += bytes.length;
    }
    return buffer;
  }

  static compare(a, b) {
    const length = Math.min(a.length, b.length);
    for (let index = 0; index < length; index++) if (a[index] !== b[index]) return a[index] - b[index];
    return a.length - b.length;
  }

  equals(other) {
    return Buffer.compare(this, other) === 0;
  }

  copy(target, at = 0, start = 0, end = this.length) {
    target.set(this.subarray(start, end), at);
    return end - start;
  }

  /** Latin-1, whatever encoding is named: labels, keys and versions are ASCII. */
  write(text, at = 0) {
    this.set(latin1(text), at);
    return text.length;
  }

  toString(_encoding, start = 0, end = this.length) {
    let text = "";
    for (let index = start; index < end; index++) text += String.fromCharCode(this[index]);
    return text;
  }

  readUInt16LE(at = 0) {
    return this[at] | (this[at + 1] << 8);
  }

  readUInt32LE(at = 0) {
    return (this.readUInt16LE(at) | (this.readUInt16LE(at + 2) << 16)) >>> 0;
  }

  writeUInt16LE(value, at = 0) {
    this[at] = value;
    this[at + 1] = value >>> 8;
    return at + 2;
  }

  writeUInt32LE(value, at = 0) {
    this.writeUInt16LE(value, at);
    return this.writeUInt16LE(value >>> 16, at + 2);
  }

  readBigUInt64LE(at = 0) {
    return BigInt(this.readUInt32LE(at)) | (BigInt(this.readUInt32LE(at + 4)) << 32n);
  }

  writeBigUInt64LE(value, at = 0) {
    this.writeUInt32LE(Number(value & 0xffffffffn), at);
    return this.writeUInt32LE(Number(value >> 32n), at + 4);
  }
}

function latin1(text) {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}
