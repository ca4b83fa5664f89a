/**
 * The cells of a flash chip, without the rules of NOR flash: a write may set bits. `FlashChip` adds the rules; a fault
 * injector works below them. `MemoryCells` can be forked cheaply, for tests that start millions of boards. Hosts have
 * others, which keep the cells in a file.
 */

/** Erase unit of every ESP32 flash chip, bytes. */
export const SECTOR_SIZE = 4096;

/** Addresses and lengths are bytes and inside the chip: `FlashChip` has checked them. */
export interface FlashCells {
  readonly size: number;
  read(address: number, into: Uint8Array): void;
  /** Sets the cells to exactly these bytes. */
  set(address: number, bytes: Uint8Array): void;
  /** Clears the bits that are 0 in `bytes`: a NOR program. */
  clear(address: number, bytes: Uint8Array): void;
  /** Sets every bit: a NOR erase. */
  erase(address: number, length: number): void;
  /**
   * A number that names the present content of an address range: equal numbers mean equal bytes, in this process, forks
   * included. Absent where that can not be known (a file).
   */
  stamp?(address: number, length: number): number;
}

/** One value for each change ever made to any memory chip in this process, so that a stamp never names two contents. */
let changes = 0;

/** Cells in memory, one array for each sector; sectors are shared between forks until one of them changes. */
export class MemoryCells implements FlashCells {
  readonly size: number;
  readonly #sectors: Uint8Array[];
  /** 1: nobody else holds this sector's array. */
  readonly #own: Uint8Array;
  readonly #stamps: Float64Array;

  /** An erased chip of `size` bytes, or (internally) a fork. */
  constructor(size: number, from?: { sectors: Uint8Array[]; stamps: Float64Array }) {
    if (size <= 0 || size % SECTOR_SIZE !== 0)
      throw new Error(`flash size ${size} is not a multiple of ${SECTOR_SIZE}`);
    this.size = size;
    const count = size / SECTOR_SIZE;
    this.#own = new Uint8Array(count);
    this.#sectors = from?.sectors ?? Array.from({ length: count }, () => ERASED_SECTOR);
    this.#stamps = from?.stamps ?? new Float64Array(count);
  }

  /** A copy that shares what neither changes. */
  fork(): MemoryCells {
    this.#own.fill(0);
    return new MemoryCells(this.size, { sectors: this.#sectors.slice(), stamps: this.#stamps.slice() });
  }

  read(address: number, into: Uint8Array): void {
    let sector = Math.floor(address / SECTOR_SIZE);
    let offset = address % SECTOR_SIZE;
    for (let done = 0; done < into.length; sector++, offset = 0) {
      const count = Math.min(SECTOR_SIZE - offset, into.length - done);
      const from = this.#sectors[sector]!;
      into.set(count === SECTOR_SIZE ? from : from.subarray(offset, offset + count), done);
      done += count;
    }
  }

  set(address: number, bytes: Uint8Array): void {
    this.#change(address, bytes.length, (cells, offset, done, count) =>
      cells.set(bytes.subarray(done, done + count), offset),
    );
  }

  clear(address: number, bytes: Uint8Array): void {
    this.#change(address, bytes.length, (cells, offset, done, count) => clearBits(cells, offset, bytes, done, count));
  }

  erase(address: number, length: number): void {
    this.#change(address, length, (cells, offset, _done, count) => cells.fill(0xff, offset, offset + count));
  }

  stamp(address: number, length: number): number {
    const last = Math.floor((address + length - 1) / SECTOR_SIZE);
    let newest = 0;
    for (let sector = Math.floor(address / SECTOR_SIZE); sector <= last; sector++) {
      if (this.#stamps[sector]! > newest) newest = this.#stamps[sector]!;
    }
    return newest;
  }

  #change(
    address: number,
    length: number,
    apply: (cells: Uint8Array, offset: number, done: number, count: number) => void,
  ): void {
    let sector = Math.floor(address / SECTOR_SIZE);
    let offset = address % SECTOR_SIZE;
    for (let done = 0; done < length; sector++, offset = 0) {
      const count = Math.min(SECTOR_SIZE - offset, length - done);
      if (this.#own[sector] === 0) {
        this.#sectors[sector] = this.#sectors[sector]!.slice();
        this.#own[sector] = 1;
      }
      this.#stamps[sector] = ++changes;
      apply(this.#sectors[sector]!, offset, done, count);
      done += count;
    }
  }
}

const ERASED_SECTOR = new Uint8Array(SECTOR_SIZE).fill(0xff);

/** Clears in `cells`, from `offset` on, the bits that are 0 in `count` of `bytes`, from `from` on. */
export function clearBits(cells: Uint8Array, offset: number, bytes: Uint8Array, from: number, count: number): void {
  for (let index = 0; index < count; index++) cells[offset + index]! &= bytes[from + index]!;
}
