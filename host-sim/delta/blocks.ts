/**
 * The blocks of a part (docs/SPEC.md, "Container"): each is a raw deflate stream of operations that make BLOCK bytes of
 * the new image, and is decoded without any other. pako is a port of zlib in JavaScript: the same input gives the same
 * bytes on every machine, which Node's own zlib does not promise from version to version.
 */
import { deflateRaw } from "pako";
import { BLOCK, WINDOW_BITS } from "../../src/container/format";
import { WORD } from "./expand";
import type { Match } from "./matches";

/** What a copy may add, bytes or words: of each block both are tried. */
const UNITS = [1, WORD] as const;

/** The compressed blocks of `image`. `matches`: in its order; empty: nothing comes from an old image. */
export function blocksOf(image: Uint8Array, old: Uint8Array, matches: readonly Match[]): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  let first = 0;
  for (let start = 0; start < image.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, image.length);
    while (first < matches.length && matches[first]!.at + matches[first]!.length <= start) first++;
    let behind = first;
    while (behind < matches.length && matches[behind]!.at < end) behind++;
    const within = matches.slice(first, behind);
    const units = within.length === 0 ? UNITS.slice(0, 1) : UNITS;
    const tried = units.map((unit) => compress(operationsOf(image, old, within, start, end, unit)));
    blocks.push(tried.reduce((best, block) => (block.length < best.length ? block : best)));
  }
  return blocks;
}

function operationsOf(
  image: Uint8Array,
  old: Uint8Array,
  matches: readonly Match[],
  start: number,
  end: number,
  unit: number,
): Uint8Array {
  const operations = new Operations(image, old, unit);
  let at = start;
  for (const match of matches) {
    const from = Math.max(match.at, start);
    const to = Math.min(match.at + match.length, end);
    operations.literal(at, from);
    operations.copy(from, to, match.from - match.at);
    at = to;
  }
  operations.literal(at, end);
  return operations.bytes();
}

export function compress(bytes: Uint8Array): Uint8Array {
  return deflateRaw(bytes, { level: 9, windowBits: WINDOW_BITS, memLevel: 9 });
}

/** Of each number of `unit` bytes from what is `distance` further in the old image. */
export function differencesOf(
  image: Uint8Array,
  old: Uint8Array,
  at: number,
  end: number,
  distance: number,
  unit: number,
): Uint8Array {
  const differences = new Uint8Array(end - at);
  let borrow = 0;
  for (let index = at; index < end; index++) {
    if (index % unit === 0) borrow = 0;
    const difference = image[index]! - old[index + distance]! - borrow;
    differences[index - at] = difference;
    borrow = difference < 0 ? 1 : 0;
  }
  return differences;
}

/** The operations of one block. */
class Operations {
  readonly #image: Uint8Array;
  readonly #old: Uint8Array;
  readonly #unit: number;
  readonly #parts: Uint8Array[] = [];
  /** Distance of the last copy: it stays the same while nothing is inserted or removed. */
  #distance = 0;

  constructor(image: Uint8Array, old: Uint8Array, unit: number) {
    this.#image = image;
    this.#old = old;
    this.#unit = unit;
  }

  /** Bytes of the new image as they are. */
  literal(at: number, end: number): void {
    if (at >= end) return;
    this.#parts.push(varint((end - at) * 2), this.#image.subarray(at, end));
  }

  /**
   * Differences from the old image at the same place plus `distance`. Those of words suit pointers: all that point into
   * what has moved differ by the same, while their bytes also differ by carries.
   */
  copy(at: number, end: number, distance: number): void {
    const change = distance - this.#distance;
    this.#distance = distance;
    this.#parts.push(
      varint((end - at) * 2 + 1),
      varint((change < 0 ? -change * 2 - 1 : change * 2) * 2 + (this.#unit === WORD ? 1 : 0)),
      differencesOf(this.#image, this.#old, at, end, distance, this.#unit),
    );
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
