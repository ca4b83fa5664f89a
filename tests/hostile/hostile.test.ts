/** Whatever a cloud pushes, no budget is exceeded, and a good image that was never tried gets in within their bound. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUND, runHostile } from "./hostile-run";
import { BudgetOracle } from "./oracle";
import { wholeBoard } from "./whole-board";

/** Devices on the light board, and on the whole model of the chip: NOR flash, NVS, bootloader. */
const LIGHT = 40;
const WHOLE = 5;

test("hostile clouds exceed no budget, and the good image is in within the bound", (t) => {
  let longest = 0;
  let installs = 0;
  let erases = 0;
  for (let seed = 1; seed <= LIGHT + WHOLE; seed++) {
    const result = runHostile(seed, seed > LIGHT ? wholeBoard() : undefined);
    assert.deepEqual(result.complaints, [], `npm run hostile -- --replay ${seed}`);
    longest = Math.max(longest, result.minutes);
    installs += result.switches;
    erases = Math.max(erases, result.erases);
  }
  t.diagnostic(
    `${LIGHT + WHOLE} devices, ${installs} installs, at most ${erases} erases of one sector; the good image was in after ${longest.toFixed(1)} of ${BOUND} min at most`,
  );
});

test("the oracle notices what exceeds each budget", () => {
  const complaintsOf = (act: (oracle: BudgetOracle) => void): string[] => {
    const oracle = new BudgetOracle();
    act(oracle);
    return oracle.complaints;
  };
  const trial = (oracle: BudgetOracle, at: number): void => {
    oracle.trial("a", at);
    oracle.ended("software", at + 120);
  };
  assert.deepEqual(
    complaintsOf((oracle) => [0, 300, 2000].forEach((at) => trial(oracle, at))),
    [],
  );
  assert.deepEqual(
    complaintsOf((oracle) => [0, 300, 2000, 9000].forEach((at) => trial(oracle, at))),
    ["trial 4 of a"],
  );
  assert.deepEqual(
    complaintsOf((oracle) => [0, 200].forEach((at) => trial(oracle, at))),
    ["trial 2 of a after 80 s"],
  );
  const installs = (count: number, id: (index: number) => string) => (oracle: BudgetOracle) => {
    oracle.confirmed("known");
    for (let index = 0; index < count; index++) oracle.install(id(index), 0);
  };
  assert.deepEqual(complaintsOf(installs(8, () => "known")), []);
  assert.deepEqual(complaintsOf(installs(9, () => "known")), ["9 repeated installs in 0 s"]);
  assert.deepEqual(complaintsOf(installs(60, String)), []);
  assert.deepEqual(complaintsOf(installs(61, String)), ["61 new images in 0 s"]);
  assert.deepEqual(
    complaintsOf((oracle) => oracle.erases(1000, 0)),
    ["1000 erases of one sector in 0 s"],
  );
});
