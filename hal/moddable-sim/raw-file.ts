/** A file of fixed size as raw storage, over the SDK's "file" (which all three desktop systems have). Every write is in the file when it returns. */
import { File } from "file";
import type { RawFile } from "./chip/interface";

const BLOCK = 65_536;

/** Creates the file, filled with 0xFF, in place of any other. */
export function createRawFile(path: string, size: number): void {
  File.delete(path);
  const file = new File(path, true);
  const block = new Uint8Array(BLOCK).fill(0xff).buffer;
  for (let at = 0; at < size; at += BLOCK) file.write(at + BLOCK <= size ? block : block.slice(0, size - at));
  file.close();
}

export class OpenRawFile implements RawFile {
  readonly size: number;
  readonly #file: File;

  constructor(path: string) {
    this.#file = new File(path, true);
    this.size = this.#file.length;
  }

  read(address: number, into: Uint8Array): void {
    if (into.length === 0) return;
    this.#file.position = address;
    into.set(new Uint8Array(this.#file.read(ArrayBuffer, into.length)));
  }

  write(address: number, bytes: Uint8Array): void {
    this.#file.position = address;
    const whole = bytes.byteLength === bytes.buffer.byteLength;
    this.#file.write((whole ? bytes : bytes.slice()).buffer);
  }

  close(): void {
    this.#file.close();
  }
}
