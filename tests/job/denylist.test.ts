import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { REFUSED_MAX } from "../../src/constants";
import { Denylist } from "../../src/job/denylist";

const digest = (seed: number) => ({ algorithm: "MD5" as const, hex: seed.toString(16).padStart(32, "0") });

test("a refused image is known again after a restart, with its cause", () => {
  const first = new Denylist(undefined);
  const stored = first.add(digest(1), "rolled-back");
  const again = new Denylist(stored);
  assert.equal(again.causeOf(digest(1)), "rolled-back");
  assert.equal(again.causeOf(digest(2)), undefined);
  assert.equal(again.causeOf(undefined), undefined);
});

test("an image that is known, or has no digest, costs no write", () => {
  const images = new Denylist(undefined);
  assert.notEqual(images.add(digest(1), "rejected"), undefined);
  assert.equal(images.add(digest(1), "rejected"), undefined);
  assert.equal(images.add(undefined, "rejected"), undefined);
});

test("the list is bounded: the oldest goes first", () => {
  const images = new Denylist(undefined);
  let stored: Uint8Array | undefined;
  for (let seed = 0; seed < REFUSED_MAX + 3; seed++) stored = images.add(digest(seed), "rejected");
  const again = new Denylist(stored);
  assert.equal(again.causeOf(digest(2)), undefined);
  for (let seed = 3; seed < REFUSED_MAX + 3; seed++) assert.equal(again.causeOf(digest(seed)), "rejected");
  assert.ok((stored?.length ?? 0) < 300);
});

test("forged images do not push out what was rolled back, however many come; another that is rolled back does", () => {
  const images = new Denylist(undefined);
  images.add(digest(0), "rejected");
  images.add(digest(1), "rolled-back");
  for (let seed = 2; seed < 100; seed++) images.add(digest(seed), "signature");
  assert.deepEqual(
    [0, 1, 99].map((seed) => images.causeOf(digest(seed))),
    [undefined, "rolled-back", "rejected"],
  );
  for (let seed = 100; seed < 99 + REFUSED_MAX; seed++) images.add(digest(seed), "rolled-back");
  assert.equal(images.add(digest(500), "rejected"), undefined, "no place for it");
  assert.equal(images.causeOf(digest(1)), "rolled-back");
  const stored = images.add(digest(600), "rolled-back");
  const again = new Denylist(stored);
  assert.deepEqual(
    [1, 100, 600].map((seed) => again.causeOf(digest(seed))),
    [undefined, "rolled-back", "rolled-back"],
  );
});

test("a damaged record counts as empty, arbitrary bytes never crash", () => {
  const stored = new Denylist(undefined).add(digest(1), "rejected") ?? new Uint8Array(0);
  fc.assert(
    fc.property(fc.nat({ max: stored.length - 1 }), (at) => {
      const damaged = stored.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 4;
      assert.equal(new Denylist(damaged).causeOf(digest(1)), undefined);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => new Denylist(bytes).causeOf(digest(1)) === undefined),
  );
});
