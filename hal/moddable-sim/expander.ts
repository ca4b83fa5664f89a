/** The decoder of containers: expander.c, over the decoder of hal/moddable/expand and the model's flash. */
import type { Expander } from "../../src/ports";
import type { CreateExpander, ExpanderSources } from "../model-chip/board-ports";

type Read = (offset: number, length: number) => ArrayBuffer;

/**
 * expander.c. xsc binds a method to its C function where the body is nothing but the call (Moddable SDK, "XS in C",
 * Native).
 */
class Native {
  static open(oldLength: number): void {
    native("xs_expander_open").call(this, oldLength);
  }
  static begin(offset: number, length: number, start: number, size: number): void {
    native("xs_expander_begin").call(this, offset, length, start, size);
  }
  static next(into: Uint8Array, readBlock: Read, readOld: Read): void {
    native("xs_expander_next").call(this, into, readBlock, readOld);
  }
  static close(): void {
    native("xs_expander_close").call(this);
  }
}

/** One at a time: another takes the place of the one before. */
class SimExpander implements Expander {
  readonly #readBlock: Read;
  readonly #readOld: Read;

  constructor({ oldLength, readBlock, readOld }: ExpanderSources) {
    this.#readBlock = reader(readBlock);
    this.#readOld = reader(readOld);
    Native.open(oldLength);
  }

  begin(offset: number, length: number, start: number, size: number): void {
    Native.begin(offset, length, start, size);
  }

  next(into: Uint8Array): void {
    Native.next(into, this.#readBlock, this.#readOld);
  }

  close(): void {
    Native.close();
  }
}

const reader =
  (read: (offset: number, into: Uint8Array) => void): Read =>
  (offset, length) => {
    const bytes = new Uint8Array(length);
    read(offset, bytes);
    return bytes.buffer;
  };

export const simExpander: CreateExpander = (sources) => new SimExpander(sources);
