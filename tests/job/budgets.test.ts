/** No cloud can have one image tried, or known images installed, without end (invariant 13). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResetReason } from "../../src/ports";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { REPEAT_BUDGET, REPEAT_REFILL, TRIALS_MAX, TRIAL_WAITS } from "../../src/constants";
import { Budgets } from "../../src/job/budgets";
import { RECORDS } from "../../src/job/records";
import type { Snapshot } from "../../src/job/records";
import type { JobEffect } from "../../src/job/effects";
import { UpdateJob } from "../../src/job/machine";
import { DEFAULT_POLICY } from "../../src/job/policy";
import { encodeJob, encodeOutcome, encodePhase, identityOf } from "../../src/job/job-codecs";
import type { Phase } from "../../src/job/job-codecs";
import type { Offer, Outcome } from "../../src/job/types";
import { JobDesk, RULES, image, offerOf } from "./job-desk";
import type { DeskOptions } from "./job-desk";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const next = image("0.2.0");
const offer = offerOf(next, "0.2.0");

type StoredBudgets = Pick<Snapshot, "budgets" | "awakeSeconds">;

const NEVER: StoredBudgets = {};
const storedBy = (effects: readonly JobEffect[]): StoredBudgets => {
  const budgets = effects.find((effect) => effect.type === "put-bytes");
  const awake = effects.find((effect) => effect.type === "put-number");
  return {
    budgets: budgets?.type === "put-bytes" ? budgets.bytes : undefined,
    awakeSeconds: awake?.type === "put-number" ? awake.value : undefined,
  };
};
const of = (version: string): Offer => offerOf(Buffer.from(version), version);

function started(from: StoredBudgets, now = 0): Budgets {
  const budgets = new Budgets(from, REPEAT_BUDGET);
  budgets.start(now);
  return budgets;
}

/** Each pushed image goes through its download and starts; nothing in a trial reaches the cloud. */
function tryOut(desk: JobDesk, file: Uint8Array, pushed: Offer): void {
  desk.connect();
  desk.push(pushed);
  desk.deliver(file);
  desk.ack("burning");
  while (desk.state === "trial") desk.wait();
  desk.connect();
  desk.ack("outcome");
}

/** Times that the board started `version` on trial, so far. */
function trialsOf(desk: JobDesk): number {
  return desk.notices.filter((notice) => notice.event === "state" && notice.state === "trial").length;
}

/** The answer to the latest push. */
const answer = (desk: JobDesk): string | undefined => desk.outcomes.at(-1);

/** Time passes on a device that has nothing to do. */
function pass(desk: JobDesk, milliseconds: number): void {
  for (const end = desk.now + milliseconds; desk.now < end;) {
    desk.now = Math.min(end, Math.max(desk.now, desk.job.deadline() ?? end));
    desk.dispatch({ type: "tick" });
  }
}

test("a cloud that pushes without end gets three trials of an image, each later than the one before, then refusals", () => {
  const desk = new JobDesk();
  const starts: number[] = [];
  for (let minute = 0; minute < 24 * 60; minute++) {
    const before = trialsOf(desk);
    const at = desk.now;
    tryOut(desk, next, offer);
    if (trialsOf(desk) > before) starts.push(at);
    pass(desk, MINUTE);
  }
  assert.equal(starts.length, TRIALS_MAX);
  assert.ok(starts[1]! - starts[0]! >= 2 * MINUTE, "two minutes between first and second");
  assert.ok(starts[2]! - starts[1]! >= 15 * MINUTE, "fifteen minutes between second and third");
  assert.equal(
    answer(desk),
    "rejected: tried 3 times and never confirmed: the cloud was not reached; it is not tried again",
  );
});

test("a push before the next trial is due is answered with the minutes left", () => {
  const desk = new JobDesk();
  tryOut(desk, next, offer);
  desk.push(offer);
  assert.equal(
    answer(desk),
    "rejected: tried before and not confirmed: the cloud was not reached; the next trial in 2 min",
  );
  pass(desk, TRIAL_WAITS[0]! * 1000);
  tryOut(desk, next, offer);
  pass(desk, 5 * MINUTE);
  desk.push(offer);
  assert.equal(
    answer(desk),
    "rejected: tried before and not confirmed: the cloud was not reached; the next trial in 10 min",
  );
});

test("another version is taken while an image waits or is used up", () => {
  const desk = new JobDesk();
  tryOut(desk, next, offer);
  const third = image("0.3.0");
  desk.update(third, offerOf(third, "0.3.0"));
  assert.equal(answer(desk), "done");
  assert.equal(desk.running.version, "0.3.0");
});

