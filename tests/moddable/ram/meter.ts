/** The instruments of an instrumented build, read where it matters. */
import Debug from "debug";
import Instrumentation from "instrumentation";
import { MemoryChip } from "./memory-chip";

export interface Reading {
  /** Slots in use. */
  readonly slots: number;
  /** Bytes of chunks in use. */
  readonly chunks: number;
  /** Deepest stack since the last second, in slots. */
  readonly stack: number;
}

export class Meter {
  readonly #slots = Instrumentation.map("XS Slot Heap Used");
  readonly #chunks = Instrumentation.map("XS Chunk Heap Used");
  readonly #stack = Instrumentation.map("XS Stack Used");
  readonly #slot = MemoryChip.slotSize();

  /** As it stands, with garbage. */
  read(): Reading {
    const slots = Instrumentation.get(this.#slots)! / this.#slot;
    return { slots, chunks: Instrumentation.get(this.#chunks)!, stack: Instrumentation.get(this.#stack)! / this.#slot };
  }

  /** What is alive. */
  live(): Reading {
    Debug.gc();
    return this.read();
  }
}
