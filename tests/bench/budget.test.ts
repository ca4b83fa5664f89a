/**
 * Counts of the agent's work may not grow unnoticed: bench/budget.json is the most that each may be. No times among
 * them.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { count } from "../../bench/measure/counts";
import { overBudget } from "../../bench/measure/budget";

const budget = JSON.parse(
  readFileSync(fileURLToPath(new URL("../../bench/budget.json", import.meta.url)), "utf8"),
) as Record<string, number>;

test("no count of the agent's work is beyond its budget", async () => {
  const counts = await count();
  assert.deepEqual(Object.keys(counts).sort(), Object.keys(budget).sort(), "each count has a budget");
  assert.deepEqual(overBudget(counts, budget), [], "for a good reason: npm run bench -- --budget");
});

test("a count beyond its budget is named", () => {
  assert.deepEqual(overBudget({ a: 10, b: 6 }, { a: 10, b: 5 }), ["b: 6, budget 5"]);
  assert.deepEqual(overBudget({ a: 1 }, {}), ["a: 1, budget 0"]);
});