test("being switched off does not shorten a wait", () => {
  const desk = new JobDesk();
  tryOut(desk, next, offer);
  // The clock of a chip starts anew at power-on; here it goes on, so that the device would see a day pass if it believed its clock.
  desk.now += DAY;
  desk.powerOn();
  desk.connect();
  desk.push(offer);
  assert.match(answer(desk) ?? "", /the next trial in 2 min$/);
  pass(desk, MINUTE + 1);
  desk.now += DAY;
  desk.powerOn();
  desk.connect();
  desk.push(offer);
  assert.match(answer(desk) ?? "", /the next trial in 1 min$/, "the minute that it was awake counts");
});

test("a confirm wipes the trials of that image", () => {
  const desk = new JobDesk({ policy: { allowDowngrade: true } });
  tryOut(desk, next, offer);
  pass(desk, TRIAL_WAITS[0]! * 1000);
  desk.connect();
  desk.push(offer);
  desk.deliver(next);
  desk.ack("burning");
  desk.connect();
  desk.ack("outcome");
  assert.equal(desk.running.version, "0.2.0");
  const third = image("0.3.0");
  desk.update(third, offerOf(third, "0.3.0"));
  tryOut(desk, next, offer);
  assert.match(answer(desk) ?? "", /cloud not reached/, "its first trial since");
  desk.push(offer);
  assert.match(answer(desk) ?? "", /the next trial in 2 min$/);
});

test("trials that the power cut short count among the three", () => {
  const desk = new JobDesk({ policy: { maxAttempts: 100 } });
  desk.connect();
  desk.push(offer);
  desk.deliver(next);
  desk.ack("burning");
  let starts = 0;
  for (; desk.state === "trial" && starts < 10; starts++) desk.powerOn("power-on");
  assert.equal(starts, TRIALS_MAX);
  desk.connect();
  assert.equal(answer(desk), "rolled-back: trial cut short by power loss 3 times");
  desk.ack("outcome");
  pass(desk, DAY);
  desk.push(offer);
  assert.equal(answer(desk), "rejected: tried 3 times and never confirmed: the power was cut; it is not tried again");
});

test("a trial is counted once, however often the power goes before its outcome has arrived", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  desk.deliver(next);
  desk.ack("burning");
  desk.wait();
  for (let cut = 0; cut < 5; cut++) desk.powerOn();
  desk.connect();
  desk.ack("outcome");
  pass(desk, TRIAL_WAITS[0]! * 1000);
  tryOut(desk, next, offer);
  desk.push(offer);
  assert.match(answer(desk) ?? "", /^rejected: tried before .* the next trial in 15 min$/, "two were counted");
});

