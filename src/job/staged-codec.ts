/**
 * The record of a container whose bytes are staged in the tail of the slot: which of them, and what becomes of them
 * (docs/SPEC.md). The head of the container itself may lie under the image that is made.
 */
import { FORMAT, Reader, Writer } from "./codec";

export interface Staged {
  /** Where the first staged byte lies in the container: a multiple of the sector. */
  readonly from: number;
  /** Staged bytes, from there on. */
  readonly length: number;
  /** Where they begin in the slot: a multiple of the sector. */
  readonly at: number;
  /** The part, in the container. */
  readonly part: { readonly offset: number; readonly length: number; readonly sha256: Uint8Array };
  /** The image that the part needs in the running slot; `length` 0: none. */
  readonly base: { readonly id: Uint8Array; readonly length: number };
  /** What is made. */
  readonly file: { readonly length: number; readonly sha256: Uint8Array; readonly md5: Uint8Array };
  /** SHA-256 that ends the new image. */
  readonly image: Uint8Array;
}

const SHA256 = 32;
const MD5 = 16;

export const encodeStaged = (identity: number, { from, length, at, part, base, file, image }: Staged): Uint8Array => {
  const writer = new Writer().byte(FORMAT).u32(identity);
  [from, length, at, part.offset, part.length, base.length, file.length].forEach((value) => writer.u32(value));
  return writer.bytes(part.sha256).bytes(base.id).bytes(file.sha256).bytes(image).bytes(file.md5).sealed();
};

export const decodeStaged = (identity: number, bytes: Uint8Array | undefined): Staged | undefined => {
  const reader = new Reader(bytes);
  const format = reader.byte();
  const owner = reader.u32();
  const from = reader.u32();
  const length = reader.u32();
  const at = reader.u32();
  const offset = reader.u32();
  const partLength = reader.u32();
  const baseLength = reader.u32();
  const fileLength = reader.u32();
  const digests = reader.rest(4 * SHA256 + MD5);
  if (format !== FORMAT || owner !== identity || digests === undefined) return undefined;
  const digest = (index: number): Uint8Array => digests.slice(index * SHA256, (index + 1) * SHA256);
  return {
    from,
    length,
    at,
    part: { offset, length: partLength, sha256: digest(0) },
    base: { id: digest(1), length: baseLength },
    file: { length: fileLength, sha256: digest(2), md5: digests.slice(4 * SHA256) },
    image: digest(3),
  };
};
