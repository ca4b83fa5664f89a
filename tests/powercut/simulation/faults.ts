/**
 * The fault model: what a power cut or a worn chip does to one flash operation, below the rules of the chip.
 *
 * A fault is a letter and a number, so that a case fits into a short line. The number is a position in bytes or a seed.
 * A power cut ends the boot cycle at the operation; a hardware fault does not.
 */
import type { FlashOperation } from "../../../hal/model-chip/flash-chip";
import type { FlashCells } from "../../../hal/model-chip/flash-cells";
import { Random } from "./random";

export const FAULT_KINDS = {
  b: "cut before",
  a: "cut after",
  p: "torn program, first bytes",
  r: "torn program, random bits",
  e: "torn erase, first bytes old",
  f: "torn erase, last bytes old",
  m: "torn erase, random bits",
  u: "unstable until rewritten",
  w: "unstable for one start",
  n: "silent no-op",
  s: "stuck bit",
} as const;

export type FaultKind = keyof typeof FAULT_KINDS;

export interface Fault {
  readonly kind: FaultKind;
  /** p, f: bytes of the operation that were done. e: bytes that were not. b, a, n: 0. Others: a seed. */
  readonly value: number;
}

/** A fault of the hardware: the power stays on. */
export function isHardware({ kind }: Fault): boolean {
  return kind === "n" || kind === "s";
}

/**
 * Bits that read differently each time: a mask for each byte of a sector. The cells themselves hold the nominal value.
 */
type Masks = Map<number, Uint8Array>;

interface StuckBit {
  readonly address: number;
  readonly mask: number;
  /** Its value, whatever is programmed or erased. */
  readonly one: boolean;
}

const SECTOR = 4096;
/** Shares of the bits that a torn operation has done, from hardly any to nearly all. */
const SHARES = [0.03, 0.15, 0.5, 0.85, 0.97] as const;

/** The faults of one chip, forked with its board. */
export class ChipFaults {
  readonly #unstable: Masks = new Map();
  readonly #stuck: StuckBit[] = [];
  #noise = new Random(1);
  /** Starts until unstable bits settle; Infinity: only a rewrite settles them. */
  #settlesAfter = Infinity;

