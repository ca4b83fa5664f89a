import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareVersions } from "../../src/job/versions";

test("dotted and semantic versions are ordered", () => {
  // semver.org, section 11, example of precedence
  const ascending = [
    "0.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "v1.0.1",
    "1.2.3.4",
    "1.10",
    "2",
  ];
  ascending.forEach((a, i) =>
    ascending.forEach((b, j) => {
      if (i < j) assert.equal(compareVersions(a, b), "older", `${a} < ${b}`);
      if (i > j) assert.equal(compareVersions(a, b), "newer", `${a} > ${b}`);
    }),
  );
  assert.equal(compareVersions("1.2", "1.2.0"), "same");
  assert.equal(compareVersions("v1.2.0+build5", "1.2.0+build7"), "same");
});

test("anything else is only the same or different", () => {
  assert.equal(compareVersions("nightly-2026", "nightly-2027"), "different");
  assert.equal(compareVersions("release", "release"), "same");
  assert.equal(compareVersions("1..2", "1.3"), "different");
  assert.equal(compareVersions("9".repeat(80), "1"), "different");
});

test("the order is antisymmetric for all strings", () => {
  const opposite = { older: "newer", newer: "older", same: "same", different: "different" } as const;
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => compareVersions(b, a) === opposite[compareVersions(a, b)]));
});
