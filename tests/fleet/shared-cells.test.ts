import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { MemoryCells, SECTOR_SIZE, type FlashCells } from "../../hal/model-chip/flash-cells";
import { SectorPool, SharedCells } from "../../host-sim/cloud/fleet/shared-cells";

const SECTORS = 4;
const SIZE = SECTORS * SECTOR_SIZE;

type Step =
  | { readonly kind: "erase"; readonly sector: number }
  | { readonly kind: "set" | "clear"; readonly at: number; readonly length: number; readonly salt: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("erase" as const), sector: fc.nat(SECTORS - 1) }),
  fc.record({
    kind: fc.constantFrom("set" as const, "clear" as const),
    at: fc.nat(SIZE - 1),
    length: fc.integer({ min: 1, max: 2 * SECTOR_SIZE }),
    salt: fc.nat(3),
  }),
  // Whole sectors of few kinds, so that boards do share.
  fc.record({
    kind: fc.constant("clear" as const),
    at: fc.nat(SECTORS - 1).map((sector) => sector * SECTOR_SIZE),
    length: fc.constant(SECTOR_SIZE),
    salt: fc.nat(1),
  }),
);

function apply(cells: FlashCells, one: Step): void {
  if (one.kind === "erase") cells.erase(one.sector * SECTOR_SIZE, SECTOR_SIZE);
  else
    cells[one.kind](
      one.at,
      Uint8Array.from(
        { length: Math.min(one.length, SIZE - one.at) },
        (_, index) => (index * 7 + one.salt * 31) & 0xff,
      ),
    );
}

test("cells in a pool are like any others, whatever other boards do to theirs", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), step), { maxLength: 60 }), (steps) => {
      const pool = new SectorPool();
      const boards = Array.from({ length: 3 }, () => ({
        shared: new SharedCells(SIZE, pool),
        plain: new MemoryCells(SIZE),
      }));
      for (const [board, one] of steps) {
        apply(boards[board]!.shared, one);
        apply(boards[board]!.plain, one);
      }
      const [found, wanted] = [new Uint8Array(SIZE), new Uint8Array(SIZE)];
      for (const { shared, plain } of boards) {
        shared.read(0, found);
        plain.read(0, wanted);
        assert.ok(Buffer.from(found).equals(wanted));
      }
    }),
    { numRuns: 200 },
  );
});
