/** A sample of the power cuts of `npm run powercut -- --thingsboard`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { add, emptyTally, lines } from "./checks/tally";
import { THINGSBOARD, cloudSample } from "./search/cloud-plans";
import { carryOut } from "./search/work";

test("ThingsBoard: no power cut breaks an invariant, and each assignment has one end", (t) => {
  const all = emptyTally();
  for (const work of cloudSample(THINGSBOARD, 11)) add(all, carryOut(work));
  for (const line of lines(all)) t.diagnostic(line);
  assert.deepEqual(all.findings, []);
  assert.equal(all.violations, 0);
  assert.ok(all.cuts > 200, `${all.cuts} cuts`);
});
