/**
 * What lies between two matches may be a table of pointers: each differs, so that bsdiff finds no match there, but all by
 * the same. As words it is nearly nothing in a copy that goes on where a match beside it reads.
 */
import { compress, differencesOf } from "./blocks";
import { WORD } from "./expand";
import type { Match } from "./matches";

/** Shorter gaps are not worth an operation. */
const LEAST = 32;

/** The matches, and copies in their gaps where these take less than the bytes of the image. In its order. */
export function closeGaps(image: Uint8Array, old: Uint8Array, matches: readonly Match[]): Match[] {
  // The tables of a firmware are often what it ends with.
  const end = { at: image.length, from: old.length, length: 0 };
  let before: Match = { at: 0, from: 0, length: 0 };
  return [...matches, end].flatMap((match) => {
    const copy = copyBetween(image, old, before, match);
    before = match;
    return [...copy, ...(match === end ? [] : [match])];
  });
}

/** The best copy between two matches, by the distance of one of them; none where no copy gains. */
function copyBetween(image: Uint8Array, old: Uint8Array, before: Match, behind: Match): readonly Match[] {
  const at = before.at + before.length;
  const length = behind.at - at;
  if (length < LEAST) return [];
  let best = compress(image.slice(at, behind.at)).length;
  let copy: Match | undefined;
  for (const match of [before, behind]) {
    const from = at + match.from - match.at;
    if (from < 0 || from + length > old.length) continue;
    const size = compress(differencesOf(image, old, at, behind.at, from - at, WORD)).length;
    if (size < best) [best, copy] = [size, { at, from, length }];
  }
  return copy === undefined ? [] : [copy];
}
