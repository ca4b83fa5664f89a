/** The promises to battery devices hold: docs/BENCH.md has the figures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { holds } from "../../bench/bars";
import { measureWakes, receivingShare, wakeBars } from "../../bench/measure/wakes";

test("1 MiB over wakes of 20 s at 16 KiB/s: complete, nothing fetched and no block erased again, awake to receive", () => {
  const result = measureWakes();
  assert.ok(result.finished);
  assert.ok(result.wakes.length >= 4, `${result.wakes.length} wakes`);
  assert.ok(
    result.wakes.every(({ awake }) => awake <= 20_000),
    "the budget of each wake is kept",
  );
  assert.ok(receivingShare(result) >= 0.8, String(receivingShare(result)));
  for (const bar of wakeBars(result)) assert.ok(holds(bar), `${bar.what}: ${bar.text}`);
});
