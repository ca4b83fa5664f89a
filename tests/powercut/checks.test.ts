/** Each check of the search fails for a device that breaks its invariant, and none fails for the right device. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Case } from "./search/case-line";
import { lineOf } from "./search/case-line";
import { CHECKS } from "./checks/ledger";
import type { Check, Violation } from "./checks/ledger";
import type { MakeDevice } from "./simulation/device";
import { replay } from "./search/search";
import type { Breakage } from "./breakages";
import { BREAKAGES_OF_BLAME } from "./breakages-of-blame";
import { BREAKAGES_OF_CONTAINERS } from "./breakages-of-containers";
import { BREAKAGES_OF_FLASH } from "./breakages-of-flash";
import { BREAKAGES_OF_HAWKBIT } from "./breakages-of-hawkbit";
import { BREAKAGES_OF_REPORTS } from "./breakages-of-reports";
import { BREAKAGES_OF_THINGSBOARD } from "./breakages-of-thingsboard";

const BREAKAGES: readonly Breakage[] = [
  ...BREAKAGES_OF_FLASH,
  ...BREAKAGES_OF_CONTAINERS,
  ...BREAKAGES_OF_BLAME,
  ...BREAKAGES_OF_REPORTS,
  ...BREAKAGES_OF_THINGSBOARD,
  ...BREAKAGES_OF_HAWKBIT,
];

/** The case of a row, with a power cut where the row has one. */
function caseOf({ scenario, scale = "small", kind = "job", where, wear = false, make }: Breakage): Case {
  const whole: Case = { scenario, scale, device: kind, network: "", cuts: [] };
  if (where === undefined) return whole;
  let at: number | undefined;
  replay(whole, (point) => void (at ??= where(point) ? point.number : undefined), make);
  assert.ok(at !== undefined, "the point of the cut is reached");
  return { ...whole, cuts: [{ at, fault: { kind: wear ? "n" : "b", value: 0 } }] };
}

const violationsOf = (which: Case, make?: () => MakeDevice): readonly Violation[] =>
  replay(which, undefined, make).simulation.ledger.violations;

for (const row of BREAKAGES) {
  test(`"${row.check}" notices a device that ${row.device}`, () => {
    const which = caseOf(row);
    const [first] = violationsOf(which, row.make);
    assert.equal(first?.check, row.check, first?.message ?? "no check was broken");
  });
}

test("the right device breaks no check where the broken ones do", () => {
  const seen = new Set<string>();
  for (const row of BREAKAGES) {
    const which = caseOf(row);
    if (seen.has(lineOf(which))) continue;
    seen.add(lineOf(which));
    assert.deepEqual(violationsOf(which), [], lineOf(which));
  }
});

test("every check has a device that breaks it", () => {
  const broken = new Set<Check>(BREAKAGES.map(({ check }) => check));
  assert.deepEqual(
    Object.keys(CHECKS).filter((check) => !broken.has(check as Check)),
    [],
  );
});
