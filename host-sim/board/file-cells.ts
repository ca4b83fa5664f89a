/** The cells of a flash chip in a file: the chip of a board whose process may be killed. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { SECTOR_SIZE, clearBits } from "../../hal/model-chip/flash-cells";
import type { FlashCells } from "../../hal/model-chip/flash-cells";

/**
 * Cells in a file of exactly the chip's size. Every change is one positional write to the file before the call returns.
 * Nothing is kept in the process, so that killing it is a power cut.
 */
export class FileCells implements FlashCells {
  readonly size: number;
  readonly #path: string;
  #descriptor: number | undefined;

  private constructor(path: string, descriptor: number, size: number) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.size = size;
  }

  /** Makes the file, all 0xFF. Throws if it exists. */
  static create(path: string, size: number): FileCells {
    if (size <= 0 || size % SECTOR_SIZE !== 0)
      throw new Error(`flash size ${size} is not a multiple of ${SECTOR_SIZE}`);
    const descriptor = openSync(path, "wx+", 0o600);
    const erased = new Uint8Array(1 << 20).fill(0xff);
    for (let at = 0; at < size; at += erased.length)
      writeFully(descriptor, erased.subarray(0, Math.min(erased.length, size - at)), at, path);
    return new FileCells(path, descriptor, size);
  }

  /** Opens a file that `create` made. Throws if there is none or if it can not be a flash chip. */
  static open(path: string): FileCells {
    const descriptor = openSync(path, "r+");
    const status = fstatSync(descriptor);
    if (!status.isFile() || status.size === 0 || status.size % SECTOR_SIZE !== 0) {
      closeSync(descriptor);
      throw new Error(`${path} is not a flash chip: ${status.size} bytes is not a multiple of ${SECTOR_SIZE}`);
    }
    return new FileCells(path, descriptor, status.size);
  }

  read(address: number, into: Uint8Array): void {
    for (let done = 0; done < into.length;) {
      const count = readSync(this.#open(), into, done, into.length - done, address + done);
      if (count === 0) throw new Error(`${this.#path} ends at ${address + done}`);
      done += count;
    }
  }

  set(address: number, bytes: Uint8Array): void {
    writeFully(this.#open(), bytes, address, this.#path);
  }

  clear(address: number, bytes: Uint8Array): void {
    const cells = new Uint8Array(bytes.length);
    this.read(address, cells);
    clearBits(cells, 0, bytes, 0, bytes.length);
    this.set(address, cells);
  }

  erase(address: number, length: number): void {
    this.set(address, new Uint8Array(length).fill(0xff));
  }

  /** Idempotent. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new Error(`${this.#path} is closed`);
    return this.#descriptor;
  }
}

function writeFully(descriptor: number, bytes: Uint8Array, address: number, path: string): void {
  for (let done = 0; done < bytes.length;) {
    const count = writeSync(descriptor, bytes, done, bytes.length - done, address + done);
    if (count === 0) throw new Error(`${path} takes no bytes at ${address + done}`);
    done += count;
  }
}
