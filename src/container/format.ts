/**
 * The head of a container (docs/SPEC.md): one file for a whole fleet that holds a new image as patches from several
 * older images and as a whole, compressed. Any platform carries it like a plain image. Numbers are little-endian.
 *
 *     0  4   "XSOU"
 *     4  1   format: 1
 *     5  1   1: a signature is the end of the head
 *     6  1   parts, 1..32
 *     7  1   0
 *     8  4   length of the head, with its signature
 *    12  4   length of the container
 *    16  4   length of the file that is made: the plain image with what stands behind it
 *    20  4   security floor of the image
 *    24  2   chip (esp_chip_id_t)
 *    26  6   0
 *    32  32  product
 *    64  32  version
 *    96  32  SHA-256 of the file that is made
 *   128  32  SHA-256 that ends the image, by which devices know it
 *   160  16  MD5 of the file that is made, by which a platform may offer it plain
 *   176  112 for each part
 *        96  signature trailer of everything before it, as of a firmware file (src/signature/trailer.ts)
 *
 * A part:
 *     0  32  SHA-256 that ends the older image; zeros: the part needs none
 *    32  32  version of the older image; zeros: the part needs none
 *    64  4   length of the older image; 0: the part needs none
 *    68  4   where the part begins in the container
 *    72  4   its length
 *    76  4   bytes that the beginning of the part must lie behind the start of the slot, see `room`
 *    80  32  its SHA-256
 */
import { startsWith } from "../util/bytes";
import { MAGIC, isContainer } from "./magic";

export { MAGIC, isContainer };

export const FORMAT = 1;
export const FIXED = 176;
export const PART = 112;
export const TEXT = 32;
const SHA256 = 32;
const MD5 = 16;
export const SIGNATURE = 96;
/** With a signature the longest head fits one sector, which a device reads before it erases anything. */
export const PARTS_MAX = 32;
/**
 * Bytes of the new image that are decoded without any others: what a power cut can cost to decode again. Larger blocks
 * compress no better (docs/BENCH.md).
 */
export const BLOCK = 65_536;
/** A deflate window of 4 KiB: the RAM that a chip's decoder takes beside its state. */
export const WINDOW_BITS = 12;

/** The older image that a part is made from. */
export interface Base {
  /** SHA-256 that ends the image. */
  readonly id: Uint8Array;
  /** 1..31 characters of printable ASCII. */
  readonly version: string;
  /** Bytes of the image, without what stands behind it in its file. */
  readonly length: number;
}

export interface Part {
  /** Undefined: the part is the whole image, compressed. */
  readonly base: Base | undefined;
  /** In the container. */
  readonly offset: number;
  readonly length: number;
  /**
   * Bytes between the start of the slot and the beginning of the part, at least: with less, what is expanded would
   * overwrite what is still to be decoded.
   */
  readonly room: number;
  readonly sha256: Uint8Array;
}

export interface Container {
  /** Bytes of the head, with its signature. */
  readonly headLength: number;
  readonly signed: boolean;
  readonly length: number;
  readonly product: string;
  readonly version: string;
  readonly chip: number;
  readonly securityFloor: number;
  /** The file that is made. */
  readonly file: { readonly length: number; readonly sha256: Uint8Array; readonly md5: Uint8Array };
  /** SHA-256 that ends the new image. */
  readonly image: Uint8Array;
  readonly parts: readonly Part[];
}

/** Bytes of a head with this many parts. */
export const headLengthOf = (parts: number, signed: boolean): number => FIXED + parts * PART + (signed ? SIGNATURE : 0);

/**
 * `first`: the container from its beginning, with all of its head. Throws with the reason where the head is none or
 * contradicts itself; it says nothing of the signature.
 */
export const readContainer = (first: Uint8Array): Container => {
  if (!isContainer(first)) throw new Error("not a container");
  const view = new DataView(first.buffer, first.byteOffset, first.byteLength);
  const headLength = first.length < FIXED ? 0 : view.getUint32(8, true);
  const [format, signature, count] = [first[4], first[5], first[6]!];
  if (format !== FORMAT) throw new Error(`container of format ${format}, this reader knows ${FORMAT}`);
  if (signature! > 1 || count < 1 || count > PARTS_MAX || headLength !== headLengthOf(count, signature === 1))
    throw new Error("the container's head is damaged");
  if (first.length < headLength) throw new Error(`the container ends in its head, after ${first.length} bytes`);
  const length = view.getUint32(12, true);
  const parts: Part[] = [];
  for (let index = 0; index < count; index++) parts.push(readPart(first, view, FIXED + index * PART));
  const container = {
    headLength,
    signed: signature === 1,
    length,
    product: text(first, 32, "product"),
    version: text(first, 64, "version"),
    chip: view.getUint16(24, true),
    securityFloor: view.getUint32(20, true),
    file: {
      length: view.getUint32(16, true),
      sha256: first.slice(96, 96 + SHA256),
      md5: first.slice(160, 160 + MD5),
    },
    image: first.slice(128, 128 + SHA256),
    parts,
  };
  checkParts(container);
  return container;
};

const readPart = (bytes: Uint8Array, view: DataView, at: number): Part => {
  const length = view.getUint32(at + 64, true);
  return {
    base:
      length === 0
        ? undefined
        : { id: bytes.slice(at, at + SHA256), version: text(bytes, at + 32, "version of an older image"), length },
    offset: view.getUint32(at + 68, true),
    length: view.getUint32(at + 72, true),
    room: view.getUint32(at + 76, true),
    sha256: bytes.slice(at + 80, at + 80 + SHA256),
  };
};

/** Parts follow each other, and make blocks for all of the file. */
const checkParts = ({ headLength, length, file, parts }: Container): void => {
  let end = headLength;
  const index = 4 * blocksIn(file.length);
  parts.forEach((part, number) => {
    if (part.offset !== end || part.length <= index) throw new Error(`part ${number} of the container is damaged`);
    end += part.length;
  });
  if (end !== length || file.length === 0) throw new Error(`the container's parts end at ${end} of ${length} bytes`);
};

export const blocksIn = (length: number): number => Math.ceil(length / BLOCK);

/** The parts for a device that runs `running`, the best one first: from that image, and the whole. */
export const partsFor = (
  { parts }: Container,
  running: { readonly id: Uint8Array; readonly length: number } | undefined,
): Part[] => {
  const isBase = ({ base }: Part): boolean =>
    base !== undefined && running !== undefined && base.length === running.length && startsWith(base.id, running.id);
  return [...parts.filter(isBase), ...parts.filter(({ base }) => base === undefined)];
};

const text = (bytes: Uint8Array, at: number, name: string): string => {
  let value = "";
  for (let index = 0; index < TEXT && bytes[at + index] !== 0; index++) {
    const byte = bytes[at + index]!;
    if (byte < 0x20 || byte > 0x7e) throw new Error(`the container's ${name} is not text`);
    value += String.fromCharCode(byte);
  }
  if (value.length === 0 || value.length >= TEXT) throw new Error(`the container's ${name} is not text`);
  return value;
};
