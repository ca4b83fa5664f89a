/** Which checks count: all under power cuts, fewer on a worn chip and beyond what ESP-IDF protects. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CHECKS, HARDWARE_CHECKS, LIMITS, Ledger } from "./checks/ledger";
import type { Check, Limit } from "./checks/ledger";

const ALL = Object.keys(CHECKS) as Check[];

function violatedBy(prepare: (ledger: Ledger) => void): { readonly counted: Check[]; readonly excused: Check[] } {
  const counted: Check[] = [];
  const excused: Check[] = [];
  for (const check of ALL) {
    const ledger = new Ledger();
    prepare(ledger);
    ledger.expect(check, true, () => assert.fail("nothing to say"));
    ledger.expect(check, false, () => "made up");
    if (ledger.violations.length > 0) counted.push(check);
    if (ledger.excused.length > 0) excused.push(check);
  }
  return { counted, excused };
}

test("every invariant has a check, and every check counts under power cuts", () => {
  const invariants = new Set(Object.values(CHECKS).filter((each) => typeof each === "number"));
  assert.deepEqual(
    [...invariants].sort((a, b) => a - b),
    Array.from({ length: 12 }, (_, index) => index + 1),
  );
  assert.deepEqual(
    violatedBy(() => undefined),
    { counted: ALL, excused: [] },
  );
  assert.deepEqual(violatedBy((ledger) => void (ledger.worn = "slot")).counted, ALL);
});

test("with worn records only the checks for hardware faults count", () => {
  const { counted, excused } = violatedBy((ledger) => void (ledger.worn = "records"));
  assert.deepEqual(
    counted,
    ALL.filter((check) => HARDWARE_CHECKS.has(check)),
  );
  assert.deepEqual(excused, []);
  for (const invariant of [1, 2, 3, 10, 12])
    assert.ok(
      counted.some((check) => CHECKS[check] === invariant),
      `invariant ${invariant}`,
    );
  assert.ok(counted.includes("record whole or absent"));
});

for (const limit of Object.keys(LIMITS) as Limit[]) {
  test(`${LIMITS[limit]}: other checks are excused and counted apart, those for hardware faults count`, () => {
    const { counted, excused } = violatedBy((ledger) => void (ledger.limit = limit));
    const expected = ALL.filter(
      (check) => HARDWARE_CHECKS.has(check) && !(limit === "boot entry" && check === "never wedged"),
    );
    assert.deepEqual(counted, expected);
    assert.deepEqual(
      excused,
      ALL.filter((check) => !expected.includes(check)),
    );
  });
}

test("a violation before the limit is not excused", () => {
  const ledger = new Ledger();
  ledger.violate("blame", "first");
  ledger.limit = "boot entry";
  ledger.violate("blame", "second");
  assert.deepEqual(
    ledger.violations.map(({ message }) => message),
    ["first", "second"],
  );
});

test("the first five violations are kept", () => {
  const ledger = new Ledger();
  for (let each = 1; each <= 9; each++) ledger.violate("bounded", String(each));
  assert.deepEqual(
    ledger.violations.map(({ message }) => message),
    ["1", "2", "3", "4", "5"],
  );
});

test("where one image takes the slot, nothing of the others counts as fetched, and those that were tried stay so", () => {
  const ledger = new Ledger();
  for (const image of ["a", "b"]) ledger.note(image, { end: 5, cuts: 1, tried: true });
  ledger.repaired("a");
  ledger.taken("a");
  const count = (image: string): unknown[] => {
    const { end, cuts, tried, repairs } = ledger.fetched(image);
    return [end, cuts, tried, repairs];
  };
  assert.deepEqual(
    [count("a"), count("b")],
    [
      [5, 1, true, 1],
      [0, 0, true, 0],
    ],
  );
});

test("a fork has a copy of everything and is independent", () => {
  const ledger = new Ledger();
  ledger.cuts = 3;
  ledger.trialCuts = 1;
  ledger.worn = "slot";
  ledger.networkFaults = 2;
  ledger.acknowledged = true;
  ledger.starts = 4;
  ledger.backAfter = 12;
  ledger.checked[1] = 9;
  ledger.limit = "weak mark";
  ledger.records.set("off", ["1", "2"]);
  ledger.history.set("off", ["1"]);
  ledger.note("image", { end: 5, cuts: 1 });
  ledger.violate("bounded", "so far");
  ledger.violate("blame", "excused or not");
  const fork = ledger.fork();
  assert.deepEqual(fork, ledger);
  fork.records.set("off", ["3"]);
  fork.note("image", { end: 6 });
  fork.violate("bounded", "later");
  assert.deepEqual(
    [ledger.records.get("off"), ledger.fetched("image").end, fork.fetched("image").cuts],
    [["1", "2"], 5, 1],
  );
  assert.ok(ledger.violations.length < fork.violations.length);
});
