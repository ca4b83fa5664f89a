/**
 * Where the parts of a new image come from in an old one: bsdiff's approximate matches (Colin Percival, "Naive
 * differences of executable code", 2003). A stretch of code that has moved matches although the addresses in it differ:
 * the difference of its bytes is mostly zeros.
 */
import { suffixArray } from "./suffix-array";

/** `length` bytes of the new image from `at` on resemble the old image from `from` on. Stretches do not overlap. */
export interface Match {
  readonly at: number;
  readonly from: number;
  readonly length: number;
}

/** Another place of the old image has to match this many bytes more than the last one. As in bsdiff. */
const BETTER = 8;

/** Finds matches in one old image. */
export class Matcher {
  readonly #old: Uint8Array;
  readonly #suffixes: Int32Array;

  constructor(old: Uint8Array) {
    this.#old = old;
    this.#suffixes = suffixArray(old);
  }

  /** In the order of the new image. */
  matches(image: Uint8Array): Match[] {
    const old = this.#old;
    const found: Match[] = [];
    let last = { at: 0, from: 0 };
    let offset = 0;
    let scan = 0;
    let length = 0;
    let place = 0;
    while (scan < image.length) {
      // Bytes that the last match would get right from here to the end of the next one.
      let score = 0;
      scan += length;
      for (let counted = scan; scan < image.length; scan++) {
        [length, place] = this.#longest(image, scan);
        for (; counted < scan + length; counted++) if (old[counted + offset] === image[counted]) score++;
        if ((length === score && length !== 0) || length > score + BETTER) break;
        if (old[scan + offset] === image[scan]) score--;
      }
      if (length === score && scan < image.length) continue;
      const next = this.#split(image, last, { at: scan, from: place }, found);
      offset = place - scan;
      last = next;
    }
    return found;
  }

  /** Adds the last match, as far as it is worth it. Returns where the next one begins. */
  #split(image: Uint8Array, last: Begin, next: Begin, found: Match[]): Begin {
    const old = this.#old;
    let forward = extent(
      (index) => old[last.from + index] === image[last.at + index],
      Math.min(next.at - last.at, old.length - last.from),
    );
    let back =
      next.at < image.length
        ? extent(
            (index) => old[next.from - 1 - index] === image[next.at - 1 - index],
            Math.min(next.at - last.at, next.from),
          )
        : 0;
    const overlap = last.at + forward - (next.at - back);
    if (overlap > 0) {
      const [a, b] = [last.at + forward - overlap, next.from - back];
      let best = 0;
      let kept = 0;
      for (let index = 0, score = 0; index < overlap; index++) {
        if (image[a + index] === old[last.from + a - last.at + index]) score++;
        if (image[a + index] === old[b + index]) score--;
        if (score > best) [best, kept] = [score, index + 1];
      }
      forward += kept - overlap;
      back -= kept;
    }
    if (forward > 0) found.push({ ...last, length: forward });
    return { at: next.at - back, from: next.from - back };
  }

  /** Longest exact match of the new image from `at` on: its length, and its place in the old image. */
  #longest(image: Uint8Array, at: number): [length: number, place: number] {
    let low = 0;
    let high = this.#suffixes.length - 1;
    if (high < 0) return [0, 0];
    while (high - low >= 2) {
      const middle = (low + high) >> 1;
      if (this.#sortsBefore(this.#suffixes[middle]!, image, at)) low = middle;
      else high = middle;
    }
    const [a, b] = [this.#suffixes[low]!, this.#suffixes[high]!];
    const [lengthA, lengthB] = [this.#common(a, image, at), this.#common(b, image, at)];
    return lengthA > lengthB ? [lengthA, a] : [lengthB, b];
  }

  #sortsBefore(suffix: number, image: Uint8Array, at: number): boolean {
    const same = this.#common(suffix, image, at);
    const [a, b] = [this.#old[suffix + same], image[at + same]];
    return b !== undefined && (a === undefined || a < b);
  }

  #common(suffix: number, image: Uint8Array, at: number): number {
    const old = this.#old;
    const most = Math.min(old.length - suffix, image.length - at);
    let same = 0;
    while (same < most && old[suffix + same] === image[at + same]) same++;
    return same;
  }
}

interface Begin {
  readonly at: number;
  readonly from: number;
}

/** How far an approximate match is worth it: to where most bytes beyond half of them are equal. */
function extent(equal: (index: number) => boolean, most: number): number {
  let best = 0;
  let length = 0;
  for (let index = 0, same = 0; index < most; index++) {
    if (equal(index)) same++;
    const gain = same * 2 - (index + 1);
    if (gain > best) [best, length] = [gain, index + 1];
  }
  return length;
}
