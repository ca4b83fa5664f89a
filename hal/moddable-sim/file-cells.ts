/**
 * The cells of a flash chip in a file, through the SDK's "file", which all three desktop systems have. Every change is
 * in the file at return.
 */
import { File } from "file";
import type { FlashCells } from "../model-chip/flash-cells";
import { SECTOR_SIZE, clearBits } from "../model-chip/flash-cells";

const BLOCK = 65_536;

export class FileCells implements FlashCells {
  /** Bytes. */
  readonly size: number;
  readonly #file: File;

  /** Opens the file. */
  constructor(path: string) {
    this.#file = new File(path, true);
    this.size = this.#file.length;
  }

  /** Makes the file, all 0xFF, in place of any other. `size`: bytes. */
  static create(path: string, size: number): FileCells {
    File.delete(path);
    const file = new File(path, true);
    const block = new Uint8Array(BLOCK).fill(0xff).buffer;
    for (let at = 0; at < size; at += BLOCK) file.write(at + BLOCK <= size ? block : block.slice(0, size - at));
    file.close();
    return new FileCells(path);
  }

  read(address: number, into: Uint8Array): void {
    if (into.length === 0) return;
    this.#file.position = address;
    into.set(new Uint8Array(this.#file.read(ArrayBuffer, into.length)));
  }

  set(address: number, bytes: Uint8Array): void {
    this.#file.position = address;
    const whole = bytes.byteLength === bytes.buffer.byteLength;
    this.#file.write((whole ? bytes : bytes.slice()).buffer);
  }

  clear(address: number, bytes: Uint8Array): void {
    const cells = new Uint8Array(bytes.length);
    this.read(address, cells);
    clearBits(cells, 0, bytes, 0, bytes.length);
    this.set(address, cells);
  }

  erase(address: number, length: number): void {
    for (let at = 0; at < length; at += SECTOR_SIZE)
      this.set(address + at, new Uint8Array(Math.min(SECTOR_SIZE, length - at)).fill(0xff));
  }

  close(): void {
    this.#file.close();
  }
}
