/**
 * Two packages, assigned in turns while the line and the power fail: no image is ever mixed, and the device ends on what
 * is wanted. XS_OTA_INTERLEAVINGS=10000 runs the number of the bar.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { interleave } from "./interleavings";

const RUNS = Number(process.env["XS_OTA_INTERLEAVINGS"] ?? 60);

for (const [way, runs] of [
  ["chunks over MQTT", RUNS],
  ["HTTP", Math.ceil(RUNS / 4)],
] as const)
  test(`${way}: ${runs} interleavings of re-assignment, reconnect and cut, no mixed image`, async () => {
    let during = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const run = await interleave(seed, way === "HTTP");
      assert.deepEqual([run.mixed, run.failed, run.version], [[], [], run.wanted], `seed ${seed}`);
      during += run.during;
    }
    assert.ok(during > runs / 2, `only ${during} events in the middle of a download`);
  });
