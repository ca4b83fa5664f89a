import type { Random } from "./random";

/** Longest input, bytes: above every limit of the parsers (HTTP_HEAD_MAX, MQTT_PAYLOAD_MAX). */
export const INPUT_MAX = 12_288;

const EDGES = [0, 1, 0x7f, 0x80, 0xff] as const;

/** Makes a few random changes to `input`, with pieces of `other` and with `tokens` of the format. */
export function mutate(
  input: Uint8Array,
  other: Uint8Array,
  tokens: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let bytes = input;
  for (let changes = 1 + random.below(4); changes > 0; changes--) bytes = change(bytes, other, tokens, random);
  return bytes.length > INPUT_MAX ? bytes.slice(0, INPUT_MAX) : bytes;
}

function change(bytes: Uint8Array, other: Uint8Array, tokens: readonly Uint8Array[], random: Random): Uint8Array {
  // Half of all changes are near the beginning: headers matter more than the rest of a long input.
  const at = random.below(random.below(2) === 0 ? bytes.length + 1 : Math.min(bytes.length + 1, 24));
  const length = random.below(Math.min(64, bytes.length - at) + 1);
  switch (random.below(9)) {
    case 0:
      return edited(bytes, at, (byte) => byte ^ (1 << random.below(8)));
    case 1:
      return edited(bytes, at, () => random.pick(EDGES));
    case 2:
      return edited(bytes, at, (byte) => byte + (random.below(35) - 17));
    case 3:
      return spliced(bytes, at, length, new Uint8Array(0));
    case 4:
      return spliced(bytes, at, 0, bytes.subarray(at, at + length));
    case 5:
      return spliced(
        bytes,
        at,
        random.below(2) * length,
        tokens.length === 0 ? Uint8Array.of(random.below(256)) : random.pick(tokens),
      );
    case 6: {
      const from = random.below(other.length + 1);
      return spliced(bytes, at, length, other.subarray(from, from + random.below(128)));
    }
    case 7:
      return bytes.slice(0, at);
    default:
      // Long runs reach the limits of the parsers.
      return spliced(bytes, at, 0, new Uint8Array(1 << random.below(14)).fill(random.below(256)));
  }
}

function edited(bytes: Uint8Array, at: number, edit: (byte: number) => number): Uint8Array {
  if (at >= bytes.length) return bytes;
  const copy = bytes.slice();
  copy[at] = edit(copy[at] ?? 0);
  return copy;
}

function spliced(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - removed + added.length);
  result.set(bytes.subarray(0, at));
  result.set(added, at);
  result.set(bytes.subarray(at + removed), at + added.length);
  return result;
}
