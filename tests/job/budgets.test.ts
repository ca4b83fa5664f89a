/** No cloud can have one image tried, or known images installed, without end (invariant 13). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NOT_ON_TRIAL } from "../../hal/model-chip/start-up";
import type { ResetReason } from "../../src/ports";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { TRIALS_MAX, TRIAL_WAITS } from "../../src/constants";
import { UpdateJob } from "../../src/job/machine";
import { DEFAULT_POLICY } from "../../src/job/policy";
import { encodeJob, encodeOutcome, encodePhase, identityOf } from "../../src/job/job-codecs";
import type { Phase } from "../../src/job/job-codecs";
import type { Offer, Outcome } from "../../src/job/types";
import { JobFixture, RULES, image, offerOf } from "./job-fixture";

import { MINUTE, DAY, next, offer, storedBy, started, tryOut, trialsOf, answer, pass } from "./budget-fixture";

test("a cloud that pushes without end gets three trials of an image, each later than the one before, then refusals", () => {
  const fixture = new JobFixture();
  const starts: number[] = [];
  for (let minute = 0; minute < 24 * 60; minute++) {
    const before = trialsOf(fixture);
    const at = fixture.now;
    tryOut(fixture, next, offer);
    if (trialsOf(fixture) > before) starts.push(at);
    pass(fixture, MINUTE);
  }
  assert.equal(starts.length, TRIALS_MAX);
  assert.ok(starts[1]! - starts[0]! >= 2 * MINUTE, "two minutes between first and second");
  assert.ok(starts[2]! - starts[1]! >= 15 * MINUTE, "fifteen minutes between second and third");
  assert.equal(
    answer(fixture),
    "rejected: tried 3 times and never confirmed: the cloud was not reached; it is not tried again",
  );
});

test("a push before the next trial is due is answered with the minutes left", () => {
  const fixture = new JobFixture();
  tryOut(fixture, next, offer);
  fixture.push(offer);
  assert.equal(
    answer(fixture),
    "rejected: tried before and not confirmed: the cloud was not reached; the next trial in 2 min",
  );
  pass(fixture, TRIAL_WAITS[0]! * 1000);
  tryOut(fixture, next, offer);
  pass(fixture, 5 * MINUTE);
  fixture.push(offer);
  assert.equal(
    answer(fixture),
    "rejected: tried before and not confirmed: the cloud was not reached; the next trial in 10 min",
  );
});

test("another version is taken while an image waits or is used up", () => {
  const fixture = new JobFixture();
  tryOut(fixture, next, offer);
  const third = image("0.3.0");
  fixture.update(third, offerOf(third, "0.3.0"));
  assert.equal(answer(fixture), "done");
  assert.equal(fixture.running.version, "0.3.0");
});

test("being switched off does not shorten a wait", () => {
  const fixture = new JobFixture();
  tryOut(fixture, next, offer);
  // The clock of a chip starts anew at power-on; here it goes on, so that the device would see a day pass if it
  // believed its clock.
  fixture.now += DAY;
  fixture.powerOn();
  fixture.connect();
  fixture.push(offer);
  assert.match(answer(fixture) ?? "", /the next trial in 2 min$/);
  pass(fixture, MINUTE + 1);
  fixture.now += DAY;
  fixture.powerOn();
  fixture.connect();
  fixture.push(offer);
  assert.match(answer(fixture) ?? "", /the next trial in 1 min$/, "the minute that it was awake counts");
});

test("a confirm wipes the trials of that image", () => {
  const fixture = new JobFixture({ policy: { allowDowngrade: true } });
  tryOut(fixture, next, offer);
  pass(fixture, TRIAL_WAITS[0]! * 1000);
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.ack("burning");
  fixture.connect();
  fixture.ack("outcome");
  assert.equal(fixture.running.version, "0.2.0");
  const third = image("0.3.0");
  fixture.update(third, offerOf(third, "0.3.0"));
  tryOut(fixture, next, offer);
  assert.match(answer(fixture) ?? "", /cloud not reached/, "its first trial since");
  fixture.push(offer);
  assert.match(answer(fixture) ?? "", /the next trial in 2 min$/);
});

test("trials that the power cut short count among the three", () => {
  const fixture = new JobFixture({ policy: { maxAttempts: 100 } });
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.ack("burning");
  let starts = 0;
  for (; fixture.state === "trial" && starts < 10; starts++) fixture.powerOn("power-on");
  assert.equal(starts, TRIALS_MAX);
  fixture.connect();
  assert.equal(answer(fixture), "rolled-back: trial cut short by power loss 3 times");
  fixture.ack("outcome");
  pass(fixture, DAY);
  fixture.push(offer);
  assert.equal(
    answer(fixture),
    "rejected: tried 3 times and never confirmed: the power was cut; it is not tried again",
  );
});

test("a trial is counted once, however often the power goes before its outcome has arrived", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.ack("burning");
  fixture.wait();
  for (let cut = 0; cut < 5; cut++) fixture.powerOn();
  fixture.connect();
  fixture.ack("outcome");
  pass(fixture, TRIAL_WAITS[0]! * 1000);
  tryOut(fixture, next, offer);
  fixture.push(offer);
  assert.match(answer(fixture) ?? "", /^rejected: tried before .* the next trial in 15 min$/, "two were counted");
});

test("a power cut at any flash operation of trial and verdict loses no count", () => {
  for (let operation = 1; ; operation++) {
    const fixture = new JobFixture();
    fixture.connect();
    fixture.push(offer);
    fixture.deliver(next);
    fixture.ack("burning");
    let left = operation;
    fixture.board.chip.onOperation = () => {
      if (--left === 0) throw new PowerCut();
    };
    try {
      fixture.wait();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
    const cut = left <= 0;
    fixture.board.chip.onOperation = undefined;
    if (cut) fixture.powerOn("power-on");
    while (fixture.state === "trial" && fixture.running.version === "0.2.0") fixture.wait();
    if (fixture.state === "restart" || fixture.state === "burning") fixture.ack("burning");
    fixture.connect();
    fixture.ack("outcome");
    fixture.push(offer);
    assert.match(answer(fixture) ?? "", /^rejected: tried before and not confirmed/, `cut at operation ${operation}`);
    if (!cut) return;
  }
});

interface Found {
  readonly lastInvalid?: string;
  readonly resetReason?: ResetReason;
  readonly outcome?: Outcome;
  readonly phase?: Phase;
  readonly pushed?: Offer;
  /** The slot that runs; default: the old firmware's. */
  readonly slot?: "ota_0" | "ota_1";
}

