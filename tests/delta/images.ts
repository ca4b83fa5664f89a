/** Bytes that resemble firmware: an older image, and a newer one that was made from it by edits. */
import type { Arbitrary } from "fast-check";
import * as fc from "fast-check";

interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly inserted: Uint8Array;
}

/** Few symbols: that makes repetitions, which are the hard cases of a suffix array and of matching. */
const bytes = (maxLength: number): Arbitrary<Uint8Array> =>
  fc.oneof(
    fc.uint8Array({ maxLength }),
    fc.uint8Array({ maxLength, max: 1 }),
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 5 }), fc.nat(maxLength)).map(([unit, length]) => {
      const whole = new Uint8Array(length);
      for (let at = 0; at < length; at++) whole[at] = unit[at % unit.length]!;
      return whole;
    }),
  );

const edit: Arbitrary<Edit> = fc.record({ at: fc.nat(), removed: fc.nat(40), inserted: bytes(40) });

/** `copies`: how often the drawn bytes are repeated in the older image, which makes it longer than one block. */
export const imagePair = (copies: number): Arbitrary<{ readonly old: Uint8Array; readonly file: Uint8Array }> =>
  fc.tuple(bytes(2_000), fc.array(edit, { maxLength: 12 })).map(([unit, edits]) => {
    const old = new Uint8Array(Buffer.concat(Array.from({ length: copies }, () => unit)));
    return { old, file: edits.reduce(apply, old) };
  });

function apply(file: Uint8Array, { at, removed, inserted }: Edit): Uint8Array {
  const start = file.length === 0 ? 0 : at % file.length;
  return new Uint8Array(Buffer.concat([file.subarray(0, start), inserted, file.subarray(start + removed)]));
}

/** Code that calls into itself: an insertion shifts every address behind it. 256 KiB, the same for the same seed. */
export function machineCode(inserted: number): Uint8Array {
  const words = new Uint32Array(65_536);
  let state = 12_345;
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const word = index % 6 === 0 ? 0x400d_0000 + (state % 200_000) * 4 : state >>> 8;
    words[index] = index % 6 === 0 && word > 0x400d_8000 ? word + inserted : word;
  }
  const code = new Uint8Array(words.buffer);
  return new Uint8Array(
    Buffer.concat([code.subarray(0, 0x8000), new Uint8Array(inserted).fill(0x3d), code.subarray(0x8000)]),
  );
}
