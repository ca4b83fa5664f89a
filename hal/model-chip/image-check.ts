/**
 * The check of an application image that ESP-IDF's bootloader does: header, segments, checksum, SHA-256
 * (esp_image_format.c, in its order). It touches each byte in JavaScript, for hosts and the simulated board; a chip has
 * esp_image_verify.
 *
 * Whatever the bytes, these functions return or throw an `Error` that says what is wrong.
 */
import { IMAGE_HEADER, SEGMENT_HEADER, hexByte, readHeader } from "../../src/image/esp-image";
import type { ImageHeader } from "../../src/image/esp-image";
import type { Digest } from "../../src/ports";

/** ESP_ROM_CHECKSUM_INITIAL. */
export const CHECKSUM_SEED = 0xef;
/** The checksum is the last byte of a block of 16. */
export const CHECKSUM_BLOCK = 16;
/** ESP_IMAGE_HASH_LEN: SHA-256 of everything before it. */
export const IMAGE_HASH = 32;
/** Segments of 16 MB and more are refused (esp_image_format.c, SIXTEEN_MB). */
const SEGMENT_LIMIT = 0x1000000;
const BLOCK = 4096;

export interface VerifiedImage {
  /** Bytes up to and with the appended SHA-256; what follows in a file is not part of the image. */
  readonly length: number;
  /** As appended and found right; undefined where the image has none. */
  readonly sha256: Uint8Array | undefined;
  readonly chip: number;
}

export interface Segment {
  /** Where the data is to lie in the chip's memory. */
  readonly address: number;
  /** Position of the data in the image. */
  readonly offset: number;
  readonly length: number;
}

/** Fills `into` with the image's bytes from `offset` on. */
export type ReadImage = (offset: number, into: Uint8Array) => void;

/**
 * Header and segment list. `limit`: bytes that `read` can give. Throws where a segment would end beyond it.
 */
export function readSegments(
  read: ReadImage,
  limit: number,
): { header: ImageHeader; segments: Segment[]; end: number } {
  if (limit < IMAGE_HEADER) throw new Error(`not an ESP image: ${limit} bytes`);
  const first = new Uint8Array(IMAGE_HEADER);
  read(0, first);
  const header = readHeader(first);
  const segments: Segment[] = [];
  const head = new Uint8Array(SEGMENT_HEADER);
  const view = viewOf(head);
  let end = IMAGE_HEADER;
  for (let index = 0; index < header.segments; index++) {
    if (end + SEGMENT_HEADER > limit) throw new Error(`ESP image: segment ${index} begins beyond ${limit} bytes`);
    read(end, head);
    const length = view.getUint32(4, true);
    const offset = end + SEGMENT_HEADER;
    if (length % 4 !== 0 || length >= SEGMENT_LIMIT)
      throw new Error(`ESP image: segment ${index} has an impossible length of ${length}`);
    if (offset + length > limit)
      throw new Error(`ESP image: segment ${index} ends at ${offset + length}, beyond ${limit} bytes`);
    segments.push({ address: view.getUint32(0, true), offset, length });
    end = offset + length;
  }
  return { header, segments, end };
}

/**
 * The whole check that the bootloader does: header, segments, checksum, SHA-256 where one is appended.
 *
 * @param limit bytes there are: the length of the slot or of the file
 * @param sha256 makes a new SHA-256
 */
export function verifyImage(read: ReadImage, limit: number, sha256: () => Digest): VerifiedImage {
  const { header, segments, end } = readSegments(read, limit);
  const hashed = Math.floor(end / CHECKSUM_BLOCK) * CHECKSUM_BLOCK + CHECKSUM_BLOCK;
  const length = header.hashAppended ? hashed + IMAGE_HASH : hashed;
  if (length > limit) throw new Error(`ESP image: ${length} bytes, beyond ${limit}`);

  // The checksum leaves out the headers: take everything in, and the headers out again. All positions are multiples of
  // 4.
  let sum = CHECKSUM_SEED;
  const digest = header.hashAppended ? sha256() : undefined;
  const block = new Uint8Array(BLOCK);
  const words = new Uint32Array(block.buffer);
  let stored = 0;
  for (let at = 0; at < hashed; at += BLOCK) {
    const bytes = at + BLOCK <= hashed ? block : block.subarray(0, hashed - at);
    read(at, bytes);
    digest?.write(bytes);
    const count = Math.min(BLOCK, end - at) >> 2;
    for (let index = 0; index < count; index++) sum ^= words[index]!;
    stored = bytes[bytes.length - 1]!;
  }
  const head = new Uint8Array(IMAGE_HEADER);
  read(0, head);
  sum ^= fold(head);
  for (const segment of segments) sum ^= fold(numbers(segment.address, segment.length));
  const checksum = (sum ^ (sum >>> 8) ^ (sum >>> 16) ^ (sum >>> 24)) & 0xff;
  if (checksum !== stored)
    throw new Error(`ESP image: checksum is ${hexByte(checksum)}, the image says ${hexByte(stored)}`);

  if (digest === undefined) return { length, sha256: undefined, chip: header.chip };
  const appended = new Uint8Array(IMAGE_HASH);
  read(hashed, appended);
  const computed = digest.close();
  for (let index = 0; index < IMAGE_HASH; index++) {
    if (computed[index] !== appended[index]) throw new Error("ESP image: the appended SHA-256 does not match");
  }
  return { length, sha256: appended, chip: header.chip };
}

function fold(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index++) sum ^= bytes[index]! << ((index & 3) * 8);
  return sum;
}

function numbers(first: number, second: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = viewOf(bytes);
  view.setUint32(0, first, true);
  view.setUint32(4, second, true);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
