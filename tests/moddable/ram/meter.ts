/** The instruments of an instrumented build, read where it matters. Sizes are the desk's: a slot has 32 bytes here and 16 on a chip. */
import Debug from "debug";
import Instrumentation from "instrumentation";

export interface Reading {
  /** Slots in use. */
  readonly slots: number;
  /** Bytes of chunks in use. */
  readonly chunks: number;
  /** Deepest stack since the last second, in slots. */
  readonly stack: number;
}

/** sizeof(txSlot) with pointers of 8 bytes. */
const SLOT = 32;

export class Meter {
  readonly #slots = Instrumentation.map("XS Slot Heap Used");
  readonly #chunks = Instrumentation.map("XS Chunk Heap Used");
  readonly #stack = Instrumentation.map("XS Stack Used");

  /** As it stands, with garbage. */
  read(): Reading {
    return { slots: Instrumentation.get(this.#slots)! / SLOT, chunks: Instrumentation.get(this.#chunks)!, stack: Instrumentation.get(this.#stack)! / SLOT };
  }

  /** What is alive. */
  live(): Reading {
    Debug.gc();
    return this.read();
  }
}
