/** Firmware on trial in which no agent ends the trial. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { guardTrial } from "../../hal/moddable/trial-guard";
import { TRIAL_SECONDS_MAX } from "../../src/constants";
import { VirtualClock } from "../kit/virtual-clock";
import { JobFixture } from "../job/job-fixture";
import { onTrial } from "../job/on-trial";

const LONGEST = TRIAL_SECONDS_MAX * 1000;

test("firmware that is unconfirmed after the longest trial rolls back and leaves the reason", () => {
  const { board } = onTrial({ answers: { health: "silent" } });
  const clock = new VirtualClock();
  const reasons: string[] = [];
  guardTrial(board.ports.boot, clock, (reason) => reasons.push(reason));
  clock.advance(LONGEST - 1);
  assert.equal(board.restartWanted, undefined);
  clock.advance(1);
  assert.notEqual(board.restartWanted, undefined);
  assert.deepEqual(reasons, ["not confirmed within 900 s"]);
  const { slot } = board.powerOn("software") as { slot: string };
  assert.equal(slot, "ota_0");
});

test("firmware that was confirmed in time stays", () => {
  const { board } = onTrial({ answers: { health: "silent" } });
  const clock = new VirtualClock();
  guardTrial(board.ports.boot, clock, () => assert.fail("given up"));
  clock.advance(LONGEST - 1);
  board.ports.boot.confirm();
  clock.advance(1);
  assert.equal(board.restartWanted, undefined);
});

test("firmware that is not on trial is left alone", () => {
  const clock = new VirtualClock();
  guardTrial(new JobFixture().board.ports.boot, clock, () => assert.fail("given up"));
  assert.equal(clock.waiting, 0);
});
