/**
 * Espressif's application image, read and checked.
 *
 *   header (24) | segment header (8) + data, up to 16 times | 0..15 bytes, XOR checksum: up to a multiple of 16 | SHA-256 (32)
 *
 * Sources: ESP-IDF esp_app_format.h (esp_image_header_t, esp_image_segment_header_t), esp_app_desc.h (esp_app_desc_t) and
 * esp_image_format.c (the order of checks); esptool documentation, "Firmware Image Format". Numbers are little-endian.
 *
 * Whatever the bytes, these functions return or throw an `Error` that says what is wrong; no length is believed before it was
 * compared with what there is. `verifyImage` touches each byte in JavaScript: it serves the desk and the simulated board, a chip
 * has esp_image_verify.
 */
import type { Digest } from "../ports";

/** ESP_IMAGE_HEADER_MAGIC. */
export const IMAGE_MAGIC = 0xe9;
/** sizeof(esp_image_header_t). */
export const IMAGE_HEADER = 24;
/** sizeof(esp_image_segment_header_t). */
export const SEGMENT_HEADER = 8;
/** ESP_IMAGE_MAX_SEGMENTS. */
export const MAX_SEGMENTS = 16;
/** ESP_ROM_CHECKSUM_INITIAL. */
export const CHECKSUM_SEED = 0xef;
/** The checksum is the last byte of a block of 16. */
export const CHECKSUM_BLOCK = 16;
/** ESP_IMAGE_HASH_LEN: SHA-256 of everything before it. */
export const IMAGE_HASH = 32;
/** The description is the first thing in the first segment. */
export const DESCRIPTION_OFFSET = IMAGE_HEADER + SEGMENT_HEADER;
/** sizeof(esp_app_desc_t). A project's own data (ESP-IDF: "custom app description") follows it in the same segment. */
export const DESCRIPTION_LENGTH = 256;
/** ESP_APP_DESC_MAGIC_WORD. */
export const DESCRIPTION_MAGIC = 0xabcd5432;
/** Segments of 16 MB and more are refused (esp_image_format.c, SIXTEEN_MB). */
const SEGMENT_LIMIT = 0x1000000;
const BLOCK = 4096;

export interface ImageHeader {
  /** 1..16. */
  readonly segments: number;
  /** esp_chip_id_t: 0 ESP32, 5 C3, 9 S3, 13 C6. */
  readonly chip: number;
  /** A SHA-256 stands at the image's end. */
  readonly hashAppended: boolean;
}

export interface AppDescription {
  /** 1..31 characters of printable ASCII. */
  readonly version: string;
  readonly project: string;
  /** For ESP-IDF's own anti-rollback. */
  readonly secureVersion: number;
  /** The bytes after the description that belong to the first segment and were given: a view, not a copy. */
  readonly custom: Uint8Array;
}

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

/** `bytes`: at least the image's first 24. */
export function readHeader(bytes: Uint8Array): ImageHeader {
  if (bytes.length < IMAGE_HEADER) throw new Error(`not an ESP image: ${bytes.length} bytes`);
  if (bytes[0] !== IMAGE_MAGIC)
    throw new Error(`not an ESP image: it begins with ${hexByte(bytes[0]!)}, not ${hexByte(IMAGE_MAGIC)}`);
  const segments = bytes[1]!;
  if (segments === 0 || segments > MAX_SEGMENTS)
    throw new Error(`ESP image: ${segments} segments, must be 1 to ${MAX_SEGMENTS}`);
  return { segments, chip: bytes[12]! | (bytes[13]! << 8), hashAppended: bytes[23] !== 0 };
}

/** `bytes`: the image from its beginning, at least 288 bytes of it; the first sector will do. */
export function readAppDescription(bytes: Uint8Array): AppDescription {
  readHeader(bytes);
  const end = DESCRIPTION_OFFSET + DESCRIPTION_LENGTH;
  if (bytes.length < end) throw new Error(`ESP image: no room for an app description in ${bytes.length} bytes`);
  const view = viewOf(bytes);
  const segmentEnd = DESCRIPTION_OFFSET + view.getUint32(IMAGE_HEADER + 4, true);
  if (segmentEnd < end || view.getUint32(DESCRIPTION_OFFSET, true) !== DESCRIPTION_MAGIC) {
    throw new Error("ESP image: no app description");
  }
  return {
    secureVersion: view.getUint32(DESCRIPTION_OFFSET + 4, true),
    version: text(bytes, DESCRIPTION_OFFSET + 16, "version"),
    project: text(bytes, DESCRIPTION_OFFSET + 48, "project name"),
    custom: bytes.subarray(end, Math.min(segmentEnd, bytes.length)),
  };
}

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

  // The checksum leaves out the headers: take everything in, and the headers out again. All positions are multiples of 4.
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

/** A field of 32 bytes, ended by a zero byte. */
function text(bytes: Uint8Array, offset: number, what: string): string {
  let value = "";
  for (let index = 0; index < 32; index++) {
    const code = bytes[offset + index]!;
    if (code === 0) {
      if (value === "") throw new Error(`ESP image: empty ${what}`);
      return value;
    }
    if (code < 0x20 || code > 0x7e) throw new Error(`ESP image: the ${what} is not text`);
    value += String.fromCharCode(code);
  }
  throw new Error(`ESP image: the ${what} has no end`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hexByte(value: number): string {
  return `0x${value < 16 ? "0" : ""}${value.toString(16)}`;
}
