import assert from "node:assert/strict";
import { test } from "node:test";
import { newTally, randomRun } from "./recorded-runs";

/** A sample; `npm run test:long` takes 10,000. */
const RUNS = Number(process.env["XS_OTA_REPLAYS"] ?? 40);

test("random lives of a board with power cuts and network faults replay to the same effects, and record no secret", (context) => {
  const tally = newTally();
  for (let seed = 1; seed <= RUNS; seed++) randomRun(seed, tally);
  context.diagnostic(
    `${tally.runs} runs, ${tally.starts} recordings, ${tally.failures} of failures: ${tally.identical} identical, ` +
      `${tally.incomplete} incomplete, the longest has ${tally.longest} bytes`,
  );
  assert.deepEqual(tally.wrong, []);
  assert.deepEqual([...tally.doubts], []);
  assert.ok(tally.failures > RUNS / 10);
});
