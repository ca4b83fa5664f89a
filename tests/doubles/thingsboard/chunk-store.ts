/**
 * The cache that chunks are served from (facts 23 to 27 and 32): 10 packages, 60 minutes from the first load. Only the
 * first request of a request id loads it; when the entry is gone, that id gets nothing for ever.
 */
import type { OtaPackage } from "./model";

const ENTRIES_MAX = 10;
const TTL = 3_600_000;

export class ChunkStore {
  readonly #now: () => number;
  /** When each was loaded; the least recently used first. */
  readonly #loaded = new Map<OtaPackage, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  load(firmware: OtaPackage): void {
    if (this.#isLoaded(firmware)) return;
    this.#loaded.set(firmware, this.#now());
    const [oldest] = this.#loaded.keys();
    if (this.#loaded.size > ENTRIES_MAX) this.#loaded.delete(oldest!);
  }

  forget(firmware: OtaPackage): void {
    this.#loaded.delete(firmware);
  }

  /** The process ended. */
  clear(): void {
    this.#loaded.clear();
  }

  /** Has what the other has. */
  copy(other: ChunkStore): void {
    for (const [firmware, at] of other.#loaded) this.#loaded.set(firmware, at);
  }

  /** Undefined: the server fails, and says nothing. Size 0: everything, whatever the chunk. */
  chunk(firmware: OtaPackage, size: number, chunk: number): Uint8Array | undefined {
    const data = this.#isLoaded(firmware) ? firmware.data : undefined;
    if (size < 1) return data;
    return data === undefined ? new Uint8Array() : sliceOf(data, size, chunk);
  }

  #isLoaded(firmware: OtaPackage): boolean {
    const at = this.#loaded.get(firmware);
    if (at === undefined) return false;
    this.#loaded.delete(firmware);
    if (this.#now() - at >= TTL) return false;
    this.#loaded.set(firmware, at);
    return true;
  }
}

/** The server counts in 32 bits: a negative start fails, one that wrapped to a positive number is served. */
export function sliceOf(data: Uint8Array, size: number, chunk: number): Uint8Array | undefined {
  const start = Math.imul(size, chunk);
  if (start < 0) return undefined;
  return data.subarray(start, start + size);
}
