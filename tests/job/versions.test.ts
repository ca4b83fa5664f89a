import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareVersions } from "../../src/job/versions";
import type { Order } from "../../src/job/versions";

const OPPOSITE = { older: "newer", newer: "older", same: "same", different: "different" } as const;

/** Each of `versions` stands to each of the others as its place says. */
function assertAscending(versions: readonly string[]): void {
  versions.forEach((a, i) =>
    versions.forEach((b, j) => {
      const order: Order = i < j ? "older" : i > j ? "newer" : "same";
      assert.equal(compareVersions(a, b), order, `${a} to ${b}`);
    }),
  );
}

function assertOrder(order: Order, pairs: readonly (readonly [string, string])[]): void {
  for (const [a, b] of pairs) {
    assert.equal(compareVersions(a, b), order, `${a} to ${b}`);
    assert.equal(compareVersions(b, a), OPPOSITE[order], `${b} to ${a}`);
  }
}

test("dotted and semantic versions are ordered", () => {
  // semver.org, section 11, example of precedence
  assertAscending([
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
  ]);
  assertOrder("same", [
    ["1.2", "1.2.0"],
    ["V1.2", "v1.2"],
    ["v1.2.0+build5", "1.2.0+build7"],
    ["1.0-rc.1", "1.0-RC1"],
  ]);
});

test("number runs compare as numbers", () => {
  assertAscending(["1.0.0-rc9", "1.0.0-rc10", "1.0.0"]);
  assertAscending(["1.9.34-alpha8", "1.9.34-alpha11", "1.9.34-beta2", "1.9.34-RC1"]);
  assertAscending(["1.0-1", "1.0-2", "1.0-10"]);
  assertAscending(["1.0b9", "1.0b10"]);
  assertAscending(["1.0-hotfix9", "1.0-hotfix10"]);
  assertAscending(["1.0-dev.9", "1.0-dev.10", "1.0"]);
  assertAscending(["1.0-20260930", "1.0-20261001"]);
  assertAscending(["20260930235959", "20261001000000"]);
  assertAscending(["1.0-99999999999999999998", "1.0-99999999999999999999"]);
});

test("what git describe names is later than its tag, and earlier than the next", () => {
  assertAscending([
    "1.2.3-rc1",
    "1.2.3-rc1-2-g0badcafe",
    "1.2.3-rc2",
    "1.2.3",
    "1.2.3-dirty",
    "1.2.3-5-g1a2b3c4",
    "1.2.3-5-g1a2b3c4-dirty",
    "1.2.3-12-g5d6e7f8",
    "v1.2.4",
  ]);
  assertOrder("same", [["v1.2.3-0-g1a2b3c4", "1.2.3"]]);
  assertOrder("different", [["1.2.3-5-g1a2b3c4", "1.2.3-5-g5d6e7f8"]]);
});

test("dates are ordered, with and without leading zeros", () => {
  assertAscending(["2025-12-31", "2026-9-30", "2026-10-01", "2026.10.2", "v2026-10-03"]);
  assertAscending(["2026-09-30-9", "2026-09-30-10", "2026-10-01-1"]);
  assertAscending(["2026-09-30", "2026-09-30-5-g1a2b3c4"]);
  assertOrder("same", [["2026-9-1", "2026.09.01"]]);
});

test("where nothing tells an order there is none", () => {
  assertOrder("different", [
    ["nightly-2026", "nightly-2027"],
    ["1..2", "1.3"],
    ["9".repeat(80), "1"],
    // a revision of a package, or a pre-release of semantic versions
    ["1.0-1", "1.0"],
    ["1.0a", "1.0"],
    ["1.0-hotfix", "1.0"],
    ["1.0-debug", "1.0-release"],
    ["1.0-rc1", "1.0-dev1"],
    // hashes of commits
    ["1.0-1a2b3c4", "1.0-5d6e7f8"],
    ["1.0-g1111111", "1.0-g2222222"],
    // another scheme
    ["2026-09-30", "1.0.0"],
    ["2026.9", "12"],
  ]);
  assert.equal(compareVersions("release", "release"), "same");
});

/** Versions of all the forms, from few words, so that many share a part. */
const VERSIONS = fc
  .tuple(
    fc.constantFrom("", "v"),
    fc.oneof(
      fc
        .array(fc.constantFrom("0", "00", "1", "9", "10", "2026"), { minLength: 1, maxLength: 3 })
        .map((all) => all.join(".")),
      fc.constantFrom("2026-9-30", "2026-09-30", "2026-10-1"),
    ),
    fc.array(
      fc.tuple(
        fc.constantFrom("-", ".", "_", ""),
        fc.constantFrom("alpha", "RC", "rc", "9", "10", "a", "b", "dev", "fix", "1a2b3c4", "g1111111"),
      ),
      { maxLength: 3 },
    ),
    fc.constantFrom("", "-0-g1a2b3c4", "-5-g1a2b3c4", "-5-g5d6e7f8", "-10-g1a2b3c4"),
    fc.constantFrom("", "-dirty"),
    fc.constantFrom("", "+1"),
  )
  .map(
    ([v, numbers, suffix, described, dirty, build]) =>
      `${v}${numbers}${suffix.flat().join("")}${described}${dirty}${build}`,
  );

test("the order is antisymmetric for all strings", () => {
  for (const strings of [fc.string(), VERSIONS])
    fc.assert(
      fc.property(strings, strings, (a, b) => compareVersions(b, a) === OPPOSITE[compareVersions(a, b)]),
      { numRuns: 2000 },
    );
});

test("the order is transitive, and versions that are the same stand alike to all others", () => {
  let chains = 0;
  fc.assert(
    fc.property(VERSIONS, VERSIONS, VERSIONS, (a, b, c) => {
      const [ab, bc, ac] = [compareVersions(a, b), compareVersions(b, c), compareVersions(a, c)];
      if (ab === "same") assert.equal(ac, bc, `${a} is ${b}, to ${c}`);
      if (ab === "different" || ab === "same" || ab !== bc) return;
      chains++;
      assert.equal(ac, ab, `${a}, ${b}, ${c}`);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(chains > 500, `${chains} chains`);
});
