/**
 * The power-cut search of `npm test`. `npm run powercut` without options does the same at more places of each operation;
 * with --cuts it searches further.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULT_KINDS } from "./simulation/faults";
import type { FaultKind } from "./simulation/faults";
import { BootCycle } from "./simulation/boot-cycle";
import { commitPlan } from "./search/plans";
import { carryOutAll } from "./search/pool";
import { deviceOf } from "./search/search";
import { SCENARIO_NAMES, scenario } from "./simulation/scenarios";
import { add, emptyTally, lines } from "./checks/tally";
import { SECTOR } from "../../src/constants";
import { SimulationState } from "./simulation/simulation-state";

/** Bytes that one cut may cost: a sector and 16 KiB in flight (docs/DESIGN.md, invariant 6). */
const AGAIN_MAX = 4096 + 16 * 1024;
/** Power cuts of each run (docs/DESIGN.md, numbers to hold), and different places among them. */
const CUTS_MIN = 30_000;
const POINTS_MIN = 8_000;

for (const name of SCENARIO_NAMES) {
  for (const device of ["job", "agent", "job-1", "agent-1"] as const) {
    test(`scenario ${name} without a cut, ${device}: ends without a violation`, () => {
      const simulation = SimulationState.begin(scenario(name, "small"));
      assert.equal(new BootCycle(simulation, deviceOf({ device, network: "" })).run(), true);
      assert.deepEqual(simulation.ledger.violations, []);
    });
  }
}

test("the image has at least 16 sectors, and NVS pages are freed during the download", () => {
  const simulation = SimulationState.begin(scenario("good", "whole"));
  const { nvs } = simulation.board.table;
  const slot = simulation.oracle.slots.partitions[1];
  const sectors = new Set<number>();
  let pagesErased = 0;
  let download = false;
  new BootCycle(simulation, deviceOf({ device: "job", network: "" }), ({ operation, phase }) => {
    download ||= phase === "downloading";
    if (operation?.kind !== "erase") return;
    if (operation.address >= slot.address && operation.address < slot.address + slot.size)
      for (let at = 0; at < operation.length; at += SECTOR) sectors.add(operation.address + at);
    if (download && operation.address >= nvs.address && operation.address < nvs.address + nvs.size) pagesErased++;
  }).run();
  assert.ok(sectors.size >= 16, `${sectors.size} sectors`);
  assert.ok(pagesErased >= 1, `${pagesErased} pages erased`);
});

test("no power cut at any operation, torn writes included, breaks an invariant", async (t) => {
  const started = performance.now();
  const all = emptyTally();
  for (const { title, works } of commitPlan("sample")) {
    const phase = emptyTally();
    await carryOutAll(works, { onDone: (tally) => add(phase, tally) });
    t.diagnostic(`${title}: ${phase.cases} cases, ${phase.violations} violations`);
    add(all, phase);
  }
  for (const line of lines(all)) t.diagnostic(line);
  t.diagnostic(`wall time ${((performance.now() - started) / 1000).toFixed(0)} s`);
  assert.deepEqual(all.findings, []);
  assert.equal(all.violations, 0);
  assert.ok(all.cuts >= CUTS_MIN, `${all.cuts} power cuts`);
  const points = new Set(all.points).size;
  assert.ok(points >= POINTS_MIN, `${points} distinct points`);
  assert.deepEqual(Object.keys(all.kinds).sort(), Object.keys(FAULT_KINDS).sort(), "each kind of fault has its share");
  assert.ok((Object.keys(FAULT_KINDS) as FaultKind[]).every((kind) => all.kinds[kind]! > 100));
  assert.ok(all.networkFaults > 1000, `${all.networkFaults} cases with a network fault`);
  assert.ok(all.again.value > 0 && all.again.value <= AGAIN_MAX, `${all.again.value} bytes fetched again`);
  assert.ok(
    all.erases !== undefined && all.erases.value <= 0,
    `${all.erases?.value} erases beyond the bound: ${all.erases?.line}`,
  );
  // Cases beyond what ESP-IDF protects hardly ever break a check.
  const excused = Object.values(all.excused).reduce((sum, each) => sum + each, 0);
  assert.ok(excused * 1_000 < all.cases, `${excused} of ${all.cases} cases`);
});