test("a power cut at any flash operation of trial and verdict loses no count", () => {
  for (let operation = 1; ; operation++) {
    const desk = new JobDesk();
    desk.connect();
    desk.push(offer);
    desk.deliver(next);
    desk.ack("burning");
    let left = operation;
    desk.board.chip.onOperation = () => {
      if (--left === 0) throw new PowerCut();
    };
    try {
      desk.wait();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
    const cut = left <= 0;
    desk.board.chip.onOperation = undefined;
    if (cut) desk.powerOn("power-on");
    while (desk.state === "trial" && desk.running.version === "0.2.0") desk.wait();
    if (desk.state === "restart" || desk.state === "burning") desk.ack("burning");
    desk.connect();
    desk.ack("outcome");
    desk.push(offer);
    assert.match(answer(desk) ?? "", /^rejected: tried before and not confirmed/, `cut at operation ${operation}`);
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
  const job = new UpdateJob(
    { platform: { name: "tencent", rules: RULES }, policy, digest: (algorithm) => crypto.digest(algorithm) },
    { running, target, slotSize: 1 << 20, resetReason, lastInvalid, stored },
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
    [{ outcome: unreachable }, /: it was rolled back;/, "given up, and a cut took the boot entry: nobody knows why"],
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
  const desk = new JobDesk({ policy: { allowNoDigest: true } });
  const { digest: _, ...bare } = offer;
  for (let count = 0; count < 10; count++) {
    tryOut(desk, next, bare);
    pass(desk, 20 * MINUTE);
  }
  assert.equal(trialsOf(desk), TRIALS_MAX);
});

function backAndForth(desk: JobDesk, rounds: number): number {
  const files = ["0.2.0", "0.3.0"].map((version) => ({ version, file: image(version) }));
  let installs = 0;
  for (let round = 0; round < rounds; round++) {
    const { version, file } = files[round % 2]!;
    const before = desk.running.version;
    desk.connect();
    desk.push(offerOf(file, version));
    desk.deliver(file);
    desk.ack("burning");
    desk.connect();
    desk.ack("outcome");
    if (desk.running.version !== before) installs++;
  }
  return installs;
}

test("a cloud with two open tasks installs two images by turns until the budget is used up", () => {
  const desk = new JobDesk({ policy: { allowDowngrade: true } });
  // Both are new once; the rest are repeats.
  assert.equal(backAndForth(desk, 600), 2 + REPEAT_BUDGET);
  const notice = desk.notices.find((each) => each.event === "state" && each.state === "fail");
  assert.deepEqual(
    notice?.event === "state" && notice.state === "fail" && notice.message,
    "sent back and forth between 0.3.0 and 0.2.0; the next install in 15 min",
  );
  pass(desk, REPEAT_REFILL * 1000);
  assert.equal(backAndForth(desk, 10), 1, "time gives one back");
  pass(desk, DAY);
  assert.equal(backAndForth(desk, 600), REPEAT_BUDGET);
  const fourth = image("0.4.0");
  desk.update(fourth, offerOf(fourth, "0.4.0"));
  assert.equal(desk.running.version, "0.4.0", "a new image gets in");
});

test("the budget of installs is the policy's, and 0 means none", () => {
  const options: DeskOptions = { policy: { allowDowngrade: true, repeatBudget: 0 } };
  assert.equal(backAndForth(new JobDesk(options), 10), 2);
});

test("power cuts do not fill the budget of installs", () => {
  const desk = new JobDesk({ policy: { allowDowngrade: true } });
  backAndForth(desk, 600);
  for (let cut = 0; cut < 20; cut++) {
    desk.now += DAY;
    desk.powerOn();
    desk.connect();
    pass(desk, MINUTE - 1);
  }
  assert.equal(backAndForth(desk, 10), 0);
});

test("forget gives everything back", () => {
  const desk = new JobDesk({ policy: { allowDowngrade: true } });
  backAndForth(desk, 600);
  const bad = image("0.5.0");
  desk.answers = { health: false };
  desk.update(bad, offerOf(bad, "0.5.0"));
  desk.push(offerOf(bad, "0.5.0"));
  assert.match(answer(desk) ?? "", /not tried again/);
  desk.answers = {};
  desk.dispatch({ type: "forget" });
  for (const key of [RECORDS.budgets.key, "refused"]) assert.equal(desk.board.ports.store.getBytes(key), undefined);
  assert.equal(desk.board.ports.store.getNumber(RECORDS.awakeSeconds.key), undefined);
  desk.update(bad, offerOf(bad, "0.5.0"));
  assert.equal(answer(desk), "done");
});

test("a device without failures and repeats stores the confirm and no time", () => {
  const desk = new JobDesk();
  desk.update(next, offer);
  assert.equal(answer(desk), "done");
  let writes = 0;
  desk.board.chip.onOperation = () => void writes++;
  pass(desk, DAY);
  assert.equal(writes, 0);
});

/* ---- the record ---- */

test("a record that is damaged in any bit counts as empty", () => {
  const budgets = started(NEVER);
  const { budgets: bytes, awakeSeconds } = storedBy(budgets.trialEnded(of("0.2.0"), "the power was cut", 1, 0));
  assert.ok(
    started({ budgets: bytes, awakeSeconds }).refusalOf(of("0.2.0"), "0.1.0", 0) !== undefined,
    "whole, it counts",
  );
  for (let bit = 0; bit < bytes!.length * 8; bit++) {
    const damaged = bytes!.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(
      started({ budgets: damaged, awakeSeconds }).refusalOf(of("0.2.0"), "0.1.0", 0),
      undefined,
      `bit ${bit}`,
    );
  }
  for (let length = 0; length < bytes!.length; length++) started({ budgets: bytes!.subarray(0, length), awakeSeconds });
});

test("a time that was lost makes no wait longer than it is", () => {
  let from = NEVER;
  for (const [index, now] of [1000, 5_000_000].entries()) {
    const budgets = started(from);
    from = { ...from, ...storedBy(budgets.trialEnded(of("0.2.0"), "the power was cut", index + 1, now)) };
  }
  const lost = started({ budgets: from.budgets });
  assert.match(lost.refusalOf(of("0.2.0"), "0.1.0", 0) ?? "", /the next trial in 15 min$/);
  assert.equal(lost.refusalOf(of("0.2.0"), "0.1.0", TRIAL_WAITS[1]! * 1000), undefined);
});

test("the record stays small whatever is pushed: the oldest images go first", () => {
  let from = NEVER;
  let longest = 0;
  for (let index = 0; index < 100; index++) {
    const budgets = started(from);
    const { awakeSeconds } = storedBy(budgets.confirmed(of(`1.${index}`), 1000));
    from = { ...storedBy(budgets.trialEnded(of(`2.${index}`), "the power was cut", index, 1000)), awakeSeconds };
    longest = Math.max(longest, from.budgets!.length);
  }
  assert.ok(longest <= 450, `${longest} bytes`);
  const budgets = started(from);
  assert.equal(budgets.refusalOf(of("2.91"), "0.1.0", 0), undefined);
  assert.match(budgets.refusalOf(of("2.92"), "0.1.0", 0) ?? "", /next trial/);
});
