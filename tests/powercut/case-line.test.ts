/**
 * A case of the search as one line: reading gives back what was written, and a bad line is refused with one line that
 * says why.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { lineOf, parseCase } from "./search/case-line";
import type { Case } from "./search/case-line";
import { FAULT_KINDS } from "./simulation/faults";
import type { FaultKind } from "./simulation/faults";
import { NETWORK_FAULTS } from "./simulation/network-faults";
import { SCENARIO_NAMES } from "./simulation/scenarios";

const PLAIN = { noNullPrototype: true } as const;
const FAULT = fc.record(
  { kind: fc.constantFrom(...(Object.keys(FAULT_KINDS) as FaultKind[])), value: fc.nat(9_999_999_999) },
  PLAIN,
);
const CUT = fc.record({ at: fc.nat(999_999), fault: FAULT }, PLAIN);
const CASE: fc.Arbitrary<Case> = fc
  .record(
    {
      scenario: fc.constantFrom(...SCENARIO_NAMES),
      scale: fc.constantFrom("whole", "small"),
      device: fc.constantFrom("job", "agent", "job-3", "agent-12"),
      cuts: fc.array(CUT, { maxLength: 6 }),
      network: fc.oneof(
        fc.constant(""),
        fc.constantFrom(...Object.keys(NETWORK_FAULTS)).map((kind) => `${kind}2x17`),
      ),
    },
    PLAIN,
  )
  .map((which): Case => (which.device.startsWith("job") ? { ...which, network: "" } : which));

test("any case is read back from its line, and any line from its case", () => {
  fc.assert(
    fc.property(CASE, (which) => {
      const line = lineOf(which);
      assert.deepEqual(parseCase(line), which);
      assert.equal(lineOf(parseCase(line)), line);
      assert.match(line, /^[\w.-]+$/);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("the lines that the documentation shows", () => {
  assert.deepEqual(parseCase(" good.whole.job.37p5-12e700\n").cuts, [
    { at: 37, fault: { kind: "p", value: 5 } },
    { at: 12, fault: { kind: "e", value: 700 } },
  ]);
  assert.deepEqual(parseCase("good.small.agent.-.reset2x500"), {
    scenario: "good",
    scale: "small",
    device: "agent",
    cuts: [],
    network: "reset2x500",
  });
  assert.equal(
    lineOf({
      scenario: "good",
      scale: "small",
      device: "job",
      network: "",
      cuts: [{ at: 3, fault: { kind: "b", value: 0 } }],
    }),
    "good.small.job.3b",
  );
});

const BAD: readonly (readonly [line: string, says: RegExp])[] = [
  ["", /no scenario ""; there are good, /],
  ["best.small.job.-", /no scenario "best"/],
  ["toString.small.job.-", /no scenario/],
  ["good.huge.job.-", /"whole" or "small"/],
  ["good.small.phone.-", /"job", "agent" or "stock"/],
  ["good.small.job", /the form SCENARIO\.SCALE\.DEVICE\.CUTS/],
  ["good.small.job.", /the form SCENARIO\.SCALE\.DEVICE\.CUTS/],
  ["good.small.agent.-.reset1x0.more", /the form/],
  ["good.small.job.-.reset1x0", /network faults need the whole agent/],
  ["good.small.job.37", /"37" is no cut: a point, a letter of bapref/],
  ["good.small.job.37q", /"37q" is no cut/],
  ["good.small.job.p5", /"p5" is no cut/],
  ["good.small.job.1b-", /"" is no cut/],
  ["good.small.job.1b--2b", /"" is no cut/],
  ["good.small.job.1b 2b", /is no cut/],
  ["good.small.job.1234567b", /is no cut/],
  ["good.small.job.1p-5", /"5" is no cut/],
];

for (const [line, says] of BAD) {
  test(`a bad line is refused: ${JSON.stringify(line)}`, () => {
    assert.throws(
      () => parseCase(line),
      (error: Error) =>
        says.test(error.message) &&
        error.message.startsWith(`case ${JSON.stringify(line)}: `) &&
        !error.message.includes("\n"),
    );
  });
}
