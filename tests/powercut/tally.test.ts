/** The counts of a search: they add up over workers, and violations are listed with their case lines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULT_KINDS } from "./simulation/faults";
import type { FaultKind } from "./simulation/faults";
import { parseCase } from "./search/case-line";
import { replay } from "./search/search";
import { add, caseOf, count, emptyTally, lines } from "./checks/tally";
import type { Tally } from "./checks/tally";
import { carryOut } from "./search/work";
import type { Work } from "./search/work";
import { beforeStart } from "./broken-device";

const SETTING = { scenario: "good", scale: "small", device: "job", network: "" } as const;
const DENSITY = { positions: 1, small: 1, subsets: 1, unstable: 1 };
const part = (index: number, of: number): Work => ({
  kind: "exhaust",
  setting: SETTING,
  densities: [DENSITY],
  strides: [3],
  part: { index, of },
});

function sumOf(tallies: readonly Tally[]): Tally {
  const sum = emptyTally();
  for (const tally of tallies) add(sum, tally);
  return sum;
}

/** The part of a tally that does not depend on the order of additions. */
function figures({
  cases,
  cuts,
  kinds,
  phases,
  networkFaults,
  violations,
  beyond,
  excused,
  again,
  erases,
}: Tally): unknown {
  return {
    cases,
    cuts,
    kinds,
    phases,
    networkFaults,
    violations,
    beyond,
    excused,
    again: again.value,
    erases: erases?.value,
  };
}

test("two workers have the same counts as one, with every kind of cut", () => {
  const whole = carryOut(part(0, 1));
  const parts = [0, 1].map((index) => carryOut(part(index, 2)));
  assert.deepEqual(figures(sumOf(parts)), figures(whole));
  assert.equal(whole.cases, whole.cuts);
  assert.equal(whole.violations, 0);
  const cutKinds = (Object.keys(FAULT_KINDS) as FaultKind[]).filter((kind) => kind !== "n" && kind !== "s");
  for (const kind of cutKinds) assert.ok((whole.kinds[kind] ?? 0) > 0, `${FAULT_KINDS[kind]}: ${whole.kinds[kind]}`);
  assert.equal(
    Object.values(whole.kinds).reduce((sum, each) => sum + each, 0),
    whole.cases,
  );
  assert.equal(
    Object.values(whole.phases).reduce((sum, each) => sum + each, 0),
    whole.cases,
  );
  for (const phase of ["bootloader", "downloading", "leaving", "reporting", "trial"])
    assert.ok(whole.phases[phase]! > 0, phase);
});

test("hardware faults are counted by kind and do not count as power cuts", () => {
  const tally = carryOut({ kind: "wear", setting: SETTING, seeds: 2, stride: 12 });
  assert.equal(tally.cuts, 0);
  assert.equal(tally.kinds.n! * 2, tally.kinds.s);
  assert.equal(tally.cases, tally.kinds.n! + tally.kinds.s!);
});

test("a case with a network fault counts as one where the fault took place", () => {
  const tally = emptyTally();
  for (const line of ["good.small.agent.-.busy1", "good.small.agent.-.busy9", "good.small.agent.-"]) {
    const which = parseCase(line);
    count(tally, which, replay(which));
  }
  assert.deepEqual([tally.cases, tally.networkFaults, tally.cuts], [3, 1, 0]);
});

test("violations are counted by case, and the first ten are listed with their lines", () => {
  const tally = emptyTally();
  const which = parseCase("good.small.job.5b");
  const broken = replay(which, undefined, () =>
    beforeStart(({ simulation }) => void simulation.ledger.violate("bounded", "it grows")),
  );
  for (let each = 0; each < 12; each++) count(tally, which, broken);
  assert.equal(tally.violations, 12);
  assert.equal(tally.findings.length, 10);
  assert.deepEqual(tally.findings[0], { line: "good.small.job.5b", check: "bounded", message: "it grows" });
  const twice = sumOf([tally, tally]);
  assert.deepEqual([twice.violations, twice.findings.length], [24, 10]);
  assert.ok(lines(twice).some((line) => line.includes("--replay good.small.job.5b")));
  assert.match(lines(twice)[0]!, /^cases 24, power cuts 24, violations 24$/);
});

test("the worst case of a sum is the worst of its parts", () => {
  const [first, second] = [emptyTally(), emptyTally()];
  first.again = { value: 4096, line: "a" };
  second.again = { value: 5000, line: "b" };
  second.erases = { value: -3, line: "c" };
  assert.deepEqual(sumOf([first, second]).again, second.again);
  assert.deepEqual(sumOf([second, first]).again, second.again);
  assert.deepEqual(sumOf([first, second]).erases, second.erases);
  assert.equal(sumOf([first]).erases, undefined);
});

test("cases beyond what ESP-IDF protects are counted apart and are no violations", () => {
  const tally = emptyTally();
  const which = parseCase("good.small.job.5b");
  const beyond = replay(which, undefined, () =>
    beforeStart(({ simulation }) => {
      simulation.ledger.limit = "boot entry";
      simulation.ledger.violate("blame", "nobody's fault");
    }),
  );
  count(tally, which, beyond);
  assert.deepEqual([tally.violations, tally.beyond, tally.excused], [0, { "boot entry": 1 }, { "boot entry": 1 }]);
  assert.equal(tally.excuses[0]?.check, "blame");
  assert.ok(lines(tally).some((line) => line.includes("boot entry 1 (1 with a consequence)")));
});

test("a tally can be sent between processes, and a case is named by its setting and cuts", () => {
  const tally = carryOut(part(0, 10));
  assert.deepEqual(JSON.parse(JSON.stringify(tally)), tally);
  assert.deepEqual(caseOf(SETTING, []), { ...SETTING, cuts: [] });
});
