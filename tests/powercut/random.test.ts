/** The random numbers of the search: a seed repeats them, a copy continues them, and they are evenly distributed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "./simulation/random";

const first = (seed: number, count: number): number[] => {
  const random = new Random(seed);
  return Array.from({ length: count }, () => random.bits());
};

test("a seed repeats its numbers; neighbouring seeds have others", () => {
  assert.deepEqual(first(7, 100), first(7, 100));
  const all = Array.from({ length: 50 }, (_, seed) => first(seed, 20)).flat();
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.every((each) => Number.isInteger(each) && each >= 0 && each < 2 ** 32));
});

test("the numbers do not change between versions, so that case lines stay valid", () => {
  assert.deepEqual(first(1, 3), [1_580_013_426, 350_525_680, 3_524_174_333]);
});

test("a copy continues from the state of the other, independently", () => {
  const random = new Random(3);
  random.bits();
  const copy = Random.copy(random);
  const own = Array.from({ length: 5 }, () => random.bits());
  assert.deepEqual(
    Array.from({ length: 5 }, () => copy.bits()),
    own,
  );
});

test("below, fraction and pick cover exactly their range", () => {
  const random = new Random(11);
  const below = Array.from({ length: 2_000 }, () => random.below(7));
  assert.deepEqual([...new Set(below)].sort(), [0, 1, 2, 3, 4, 5, 6]);
  assert.ok([0, 1, 2, 3, 4, 5, 6].every((value) => below.filter((each) => each === value).length > 200));
  assert.ok(Array.from({ length: 1_000 }, () => random.fraction()).every((each) => each >= 0 && each < 1));
  assert.deepEqual(new Set(Array.from({ length: 100 }, () => random.pick(["a", "b", "c"]))), new Set(["a", "b", "c"]));
});

test("the bits of a byte are set with the given chance", () => {
  const random = new Random(5);
  for (const chance of [0, 0.03, 0.15, 0.5, 0.85, 0.97, 1]) {
    const set = Array.from({ length: 4_000 }, () => random.byte(chance)).reduce(
      (sum, byte) => sum + byte.toString(2).replaceAll("0", "").length,
      0,
    );
    assert.ok(Math.abs(set / 32_000 - chance) < 0.02, `${set} of 32000 bits for ${chance}`);
  }
});
