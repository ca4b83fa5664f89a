/** The budget of repeated installs, and the record of all budgets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { REPEAT_BUDGET, REPEAT_REFILL, TRIAL_WAITS } from "../../src/constants";
import { RECORDS } from "../../src/job/records";
import { JobFixture, image, offerOf } from "./job-fixture";
import type { FixtureOptions } from "./job-fixture";

import { MINUTE, DAY, next, offer, NEVER, storedBy, of, started, answer, pass } from "./budget-fixture";

function backAndForth(fixture: JobFixture, rounds: number): number {
  const files = ["0.2.0", "0.3.0"].map((version) => ({ version, file: image(version) }));
  let installs = 0;
  for (let round = 0; round < rounds; round++) {
    const { version, file } = files[round % 2]!;
    const before = fixture.running.version;
    fixture.connect();
    fixture.push(offerOf(file, version));
    fixture.deliver(file);
    fixture.ack("burning");
    fixture.connect();
    fixture.ack("outcome");
    if (fixture.running.version !== before) installs++;
  }
  return installs;
}

test("a cloud with two open tasks installs two images by turns until the budget is used up", () => {
  const fixture = new JobFixture({ policy: { allowDowngrade: true } });
  // Both are new once; the rest are repeats.
  assert.equal(backAndForth(fixture, 600), 2 + REPEAT_BUDGET);
  const notice = fixture.notices.find((each) => each.event === "state" && each.state === "fail");
  assert.deepEqual(
    notice?.event === "state" && notice.state === "fail" && notice.message,
    "sent back and forth between 0.3.0 and 0.2.0; the next install in 15 min",
  );
  pass(fixture, REPEAT_REFILL * 1000);
  assert.equal(backAndForth(fixture, 10), 1, "time gives one back");
  pass(fixture, DAY);
  assert.equal(backAndForth(fixture, 600), REPEAT_BUDGET);
  const fourth = image("0.4.0");
  fixture.update(fourth, offerOf(fourth, "0.4.0"));
  assert.equal(fixture.running.version, "0.4.0", "a new image gets in");
});

test("the budget of installs is the policy's, and 0 means none", () => {
  const options: FixtureOptions = { policy: { allowDowngrade: true, repeatBudget: 0 } };
  assert.equal(backAndForth(new JobFixture(options), 10), 2);
});

test("power cuts do not fill the budget of installs", () => {
  const fixture = new JobFixture({ policy: { allowDowngrade: true } });
  backAndForth(fixture, 600);
  for (let cut = 0; cut < 20; cut++) {
    fixture.now += DAY;
    fixture.powerOn();
    fixture.connect();
    pass(fixture, MINUTE - 1);
  }
  assert.equal(backAndForth(fixture, 10), 0);
});

test("forget gives everything back", () => {
  const fixture = new JobFixture({ policy: { allowDowngrade: true } });
  backAndForth(fixture, 600);
  const bad = image("0.5.0");
  fixture.answers = { health: false };
  fixture.update(bad, offerOf(bad, "0.5.0"));
  fixture.push(offerOf(bad, "0.5.0"));
  assert.match(answer(fixture) ?? "", /not tried again/);
  fixture.answers = {};
  fixture.dispatch({ type: "forget" });
  for (const key of [RECORDS.budgets.key, "refused"]) assert.equal(fixture.board.ports.store.getBytes(key), undefined);
  assert.equal(fixture.board.ports.store.getNumber(RECORDS.awakeSeconds.key), undefined);
  fixture.update(bad, offerOf(bad, "0.5.0"));
  assert.equal(answer(fixture), "done");
});

test("a device without failures and repeats stores the confirm and no time", () => {
  const fixture = new JobFixture();
  fixture.update(next, offer);
  assert.equal(answer(fixture), "done");
  let writes = 0;
  fixture.board.chip.onOperation = () => void writes++;
  pass(fixture, DAY);
  assert.equal(writes, 0);
});

/* ---- the record ---- */

test("a record that is damaged in any bit counts as empty", () => {
  const budgets = started(NEVER);
  const { budgets: bytes, awakeSeconds } = storedBy(budgets.trialEnded(of("0.2.0"), "power", 1, 0));
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
    from = { ...from, ...storedBy(budgets.trialEnded(of("0.2.0"), "power", index + 1, now)) };
  }
  const lost = started({ budgets: from.budgets });
  assert.match(lost.refusalOf(of("0.2.0"), "0.1.0", 0) ?? "", /the next trial in 15 min$/);
  assert.equal(lost.refusalOf(of("0.2.0"), "0.1.0", TRIAL_WAITS[1]! * 1000), undefined);
});

test("an image that is confirmed once more is remembered longer than those that were confirmed before", () => {
  let from = NEVER;
  const confirm = (version: string): void => {
    from = { ...from, ...storedBy(started(from).confirmed(of(version), 0)) };
  };
  const refusal = (version: string): string | undefined => {
    const budgets = started(from);
    for (let installs = 0; installs < REPEAT_BUDGET; installs++) budgets.installs(of("0.2.0"), 0);
    return budgets.refusalOf(of(version), "0.1.0", 0);
  };
  for (const version of ["0.2.0", "0.3.0", "0.4.0", "0.2.0"]) confirm(version);
  for (let other = 0; other < 7; other++) confirm(`1.${other}`);
  assert.match(refusal("0.2.0") ?? "", /^sent back and forth/);
  assert.equal(refusal("0.4.0"), undefined, "of the others this one is forgotten");
});

test("the record stays small whatever is pushed: the oldest images go first", () => {
  let from = NEVER;
  let longest = 0;
  for (let index = 0; index < 100; index++) {
    const budgets = started(from);
    const { awakeSeconds } = storedBy(budgets.confirmed(of(`1.${index}`), 1000));
    from = { ...storedBy(budgets.trialEnded(of(`2.${index}`), "power", index, 1000)), awakeSeconds };
    longest = Math.max(longest, from.budgets!.length);
  }
  assert.ok(longest <= 450, `${longest} bytes`);
  const budgets = started(from);
  assert.equal(budgets.refusalOf(of("2.91"), "0.1.0", 0), undefined);
  assert.match(budgets.refusalOf(of("2.92"), "0.1.0", 0) ?? "", /next trial/);
});
