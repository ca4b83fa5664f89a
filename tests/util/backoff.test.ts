import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../src/util/backoff";

test("the ceiling doubles up to the cap", () => {
  const backoff = new Backoff(() => 0.999_999, 1000, 60_000);
  const waits = Array.from({ length: 9 }, () => backoff.next());
  assert.deepEqual(waits, [999, 1999, 3999, 7999, 15_999, 31_999, 59_999, 59_999, 59_999]);
});

test("jitter is full: any wait from nothing up", () => {
  const draws = [0, 0.5, 0.25];
  const backoff = new Backoff(() => draws.shift()!, 1000, 60_000);
  assert.deepEqual([backoff.next(), backoff.next(), backoff.next()], [0, 1000, 1000]);
});

test("reset restores the first ceiling", () => {
  const backoff = new Backoff(() => 0.5, 1000, 60_000);
  for (let i = 0; i < 5; i++) backoff.next();
  backoff.reset();
  assert.equal(backoff.next(), 500);
});
