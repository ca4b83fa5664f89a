import assert from "node:assert/strict";
import { test } from "node:test";
import { reconnects } from "../../host-sim/cloud/fleet/reconnects";
import { BACKOFF_CAP } from "../../src/constants";

test("the reconnects of 1,000 devices are spread over the longest wait", (t) => {
  const { attempts, returns } = reconnects(1_000, 300, 1);
  assert.equal(
    returns.reduce((sum, count) => sum + count, 0),
    1_000,
  );
  assert.ok(returns.length <= BACKOFF_CAP / 1000 + 2, `the last is back after ${returns.length} s`);
  // Uniform over 60 s would be 17 in a second; those whose waits are shorter come first.
  const most = Math.max(...returns);
  t.diagnostic(
    `most in one second: ${most}; half are back after ${half(returns)} s, all after ${returns.length} s; connects in the worst second of the outage ${Math.max(...attempts)}`,
  );
  assert.ok(most <= 60, `${most} in one second`);
});

test("of 60 seconds at least 40 have a reconnect", () => {
  const { returns } = reconnects(1_000, 300, 2);
  assert.ok(returns.filter((count) => count > 0).length >= 40, `${returns.length} seconds`);
});

function half(returns: readonly number[]): number {
  let sum = 0;
  return returns.findIndex((count) => (sum += count) >= 500) + 1;
}
