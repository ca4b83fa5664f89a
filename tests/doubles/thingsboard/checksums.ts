/**
 * The digests of packages (fact 10 of thingsboard.md). CRC32 and the Murmur hashes are written in the order of their
 * bytes in memory, the lowest first, as Guava's HashCode.toString does.
 */
import { createHash } from "node:crypto";
import { crc32 } from "../../../src/util/crc32";
import type { ChecksumAlgorithm } from "../../../host-sim/operators/thingsboard/operator";

export const ALGORITHMS: readonly ChecksumAlgorithm[] = [
  "MD5",
  "SHA256",
  "SHA384",
  "SHA512",
  "CRC32",
  "MURMUR3_32",
  "MURMUR3_128",
];

export function checksum(algorithm: ChecksumAlgorithm, bytes: Uint8Array): string {
  if (algorithm === "CRC32") return littleEndian32(crc32(bytes) >>> 0);
  if (algorithm === "MURMUR3_32") return littleEndian32(murmur32(bytes));
  if (algorithm === "MURMUR3_128") return murmur128(bytes).map(littleEndian64).join("");
  return createHash(algorithm.toLowerCase()).update(bytes).digest("hex");
}

function littleEndian32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes.toString("hex");
}

function littleEndian64(value: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.toString("hex");
}

const rotate32 = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** MurmurHash3_x86_32 of Austin Appleby, seed 0. */
function murmur32(bytes: Uint8Array): number {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const mix = (key: number): number => Math.imul(rotate32(Math.imul(key, 0xcc9e2d51), 15), 0x1b873593);
  const whole = bytes.length & ~3;
  let hash = 0;
  for (let at = 0; at < whole; at += 4)
    hash = (Math.imul(rotate32(hash ^ mix(view.readInt32LE(at)), 13), 5) + 0xe6546b64) | 0;
  let tail = 0;
  for (let at = bytes.length - 1; at >= whole; at--) tail = (tail << 8) | bytes[at]!;
  hash ^= mix(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const MASK = (1n << 64n) - 1n;
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;
const rotate64 = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK;
const mix1 = (key: bigint): bigint => (rotate64((key * C1) & MASK, 31n) * C2) & MASK;
const mix2 = (key: bigint): bigint => (rotate64((key * C2) & MASK, 33n) * C1) & MASK;

function finish64(value: bigint): bigint {
  let hash = value;
  hash = ((hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  hash = ((hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return hash ^ (hash >> 33n);
}

/** MurmurHash3_x64_128, seed 0. */
function murmur128(bytes: Uint8Array): [bigint, bigint] {
  const whole = bytes.length & ~15;
  const padded = Buffer.alloc(whole + 16);
  padded.set(bytes);
  let [one, two] = [0n, 0n];
  for (let at = 0; at < whole; at += 16) {
    one = ((rotate64(one ^ mix1(padded.readBigUInt64LE(at)), 27n) + two) * 5n + 0x52dce729n) & MASK;
    two = ((rotate64(two ^ mix2(padded.readBigUInt64LE(at + 8)), 31n) + one) * 5n + 0x38495ab5n) & MASK;
  }
  const length = BigInt(bytes.length);
  one ^= mix1(padded.readBigUInt64LE(whole)) ^ length;
  two ^= mix2(padded.readBigUInt64LE(whole + 8)) ^ length;
  one = (one + two) & MASK;
  two = (two + one) & MASK;
  [one, two] = [finish64(one), finish64(two)];
  one = (one + two) & MASK;
  return [one, (two + one) & MASK];
}
