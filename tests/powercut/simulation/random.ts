/** Random numbers from a seed. The seed is in the case line, so that a case can be replayed. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A generator that continues from the state of another. */
  static copy(other: Random): Random {
    return new Random(other.#state);
  }

  /** Uniform in 0 .. 2^32 - 1 (splitmix32: T. Ettinger's 32-bit variant of G. Steele's SplitMix, OOPSLA 2014). */
  bits(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let value = this.#state ^ (this.#state >>> 16);
    value = Math.imul(value, 0x21f0aaad);
    value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
    return (value ^ (value >>> 15)) >>> 0;
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** Uniform in 0 .. limit - 1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** A byte whose bits are 1 with the given chance. */
  byte(chance: number): number {
    if (chance === 0.5) return this.bits() & 0xff;
    let byte = 0;
    for (let bit = 0; bit < 8; bit++) if (this.fraction() < chance) byte |= 1 << bit;
    return byte;
  }
}
