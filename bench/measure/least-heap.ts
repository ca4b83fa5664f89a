/** The least heap for an update on the SDK's own engine, as scripts/moddable-ram.mjs has measured it last. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { table } from "../output/table";

const FILE = fileURLToPath(new URL("../least-heap.json", import.meta.url));

export interface LeastHeap {
  readonly name: string;
  /** Bytes of chunks, slots of heap and of stack. */
  readonly chunk: number;
  readonly heap: number;
  readonly stack: number;
  /** Together, with the slots of a chip. */
  readonly bytes: number;
}

export const leastHeaps = (): LeastHeap[] => JSON.parse(readFileSync(FILE, "utf8")) as LeastHeap[];

export function leastHeapSection(rows: readonly LeastHeap[]): { title: string; note: string; body: string } {
  return {
    title: "Least heap",
    note: "With which an update of 200,000 bytes succeeds on the Moddable SDK's engine under Linux, its heaps of fixed size, found by halving to 1 KiB, 64 and 16 slots. Not measured by this run: `node scripts/moddable-ram.mjs least` needs the SDK and writes bench/least-heap.json. Slots are those of a chip, 16 bytes; the engine is one of 32 bits, so chunks are those of a chip too.",
    body: table(
      ["connections", "chunks, bytes", "heap, slots", "stack, slots", "bytes"],
      rows.map(({ name, chunk, heap, stack, bytes }) => [name, chunk, heap, stack, bytes]),
    ),
  };
}
