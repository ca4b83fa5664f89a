import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { ReadImage } from "../../../../hal/model-chip/image-check";
import { readImageFacts, type ImageFacts } from "./package-facts";

/** Largest file taken: four times the largest ESP32 flash in common use. */
export const PACKAGE_MAX = 64 * 1024 * 1024;
/** A file on its way in; one found in the folder at the start was left by a crash. */
export const UNFINISHED = /^[0-9a-f]{16}\.upload$/;

/** A file that has arrived whole, with what it contains as an application image. */
export interface Arrived {
  readonly size: number;
  /** Lower-case hex, of the whole file. */
  readonly md5: string;
  readonly sha256: string;
  readonly image: ImageFacts;
  /** Where it lies, or else its bytes. */
  readonly path: string | undefined;
  readonly bytes: Uint8Array | undefined;
}

/**
 * Takes one file in, a piece at a time, and hashes it on the way: into a folder, so that no file is ever held in
 * memory, or into memory where there is no folder. `end` or `abort` once.
 */
export class PackageWriter {
  readonly #path: string | undefined;
  readonly #file: FileHandle | undefined;
  readonly #parts: Uint8Array[] = [];
  readonly #md5 = createHash("md5");
  readonly #sha256 = createHash("sha256");
  #size = 0;

  private constructor(path: string | undefined, file: FileHandle | undefined) {
    this.#path = path;
    this.#file = file;
  }

  static async begin(folder: string | undefined): Promise<PackageWriter> {
    if (folder === undefined) return new PackageWriter(undefined, undefined);
    const path = join(folder, `${randomBytes(8).toString("hex")}.upload`);
    return new PackageWriter(path, await open(path, "wx", 0o600));
  }

  /** Rejects with one line beyond `PACKAGE_MAX`. */
  async write(bytes: Uint8Array): Promise<void> {
    const size = this.#size + bytes.length;
    if (size > PACKAGE_MAX) throw new Error(`the file has ${size} bytes or more; at most ${PACKAGE_MAX} are taken`);
    this.#size = size;
    this.#md5.update(bytes);
    this.#sha256.update(bytes);
    if (this.#file) await this.#file.writeFile(bytes);
    else this.#parts.push(Uint8Array.from(bytes));
  }

  /** The file is on disk when this resolves. */
  async end(): Promise<Arrived> {
    const size = this.#size;
    const sums = { size, md5: this.#md5.digest("hex"), sha256: this.#sha256.digest("hex") };
    if (this.#file === undefined || this.#path === undefined) {
      const bytes = Buffer.concat(this.#parts);
      this.#parts.length = 0;
      const image = readImageFacts((offset, into) => into.set(bytes.subarray(offset, offset + into.length)), size);
      return { ...sums, image, path: undefined, bytes };
    }
    await this.#file.sync();
    await this.#file.close();
    return { ...sums, image: factsOfFile(this.#path, size), path: this.#path, bytes: undefined };
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    this.#parts.length = 0;
    await this.#file?.close().catch(() => undefined);
    if (this.#path !== undefined) await rm(this.#path, { force: true });
  }
}

function factsOfFile(path: string, size: number): ImageFacts {
  const descriptor = openSync(path, "r");
  const read: ReadImage = (offset, into) => {
    for (let done = 0; done < into.length;) {
      const count = readSync(descriptor, into, done, into.length - done, offset + done);
      if (count === 0) throw new Error(`the file ends at ${offset + done}`);
      done += count;
    }
  };
  try {
    return readImageFacts(read, size);
  } finally {
    closeSync(descriptor);
  }
}
