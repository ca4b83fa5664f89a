/**
 * The flash chip of a simulated board: NOR rules, counters, a clock of flash time, and one place to put faults in.
 *
 * Erasing sets a sector of 4096 bytes to 0xFF; programming can only clear bits. Where a fault injector is installed it
 * decides what an operation does to the cells, so this class has no torn writes or worn bits.
 */
import type { FlashCells } from "./flash-cells";
import { MemoryCells, SECTOR_SIZE } from "./flash-cells";
import type { FlashTiming, FlashWork } from "./flash-timing";
import { ESP_IDF, flashTime } from "./flash-timing";

export { SECTOR_SIZE };
/** What one command of every NOR flash erases as well as a sector, at its boundaries (SPI_FLASH_BLOCK_ERASE, 0xD8). */
export const BLOCK_SIZE = 65_536;

export type FlashOperation =
  | { readonly kind: "erase"; readonly address: number; readonly length: number }
  /** `data` is the caller's own array: an injector that keeps it copies it. */
  | { readonly kind: "program"; readonly address: number; readonly length: number; readonly data: Uint8Array };

/**
 * Called before each erase (one sector, or one block) and each program. Nothing returned: the chip carries the operation out. "done":
 * the hook has dealt with it on `cells` in its own way (in part, not at all, differently). Throwing `PowerCut` after
 * `chip.powerOff()` is a cut at this very place.
 */
export type OperationHook = (operation: FlashOperation, cells: FlashCells) => "done" | void;

/**
 * The power is gone: thrown by every use of the chip until `powerOn`. Whoever catches errors of flash must let this one
 * pass.
 */
export class PowerCut extends Error {
  constructor() {
    super("power cut");
    this.name = "PowerCut";
  }
}

/** What happened to an address range since the counters were set to 0. */
export interface FlashCounts extends FlashWork {
  /** Erases of the sector that was erased most. */
  readonly mostErases: number;
  readonly programs: number;
  /** Modelled time, ms. */
  readonly milliseconds: number;
}

export class FlashChip {
  readonly size: number;
  readonly cells: FlashCells;
  /** What operations cost, in `FlashCounts.milliseconds`. */
  timing: FlashTiming = ESP_IDF;
  /** Sees every erase and program before it happens; see `OperationHook`. */
  onOperation: OperationHook | undefined;
  /**
   * May change what was just read (bits that read differently each time). While it is set, nothing read is cached
   * anywhere.
   */
  onRead: ((address: number, bytes: Uint8Array) => void) | undefined;
  #off = false;
  readonly #erases: Uint32Array;
  /** By the first sector. */
  readonly #blockErases: Uint32Array;
  readonly #programs: Uint32Array;
  readonly #bytesProgrammed: Float64Array;
  readonly #bytesRead: Float64Array;

  constructor(cells: FlashCells) {
    this.cells = cells;
    this.size = cells.size;
    const sectors = cells.size / SECTOR_SIZE;
    this.#erases = new Uint32Array(sectors);
    this.#blockErases = new Uint32Array(sectors);
    this.#programs = new Uint32Array(sectors);
    this.#bytesProgrammed = new Float64Array(sectors);
    this.#bytesRead = new Float64Array(sectors);
  }

  /** An erased chip in memory. */
  static inMemory(size: number): FlashChip {
    return new FlashChip(new MemoryCells(size));
  }

  /** Erases the sector, or the block, that begins at `address`. */
  erase(address: number, length: number = SECTOR_SIZE): void {
    if (this.#off) throw new PowerCut();
    if ((length !== SECTOR_SIZE && length !== BLOCK_SIZE) || address % length !== 0)
      throw new Error(`flash erase at ${hex(address)}, ${length} bytes: neither a sector nor a block`);
    this.#check("erase", address, length);
    for (let at = address; at < address + length; at += SECTOR_SIZE) this.#erases[at / SECTOR_SIZE]! += 1;
    if (length === BLOCK_SIZE) this.#blockErases[address / SECTOR_SIZE]! += 1;
    if (this.onOperation?.({ kind: "erase", address, length }, this.cells) !== "done")
      this.cells.erase(address, length);
  }

  /** Clears the bits that are 0 in `bytes`. */
  program(address: number, bytes: Uint8Array): void {
    if (this.#off) throw new PowerCut();
    this.#check("program", address, bytes.length);
    for (let done = 0; done < bytes.length;) {
      const sector = Math.floor((address + done) / SECTOR_SIZE);
      const count = Math.min((sector + 1) * SECTOR_SIZE - address - done, bytes.length - done);
      this.#programs[sector]! += 1;
      this.#bytesProgrammed[sector]! += count;
      done += count;
    }
    if (this.onOperation?.({ kind: "program", address, length: bytes.length, data: bytes }, this.cells) !== "done")
      this.cells.clear(address, bytes);
  }

  /** Fills `into`. */
  read(address: number, into: Uint8Array): void {
    if (this.#off) throw new PowerCut();
    this.#check("read", address, into.length);
    for (let done = 0; done < into.length;) {
      const sector = Math.floor((address + done) / SECTOR_SIZE);
      const count = Math.min((sector + 1) * SECTOR_SIZE - address - done, into.length - done);
      this.#bytesRead[sector]! += count;
      done += count;
    }
    this.cells.read(address, into);
    this.onRead?.(address, into);
  }

  /** From here on every use throws `PowerCut`: code that swallows the first one must not go on to write. */
  powerOff(): void {
    this.#off = true;
  }

  powerOn(): void {
    this.#off = false;
  }

  /** `FlashCells.stamp`, or undefined where reads change what they give. */
  stamp(address: number, length: number): number | undefined {
    return this.onRead === undefined ? this.cells.stamp?.(address, length) : undefined;
  }

  /** Counts of the sectors that a range touches; the whole chip by default. */
  counts(address = 0, length = this.size): FlashCounts {
    const sum = { erases: 0, blockErases: 0, mostErases: 0, programs: 0, bytesProgrammed: 0, bytesRead: 0 };
    const end = Math.ceil((address + length) / SECTOR_SIZE);
    for (let sector = Math.floor(address / SECTOR_SIZE); sector < end; sector++) {
      const erases = this.#erases[sector] ?? 0;
      sum.erases += erases;
      sum.blockErases += this.#blockErases[sector] ?? 0;
      sum.mostErases = Math.max(sum.mostErases, erases);
      sum.programs += this.#programs[sector] ?? 0;
      sum.bytesProgrammed += this.#bytesProgrammed[sector] ?? 0;
      sum.bytesRead += this.#bytesRead[sector] ?? 0;
    }
    return { ...sum, milliseconds: flashTime(sum, this.timing) };
  }

  resetCounts(): void {
    this.#erases.fill(0);
    this.#blockErases.fill(0);
    this.#programs.fill(0);
    this.#bytesProgrammed.fill(0);
    this.#bytesRead.fill(0);
  }

  #check(operation: string, address: number, length: number): void {
    if (!(address >= 0 && Number.isInteger(address) && address + length <= this.size)) {
      throw new Error(`flash ${operation} at ${hex(address)}, ${length} bytes: outside the chip of ${this.size} bytes`);
    }
  }
}

/** An address in hexadecimal, with 0x. */
export function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
