/**
 * Bytes that no compressor shortens, always the same for a seed: the key stream of AES-128 in counter mode (FIPS 197,
 * SP 800-38A) under the two halves of the seed's SHA-256.
 */
import { encodeUtf8 } from "../../src/util/utf8";
import { sha256 } from "./sha256";

const BLOCK = 16;
const ROUNDS = 10;

/** Multiplies by x in the field of AES. */
const double = (value: number): number => (value << 1) ^ (value & 0x80 ? 0x11b : 0);

/** The S-box: the inverse in the field, then the affine transformation (FIPS 197, section 5.1.1). */
function makeSbox(): Uint8Array {
  const sbox = new Uint8Array(256);
  // 3 generates the field: `power` runs through all its elements, `inverse` through their inverses.
  for (let power = 1, inverse = 1, count = 0; count < 255; count++) {
    let mixed = inverse;
    for (let turn = 1; turn < 5; turn++) mixed ^= (inverse << turn) | (inverse >> (8 - turn));
    sbox[power] = mixed ^ 0x63;
    power ^= double(power);
    // By 0xF6, the inverse of 3.
    inverse ^= inverse << 1;
    inverse ^= inverse << 2;
    inverse ^= inverse << 4;
    inverse = (inverse ^ (inverse & 0x80 ? 0x09 : 0)) & 0xff;
  }
  sbox[0] = 0x63;
  return sbox;
}

const SBOX = makeSbox();

/** SubBytes and MixColumns of a byte in the first row, as a column. */
const COLUMN = Int32Array.from(SBOX, (value) => {
  const twice = double(value);
  return (twice << 24) | (value << 16) | (value << 8) | (twice ^ value);
});

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** FIPS 197, section 5.2. */
function expandKey(key: Uint8Array): Int32Array {
  const words = new Int32Array(4 * (ROUNDS + 1));
  const view = new DataView(key.buffer, key.byteOffset, BLOCK);
  for (let index = 0, constant = 1; index < words.length; index++) {
    if (index < 4) {
      words[index] = view.getInt32(4 * index);
      continue;
    }
    let word = words[index - 1]!;
    if (index % 4 === 0) {
      word = rotate(substitute(word), 24) ^ (constant << 24);
      constant = double(constant);
    }
    words[index] = words[index - 4]! ^ word;
  }
  return words;
}

function substitute(word: number): number {
  return (
    (SBOX[word >>> 24]! << 24) |
    (SBOX[(word >>> 16) & 0xff]! << 16) |
    (SBOX[(word >>> 8) & 0xff]! << 8) |
    SBOX[word & 0xff]!
  );
}

/** Of a state's columns, what one round makes of bytes of `w` to `z` (SubBytes, ShiftRows, MixColumns). */
function column(w: number, x: number, y: number, z: number): number {
  return (
    COLUMN[w >>> 24]! ^
    rotate(COLUMN[(x >>> 16) & 0xff]!, 8) ^
    rotate(COLUMN[(y >>> 8) & 0xff]!, 16) ^
    rotate(COLUMN[z & 0xff]!, 24)
  );
}

/** The same in the last round, without MixColumns. */
function lastColumn(w: number, x: number, y: number, z: number): number {
  return substitute((w & 0xff000000) | (x & 0xff0000) | (y & 0xff00) | (z & 0xff));
}

/** FIPS 197, section 5.1. */
function encrypt(key: Int32Array, block: Int32Array): void {
  let a = block[0]! ^ key[0]!;
  let b = block[1]! ^ key[1]!;
  let c = block[2]! ^ key[2]!;
  let d = block[3]! ^ key[3]!;
  let at = 4;
  for (; at < 4 * ROUNDS; at += 4) {
    const w = column(a, b, c, d) ^ key[at]!;
    const x = column(b, c, d, a) ^ key[at + 1]!;
    const y = column(c, d, a, b) ^ key[at + 2]!;
    d = column(d, a, b, c) ^ key[at + 3]!;
    a = w;
    b = x;
    c = y;
  }
  block[0] = lastColumn(a, b, c, d) ^ key[at]!;
  block[1] = lastColumn(b, c, d, a) ^ key[at + 1]!;
  block[2] = lastColumn(c, d, a, b) ^ key[at + 2]!;
  block[3] = lastColumn(d, a, b, c) ^ key[at + 3]!;
}

/** Returns what gives the bytes of the stream from one offset to another. */
export function fillerOf(seed: string): (from: number, to: number) => Uint8Array {
  const hash = sha256();
  hash.write(encodeUtf8(seed));
  const digest = hash.close();
  const key = expandKey(digest);
  const start = new DataView(digest.buffer, BLOCK);
  return (from, to) => {
    const first = Math.floor(from / BLOCK);
    const bytes = new Uint8Array(Math.ceil(to / BLOCK) * BLOCK - first * BLOCK);
    const out = new DataView(bytes.buffer);
    const block = new Int32Array(4);
    for (let at = 0; at < bytes.length; at += BLOCK) {
      let carry = first + at / BLOCK;
      for (let index = 3; index >= 0; index--) {
        const sum = start.getUint32(4 * index) + carry;
        block[index] = sum;
        carry = Math.floor(sum / 0x100000000);
      }
      encrypt(key, block);
      for (let index = 0; index < 4; index++) out.setInt32(at + 4 * index, block[index]!);
    }
    return bytes.subarray(from - first * BLOCK, to - first * BLOCK);
  };
}
