/** Why nothing happens: said once for each cause, and again after a long time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Remarks } from "../../src/agent/remarks";
import { REMARK_AGAIN, REMARKS_MAX } from "../../src/constants";

test("a cause is said once, and again after a long time", () => {
  const remarks = new Remarks();
  assert.deepEqual(
    [0, 1, REMARK_AGAIN - 1, REMARK_AGAIN, REMARK_AGAIN + 1].map((now) => remarks.due("connection refused", now)),
    [true, false, false, true, false],
  );
});

test("another wait or count is no other cause, another text is", () => {
  const remarks = new Remarks();
  assert.ok(remarks.due("HTTP 503: busy; again in 500 ms", 0));
  assert.ok(!remarks.due("HTTP 503: busy; again in 61000 ms", 1));
  assert.ok(remarks.due("no such name", 2));
});

test("however many causes come, few are remembered, and those are the latest", () => {
  const remarks = new Remarks();
  const name = (index: number): string => "x".repeat(index);
  for (let index = 0; index < 10 * REMARKS_MAX; index++) assert.ok(remarks.due(name(index), index));
  assert.ok(!remarks.due(name(9 * REMARKS_MAX), 1_000));
  assert.ok(remarks.due(name(9 * REMARKS_MAX - 1), 1_000));
});