/** Why a trial was counted, when a start finds this in the store; undefined: none was. */
function countedFor({
  lastInvalid,
  resetReason = "power-on",
  outcome,
  phase = "trial",
  pushed = offer,
  slot = "ota_0",
}: Found): string | undefined {
  const record = { platform: "tencent", slot: "ota_1", offer: pushed };
  const identity = identityOf(record);
  const stored = {
    job: encodeJob(record),
    phase: encodePhase(identity, { phase, activations: 1, trials: 0, refetched: false }),
    outcome: outcome === undefined ? undefined : encodeOutcome(identity, outcome),
  };
  const running = {
    slot,
    version: slot === "ota_0" ? "0.1.0" : "0.2.0",
    project: "xs-ota-board",
    chip: 0,
    state: "valid",
  } as const;
  const target = slot === "ota_0" ? "ota_1" : "ota_0";
  const crypto = new NodeCrypto();
  const policy = { ...DEFAULT_POLICY, allowHttp: true, allowNoDigest: true };
  const targetStarted = lastInvalid === undefined ? undefined : true;
  const job = new UpdateJob(
    { platform: { name: "tencent", rules: RULES }, policy, digest: (algorithm) => crypto.digest(algorithm) },
    {
      running,
      target,
      slotSize: 1 << 20,
      blockSectors: 16,
      resetReason,
      startUp: NOT_ON_TRIAL,
      targetStarted,
      lastInvalid,
      stored,
    },
  );
  const { budgets } = storedBy(job.handle({ type: "boot" }, 0));
  return started({ budgets }).refusalOf(pushed, "0.1.0", 0);
}

test("what counts as a trial: it started, and nothing else tells that the image is at fault", () => {
  const unreachable: Outcome = { kind: "fail", cause: "rolled-back", message: "cloud not reached within 120 s" };
  const invalid: Outcome = { kind: "fail", cause: "rejected", message: "verify: ESP_ERR_IMAGE_INVALID" };
  const { digest: _, ...bare } = offer;
  const cases: readonly [Found, RegExp | undefined, string][] = [
    [{ lastInvalid: "ota_1" }, /: the power was cut;/, "cut short by the power"],
    [
      { lastInvalid: "ota_1", resetReason: "software", outcome: unreachable },
      /: the cloud was not reached;/,
      "given up, cloud not reached",
    ],
    [{ outcome: unreachable }, /: the cloud was not reached;/, "given up, and a cut took the boot entry"],
    [
      { lastInvalid: "ota_1", resetReason: "watchdog", pushed: bare },
      /: it was rolled back;/,
      "at fault, and without a digest for the denylist",
    ],
    [{ lastInvalid: "ota_1", resetReason: "watchdog" }, undefined, "the denylist has it"],
    [{}, undefined, "it never started"],
    [{ outcome: invalid }, undefined, "refused before it started"],
    [{ lastInvalid: "ota_1", phase: "committing" }, undefined, "what failed in that slot was another image"],
    [{ lastInvalid: "ota_0", slot: "ota_1" }, undefined, "the new firmware runs, and what failed is the old one"],
  ];
  for (const [found, why, about] of cases) {
    if (why === undefined) assert.equal(countedFor(found), undefined, about);
    else assert.match(countedFor(found) ?? "", why, about);
  }
});

test("an image without a digest is known by its version", () => {
  const fixture = new JobFixture({ policy: { allowNoDigest: true } });
  const { digest: _, ...bare } = offer;
  for (let count = 0; count < 10; count++) {
    tryOut(fixture, next, bare);
    pass(fixture, 20 * MINUTE);
  }
  assert.equal(trialsOf(fixture), TRIALS_MAX);
});
