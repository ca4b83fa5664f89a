/**
 * How often each sector of a board's flash was erased and programmed since the board was made: a file of fixed size
 * beside flash.bin.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import type { FlashOperation } from "../../hal/model-chip/flash-chip";
import { SECTOR_SIZE } from "../../hal/model-chip/flash-chip";

/** Two counters of 32 bits for each sector: erases, programs. */
const ENTRY = 8;

export interface Wear {
  readonly erases: number;
  /** Erases of the sector that was erased most. */
  readonly mostErases: number;
  readonly programs: number;
}

export class WearFile {
  readonly #descriptor: number;
  readonly #counts: Buffer;

  /** Makes the file if there is none, or none of the right length. */
  constructor(path: string, flashSize: number) {
    this.#counts = Buffer.alloc((flashSize / SECTOR_SIZE) * ENTRY);
    this.#descriptor = openSync(path, "a+", 0o600);
    closeSync(this.#descriptor);
    this.#descriptor = openSync(path, "r+");
    if (fstatSync(this.#descriptor).size === this.#counts.length)
      readSync(this.#descriptor, this.#counts, 0, this.#counts.length, 0);
    else {
      ftruncateSync(this.#descriptor, 0);
      // Not a file with holes: a disk that is full later must not stop the board.
      writeSync(this.#descriptor, this.#counts, 0, this.#counts.length, 0);
    }
  }

  /** To be called before each operation of the chip; what is counted is in the file when it returns. */
  count(operation: FlashOperation): void {
    const first = Math.floor(operation.address / SECTOR_SIZE);
    const last = Math.floor((operation.address + Math.max(1, operation.length) - 1) / SECTOR_SIZE);
    for (let sector = first; sector <= last; sector++) {
      const at = sector * ENTRY + (operation.kind === "erase" ? 0 : 4);
      this.#counts.writeUInt32LE(this.#counts.readUInt32LE(at) + 1, at);
      writeSync(this.#descriptor, this.#counts, at, 4, at);
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Sums over an address range. All 0 if there is no such file. */
export function readWear(path: string, address: number, length: number): Wear {
  const counts = contents(path);
  const sum = { erases: 0, mostErases: 0, programs: 0 };
  const end = Math.min((address + length) / SECTOR_SIZE, Math.floor(counts.length / ENTRY));
  for (let sector = address / SECTOR_SIZE; sector < end; sector++) {
    const erases = counts.readUInt32LE(sector * ENTRY);
    sum.erases += erases;
    sum.mostErases = Math.max(sum.mostErases, erases);
    sum.programs += counts.readUInt32LE(sector * ENTRY + 4);
  }
  return sum;
}

function contents(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
