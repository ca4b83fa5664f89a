/** A sample of the power cuts of `npm run powercut -- --hawkbit`, and what the scenarios lead to without one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyTally, add, lines } from "./checks/tally";
import { BootCycle } from "./simulation/boot-cycle";
import { scenario } from "./simulation/scenarios";
import { SimulationState } from "./simulation/simulation-state";
import { HAWKBIT, cloudSample } from "./search/cloud-plans";
import { carryOut } from "./search/work";
import { deviceOf } from "./search/search";

const endsOf = (name: string): string[] => {
  const simulation = SimulationState.begin(scenario(name, "small"));
  assert.equal(new BootCycle(simulation, deviceOf({ device: "agent", network: "" })).run(), true);
  assert.deepEqual(simulation.ledger.violations, []);
  return [...simulation.hawkbit!.ends.values()];
};

test("without a power cut, each action ends as the scenario means it", () => {
  assert.deepEqual(endsOf("actions"), ["success", "failure", "failure", "success"]);
  assert.deepEqual(endsOf("revoked"), ["canceled", "success", "canceled", "success"]);
  assert.deepEqual(endsOf("stopped"), ["canceled", "success", "success"]);
});

test("hawkBit: no power cut breaks an invariant, and each action has one end", (t) => {
  const all = emptyTally();
  for (const work of cloudSample(HAWKBIT, 16)) add(all, carryOut(work));
  for (const line of lines(all)) t.diagnostic(line);
  assert.deepEqual(all.findings, []);
  assert.equal(all.violations, 0);
  assert.ok(all.cuts > 200, `${all.cuts} cuts`);
});
