/** Rollouts to a fleet on hawkBit, with what has to come of them: a thousand devices in the long run, few in `npm test`. */
import assert from "node:assert/strict";
import type { RateLimits } from "../doubles/hawkbit/rate-limit";
import { lineOf, rollOut } from "./fleet";
import type { FleetOptions, FleetResult } from "./fleet";

interface FleetCheck {
  readonly title: string;
  readonly options: Omit<FleetOptions, "devices" | "limits">;
  check(result: FleetResult, devices: number): void;
}

/** Percent of a group. */
const ERROR = 20;
const GROUPS = 10;

export const FLEET_CHECKS: readonly FleetCheck[] = [
  {
    title: "bad firmware: the rollout pauses at its first group, and the others are never offered it",
    options: { groups: GROUPS, error: ERROR, bad: 1 },
    check({ rollout, updated, offered }, devices) {
      assert.equal(rollout.status, "paused");
      assert.equal(updated, 0);
      assert.equal(offered, devices / GROUPS);
      assert.equal(rollout.perStatus["error"], devices / GROUPS);
      assert.equal(rollout.perStatus["scheduled"], devices - devices / GROUPS);
    },
  },
  {
    title: "good firmware in one group, all devices on in the same moment: the limiter is met, and all are updated",
    options: { groups: 1, error: ERROR, bad: 0, together: true },
    check({ rollout, updated, refused }, devices) {
      assert.equal(rollout.status, "finished");
      assert.equal(updated, devices);
      assert.ok(refused > 0, "nothing was refused");
    },
  },
  {
    title: "firmware that fails on few devices: the rollout goes through, and those are rolled back",
    options: { groups: GROUPS, error: 50, bad: 0.05 },
    check({ rollout, updated }, devices) {
      assert.equal(rollout.status, "finished");
      assert.equal(updated, devices - (rollout.perStatus["error"] ?? 0));
      assert.equal(rollout.perStatus["finished"], updated);
    },
  },
];

/** Returns the result in one line. */
export async function runCheck({ options, check }: FleetCheck, devices: number, limits?: RateLimits): Promise<string> {
  const result = await rollOut({ ...options, devices, ...(limits && { limits }) });
  const line = lineOf(result);
  check(result, devices);
  assert.equal(result.early, 0, line);
  assert.equal(result.repeated, 0, line);
  return line;
}
