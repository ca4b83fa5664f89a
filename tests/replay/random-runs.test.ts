import assert from "node:assert/strict";
import { test } from "node:test";
import { newTally, randomRun } from "./recorded-runs";

/** Bytes of a recording that long runs overflow. */
const SMALL = 2_400;

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

test("where memory ends a recording goes on at a snapshot of the job, and replays from there to the same effects", (context) => {
  const tally = newTally();
  for (let seed = 1; seed <= RUNS; seed++) randomRun(seed, tally, SMALL);
  context.diagnostic(`${tally.identical} of ${tally.starts} identical, ${tally.cut} of them from a snapshot on`);
  assert.deepEqual(tally.wrong, []);
  assert.deepEqual([...tally.doubts], []);
  assert.ok(tally.cut > 0);
});
