/**
 * The blocks of a part (docs/SPEC.md, "Container"): each is a raw deflate stream of operations that make BLOCK bytes of
 * the new image, and is decoded without any other. pako is a port of zlib in JavaScript: the same input gives the same
 * bytes on every machine, which Node's own zlib does not promise from version to version.
 */
import { deflateRaw } from "pako";
import { BLOCK, WINDOW_BITS } from "../../src/container/format";
import type { Match } from "./matches";

/** The compressed blocks of `image`. `matches`: in its order; empty: nothing comes from an old image. */
export function blocksOf(image: Uint8Array, old: Uint8Array, matches: readonly Match[]): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  let first = 0;
  for (let start = 0; start < image.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, image.length);
    while (first < matches.length && matches[first]!.at + matches[first]!.length <= start) first++;
    const operations = new Operations(image, old);
    let at = start;
    for (let index = first; index < matches.length && matches[index]!.at < end; index++) {
      const match = matches[index]!;
      const from = Math.max(match.at, start);
      const to = Math.min(match.at + match.length, end);
      operations.literal(at, from);
      operations.copy(from, to, match.from - match.at);
      at = to;
    }
    operations.literal(at, end);
    blocks.push(compress(operations.bytes()));
  }
  return blocks;
}

function compress(bytes: Uint8Array): Uint8Array {
  return deflateRaw(bytes, { level: 9, windowBits: WINDOW_BITS, memLevel: 9 });
}

/** The operations of one block. */
class Operations {
  readonly #image: Uint8Array;
  readonly #old: Uint8Array;
  readonly #parts: Uint8Array[] = [];
  /** Distance of the last copy: it stays the same while nothing is inserted or removed. */
  #distance = 0;

  constructor(image: Uint8Array, old: Uint8Array) {
    this.#image = image;
    this.#old = old;
  }

  /** Bytes of the new image as they are. */
  literal(at: number, end: number): void {
    if (at >= end) return;
    this.#parts.push(varint((end - at) * 2), this.#image.subarray(at, end));
  }

  /** Differences from the old image at the same place plus `distance`. */
  copy(at: number, end: number, distance: number): void {
    const change = distance - this.#distance;
    this.#distance = distance;
    const differences = new Uint8Array(end - at);
    for (let index = at; index < end; index++)
      differences[index - at] = this.#image[index]! - this.#old[index + distance]!;
    this.#parts.push(varint((end - at) * 2 + 1), varint(change < 0 ? -change * 2 - 1 : change * 2), differences);
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }
}

/** LEB128: seven bits a byte, the lowest first. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Uint8Array.from([...bytes, value]);
}
