/**
 * Marks of the start-up in seq_label of a boot entry: bytes 0..3 one start each, 4..6 one bit a deep-sleep wake.
 * Programming them clears bits and needs no erase, the entry's CRC does not cover them, and ESP-IDF carries the label
 * over when it changes the entry's state.
 */

export interface Mark {
  /** Index in the label. */
  readonly byte: number;
  readonly value: number;
}

type Label = readonly number[];

const START_BYTES: readonly number[] = [0, 1, 2, 3];
const WAKE_BYTES: readonly number[] = [4, 5, 6];

/** Starts of the entry's image since it was activated. A byte that a power cut left half programmed counts. */
export const startsOf = (label: Label): number => START_BYTES.filter((byte) => label[byte] !== 0xff).length;

/** Deep-sleep wakes of the entry's image since it was activated. */
export const wakesOf = (label: Label): number => {
  let wakes = 0;
  for (const byte of WAKE_BYTES) for (let bit = 0; bit < 8; bit++) wakes += ((label[byte]! >> bit) & 1) ^ 1;
  return wakes;
};

/** Undefined: all are set. */
export const nextStart = (label: Label): Mark | undefined => {
  const byte = START_BYTES.find((candidate) => label[candidate] === 0xff);
  return byte === undefined ? undefined : { byte, value: 0 };
};

/** The lowest bit that is still set. */
export const nextWake = (label: Label): Mark | undefined => {
  const byte = WAKE_BYTES.find((candidate) => label[candidate] !== 0);
  return byte === undefined ? undefined : { byte, value: label[byte]! & (label[byte]! - 1) };
};