  fork(): ChipFaults {
    const copy = new ChipFaults();
    for (const [sector, mask] of this.#unstable) copy.#unstable.set(sector, mask.slice());
    copy.#stuck.push(...this.#stuck);
    copy.#noise = Random.copy(this.#noise);
    copy.#settlesAfter = this.#settlesAfter;
    return copy;
  }

  /** Reads may differ from what the cells hold. */
  get noisy(): boolean {
    return this.#unstable.size > 0;
  }

  /** One of these bytes has an unstable bit. */
  unstableAt(address: number, length: number): boolean {
    if (this.#unstable.size === 0) return false;
    for (let at = address; at < address + length; at++) if (this.#maskAt(at) !== 0) return true;
    return false;
  }

  /** Applies what the power cut leaves of the operation. */
  cut(fault: Fault, operation: FlashOperation, cells: FlashCells): void {
    if (fault.kind === "b") return;
    const before = new Uint8Array(operation.length);
    cells.read(operation.address, before);
    const after =
      operation.kind === "erase"
        ? new Uint8Array(operation.length).fill(0xff)
        : operation.data.map((byte, index) => byte & before[index]!);
    const left = leftBy(fault, before, after);
    if (fault.kind === "a") this.performed(operation);
    cells.set(operation.address, left);
    if (fault.kind !== "u" && fault.kind !== "w") return;
    this.#noise = new Random(fault.value * 2 + 1);
    this.#settlesAfter = fault.kind === "u" ? Infinity : 1;
    const random = new Random(fault.value ^ 0x5bd1e995);
    const share = random.pick(SHARES);
    for (let index = 0; index < operation.length; index++) {
      const changing = before[index]! ^ after[index]!;
      if (changing !== 0) this.#doubt(operation.address + index, changing & random.byte(share));
    }
  }

  /** Begins a hardware fault. "done": the chip must not execute the operation itself. */
  wear(fault: Fault, operation: FlashOperation): "done" | undefined {
    if (fault.kind === "n") return "done";
    const random = new Random(fault.value);
    const address = operation.address + random.below(operation.length);
    this.#stuck.push({ address, mask: 1 << random.below(8), one: random.below(2) === 1 });
    return undefined;
  }

  /** A complete erase or program makes the cells stable that it changes. */
  performed(operation: FlashOperation): void {
    if (this.#unstable.size === 0) return;
    if (operation.kind === "erase") {
      for (let done = 0; done < operation.length; done += SECTOR)
        this.#unstable.delete((operation.address + done) / SECTOR);
      return;
    }
    for (let index = 0; index < operation.length; index++) {
      const mask = this.#maskAt(operation.address + index);
      if (mask !== 0) this.#setMask(operation.address + index, mask & operation.data[index]!);
    }
  }

  /** Gives the stuck bits their value after an operation. */
  force(cells: FlashCells): void {
    const byte = new Uint8Array(1);
    for (const { address, mask, one } of this.#stuck) {
      cells.read(address, byte);
      const wanted = one ? byte[0]! | mask : byte[0]! & ~mask;
      if (wanted === byte[0]) continue;
      byte[0] = wanted;
      cells.set(address, byte);
    }
  }

  get worn(): boolean {
    return this.#stuck.length > 0;
  }

  /** Changes the bytes that were read from unstable cells. */
  disturb(address: number, bytes: Uint8Array): void {
    for (const [sector, mask] of this.#unstable) {
      const begin = sector * SECTOR;
      const from = Math.max(address, begin);
      const to = Math.min(address + bytes.length, begin + SECTOR);
      for (let at = from; at < to; at++) {
        const doubtful = mask[at - begin]!;
        if (doubtful !== 0) bytes[at - address] = (bytes[at - address]! & ~doubtful) | (this.#noise.bits() & doubtful);
      }
    }
  }

  /** The chip starts: bits that are unstable for one start settle to either value. */
  powerOn(cells: FlashCells): void {
    if (this.#unstable.size === 0 || this.#settlesAfter-- > 0) return;
    const bytes = new Uint8Array(SECTOR);
    for (const sector of this.#unstable.keys()) {
      cells.read(sector * SECTOR, bytes);
      this.disturb(sector * SECTOR, bytes);
      cells.set(sector * SECTOR, bytes);
    }
    this.#unstable.clear();
  }

  #maskAt(address: number): number {
    return this.#unstable.get(Math.floor(address / SECTOR))?.[address % SECTOR] ?? 0;
  }

  #setMask(address: number, mask: number): void {
    const sector = Math.floor(address / SECTOR);
    const masks = this.#unstable.get(sector)!;
    masks[address % SECTOR] = mask;
    if (mask === 0 && masks.every((each) => each === 0)) this.#unstable.delete(sector);
  }

  #doubt(address: number, mask: number): void {
    if (mask === 0) return;
    const sector = Math.floor(address / SECTOR);
    if (!this.#unstable.has(sector)) this.#unstable.set(sector, new Uint8Array(SECTOR));
    this.#setMask(address, this.#maskAt(address) | mask);
  }
}

/** The bytes in flash after the power cut. `after`: the bytes of a complete operation. */
function leftBy({ kind, value }: Fault, before: Uint8Array, after: Uint8Array): Uint8Array {
  switch (kind) {
    case "a":
      return after;
    case "p":
    case "f":
      return mixed(before, after, (index) => (index < value ? 0xff : 0));
    case "e":
      return mixed(before, after, (index) => (index < value ? 0 : 0xff));
    default: {
      const random = new Random(value);
      const share = random.pick(SHARES);
      return mixed(before, after, () => random.byte(share));
    }
  }
}

/** `done(index)`: mask of the bits of a byte that the operation has done. */
function mixed(before: Uint8Array, after: Uint8Array, done: (index: number) => number): Uint8Array {
  return before.map((byte, index) => {
    const reached = done(index);
    return (after[index]! & reached) | (byte & ~reached);
  });
}

/** How many places of an operation are tried. */
export interface Density {
  /** Positions in a sector's program or erase; in a block's erase, in each of its sectors. */
  readonly positions: number;
  /** Positions in a small program; default: every byte. */
  readonly small?: number;
  /** Random subsets of bits. */
  readonly subsets: number;
  /** Seeds of unstable bits, of each kind. */
  readonly unstable: number;
  /**
   * From 0 to 1: shifts sampled positions and seeds, so that scenarios with the same beginning are torn at different
   * places.
   */
  readonly shift?: number;
}

/** Programs up to this length are torn at every byte boundary: NVS entries, boot entries, the head of an image. */
const SMALL = 64;

/** Every power cut of an operation, in a fixed order. `salt`: makes the seeds of two places differ. */
export function cutsOf(operation: Pick<FlashOperation, "kind" | "length">, density: Density, salt: number): Fault[] {
  const { kind, length } = operation;
  const faults: Fault[] = [
    { kind: "b", value: 0 },
    { kind: "a", value: 0 },
  ];
  const { small = SMALL, shift = 0 } = density;
  const positions =
    kind === "program" && length <= SMALL
      ? spread(length, small, shift)
      : spread(length, density.positions * Math.max(1, length / SECTOR), shift);
  const shifted = salt + 1 + Math.floor(shift * 0x10000) * 0x10000;
  const seed = (index: number): number => (Math.imul(shifted, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 8;
  const seeds = (count: number, first: number): number[] =>
    Array.from({ length: count }, (_, index) => seed(first + index));
  if (kind === "program") {
    faults.push(...positions.map((value): Fault => ({ kind: "p", value })));
    faults.push(...seeds(density.subsets, 0).map((value): Fault => ({ kind: "r", value })));
  } else {
    faults.push(
      ...positions.flatMap((value): Fault[] => [
        { kind: "e", value },
        { kind: "f", value },
      ]),
    );
    faults.push(...seeds(density.subsets, 0).map((value): Fault => ({ kind: "m", value })));
  }
  faults.push(...seeds(density.unstable, 100).map((value): Fault => ({ kind: "u", value })));
  faults.push(...seeds(density.unstable, 200).map((value): Fault => ({ kind: "w", value })));
  return faults;
}

/**
 * Positions in a sector: evenly spaced, with the edges of the 256-byte pages that a flash chip programs at a time. In a
 * block: with the edges of its sectors, and the middle of each.
 */
function spread(length: number, count: number, shift: number): number[] {
  if (count >= length - 1) return Array.from({ length: length - 1 }, (_, index) => index + 1);
  const found = new Set<number>();
  for (let index = 1; index <= count; index++) found.add(Math.round(((index - shift) * length) / (count + 1)));
  if (length <= SMALL) return [...found].filter((at) => at > 0 && at < length);
  for (const edge of count >= 16 ? [1, 4, 15, 16, 17, 255, 256, 257, length - 1] : count >= 4 ? [1, length - 1] : [])
    found.add(edge);
  const halves = length > SECTOR ? length / (SECTOR / 2) : 0;
  for (let half = 1; half < halves; half++) found.add((half * SECTOR) / 2);
  return [...found].filter((at) => at > 0 && at < length).sort((a, b) => a - b);
}
