import { randomBytes } from "node:crypto";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** Bytes: some twenty transactions of the write-ahead log. */
const SIZE = 256 * 1024;

/**
 * Room on the disk that is let go when the disk is full, so that what was begun can still be written down. Random
 * bytes, which no file system stores in less.
 */
export class Reserve {
  readonly #path: string;
  #held: boolean;

  constructor(path: string) {
    this.#path = path;
    this.#held = existsSync(path);
  }

  /** Takes the room unless it is held. False: there is not enough. */
  take(): boolean {
    if (this.#held) return true;
    const next = `${this.#path}.part`;
    try {
      writeFileSync(next, randomBytes(SIZE), { mode: 0o600 });
      renameSync(next, this.#path);
      this.#held = true;
    } catch {
      rmSync(next, { force: true });
    }
    return this.#held;
  }

  /** False: it was not held. */
  release(): boolean {
    if (!this.#held) return false;
    this.#held = false;
    rmSync(this.#path, { force: true });
    return true;
  }
}
