/** The erase of a block of 64 KiB in the fault model: where it is torn, and what a torn one leaves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK_SIZE, FlashChip, SECTOR_SIZE } from "../../hal/model-chip/flash-chip";
import type { FlashOperation } from "../../hal/model-chip/flash-chip";
import { ChipFaults, cutsOf } from "./simulation/faults";

const OLD = Uint8Array.from({ length: BLOCK_SIZE }, (_, index) => (index * 37 + 101) & 0xff);

test("a block's erase is torn in each of its sectors: at its edge, in its middle and between", () => {
  const faults = cutsOf({ kind: "erase", length: BLOCK_SIZE }, { positions: 20, subsets: 3, unstable: 2 }, 9);
  for (const kind of "ef") {
    const torn = faults.filter((fault) => fault.kind === kind).map(({ value }) => value);
    for (let sector = 0; sector < BLOCK_SIZE; sector += SECTOR_SIZE) {
      if (sector > 0) assert.ok(torn.includes(sector), `torn at the edge ${sector}`);
      assert.ok(torn.includes(sector + SECTOR_SIZE / 2), `torn in the middle of ${sector}`);
      assert.ok(torn.filter((at) => at > sector && at < sector + SECTOR_SIZE).length >= 19);
    }
    assert.ok(torn.every((at) => at > 0 && at < BLOCK_SIZE));
  }
});

test("a block's erase: torn at a place, the sectors before and after it differ; whole, no bit of it is unstable", () => {
  const chip = FlashChip.inMemory(BLOCK_SIZE);
  const faults = new ChipFaults();
  const erase: FlashOperation = { kind: "erase", address: 0, length: BLOCK_SIZE };
  chip.program(0, OLD);
  const left = new Uint8Array(BLOCK_SIZE);
  const at = 5 * SECTOR_SIZE + 100;
  faults.cut({ kind: "f", value: at }, erase, chip.cells);
  chip.cells.read(0, left);
  assert.ok(left.subarray(0, at).every((byte) => byte === 0xff));
  assert.deepEqual(left.subarray(at), OLD.subarray(at));
  faults.cut({ kind: "u", value: 5 }, erase, chip.cells);
  const unstable = (sector: number): boolean => faults.unstableAt(sector * SECTOR_SIZE, SECTOR_SIZE);
  assert.deepEqual([unstable(0), unstable(9), unstable(15)], [false, true, true], "what was old is unstable");
  faults.performed(erase);
  assert.equal(faults.noisy, false);
});
