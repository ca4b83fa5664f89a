/**
 * Power cuts at every place of an action on flash: before each operation, after each, and inside each at every byte.
 */
import type { FlashOperation, OperationHook } from "../../hal/model-chip/flash-chip";
import type { FlashChip } from "../../hal/model-chip/flash-chip";
import { PowerCut } from "../../hal/model-chip/flash-chip";

export interface Cut {
  readonly operation: number;
  /** How much of the operation reaches the cells. */
  readonly reached: "nothing" | "all" | { readonly firstBytes: number } | { readonly bitsOfSeed: number };
}

/** The operations that an action does when nothing goes wrong. */
export function operationsOf(chip: FlashChip, action: () => void): FlashOperation[] {
  const operations: FlashOperation[] = [];
  chip.onOperation = (operation) =>
    void operations.push(
      operation.kind === "erase" ? operation : { ...operation, data: Uint8Array.from(operation.data) },
    );
  action();
  chip.onOperation = undefined;
  return operations;
}

/**
 * Every cut of these operations: programs at each byte (a sector's at every 512th), erases at each 512th, and some with
 * random bits.
 */
export function cutsOf(operations: readonly FlashOperation[]): Cut[] {
  return operations.flatMap(({ kind, length }, operation) => {
    const step = kind === "erase" || length > 512 ? 512 : 1;
    const torn = Array.from({ length: Math.ceil(length / step) - 1 }, (_, index) => ({
      firstBytes: (index + 1) * step,
    }));
    const mixed = [1, 2, 3].map((seed) => ({ bitsOfSeed: seed * 7919 + operation }));
    return (["nothing", ...torn, ...mixed, "all"] as const).map((reached) => ({ operation, reached }));
  });
}

/** Cuts the power there. True if the action got that far. */
export function cutAt(chip: FlashChip, cut: Cut, action: () => void): boolean {
  let count = 0;
  const hook: OperationHook = (operation, cells) => {
    if (count++ < cut.operation) return;
    const { reached } = cut;
    const wanted = operation.kind === "erase" ? new Uint8Array(operation.length).fill(0xff) : operation.data;
    if (reached !== "nothing") {
      const before = new Uint8Array(operation.length);
      cells.read(operation.address, before);
      const torn = before.map((byte, index) => {
        const after = operation.kind === "erase" ? 0xff : byte & wanted[index]!;
        if (reached === "all") return after;
        if ("firstBytes" in reached) return index < reached.firstBytes ? after : byte;
        const mask = noise(reached.bitsOfSeed, index);
        return (after & mask) | (byte & ~mask);
      });
      cells.set(operation.address, torn);
    }
    chip.powerOff();
    throw new PowerCut();
  };
  chip.onOperation = hook;
  try {
    action();
    return false;
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
    return true;
  } finally {
    chip.onOperation = undefined;
    chip.powerOn();
  }
}

/** A byte of random bits for a place. */
function noise(seed: number, index: number): number {
  let value = Math.imul(seed ^ Math.imul(index + 1, 2654435761), 2246822519);
  value = Math.imul(value ^ (value >>> 13), 3266489917);
  return (value >>> 16) & 0xff;
}
