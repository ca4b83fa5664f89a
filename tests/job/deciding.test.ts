/** After a trial that did not reach the cloud, the old firmware's own connection decides whose fault that was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DECIDE_WITHIN, TRIALS_MAX, TRIAL_WAITS } from "../../src/constants";
import { JobFixture } from "./job-fixture";
import type { FixtureOptions } from "./job-fixture";
import { next, offer } from "./life-fixture";

/** The new firmware was on trial, did not reach the cloud, and the old one runs again. */
function rolledBack(options: FixtureOptions = {}): JobFixture {
  const fixture = new JobFixture(options);
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.ack("burning");
  assert.equal(fixture.state, "trial");
  fixture.wait();
  return fixture;
}

/** Time passes until the state is left or `end` comes. */
function pass(fixture: JobFixture, milliseconds: number): void {
  for (const end = fixture.now + milliseconds; fixture.now < end;) {
    fixture.now = Math.min(end, Math.max(fixture.now, fixture.job.deadline() ?? end));
    fixture.dispatch({ type: "tick" });
  }
}

test("nothing is told to the cloud before the decision", () => {
  const fixture = rolledBack();
  assert.deepEqual([fixture.state, fixture.running.version, fixture.outcomes], ["deciding", "0.1.0", []]);
});

test("the old firmware reaches the cloud in time: the image is to blame", () => {
  const fixture = rolledBack();
  pass(fixture, DECIDE_WITHIN - 1);
  const before = fixture.reports.length;
  fixture.connect();
  assert.deepEqual(fixture.outcomes, [
    "rolled-back: trial: cloud not reached within 120 s; 0.1.0 reached it after the rollback",
  ]);
  const kinds = fixture.reports.slice(before).map(({ report }) => report.kind);
  assert.deepEqual(kinds, ["burning", "outcome"], "no version before a fail that waits");
  fixture.ack("outcome");
  assert.equal(fixture.state, "idle");
});

test("a connection without its proof decides nothing", () => {
  const fixture = rolledBack();
  fixture.connect(false);
  assert.deepEqual([fixture.state, fixture.outcomes], ["deciding", []]);
  pass(fixture, DECIDE_WITHIN);
  assert.deepEqual([fixture.state, fixture.outcomes], ["deciding", []]);
});

test("without a version report the connection is the proof", () => {
  const fixture = rolledBack({ rules: { versionReport: false } });
  fixture.connect();
  assert.match(fixture.outcomes[0] ?? "", /reached it after the rollback$/);
});

test("nobody reaches the cloud: the image is activated again when it is there, without a download", () => {
  const fixture = rolledBack();
  pass(fixture, 30 * 60_000);
  assert.deepEqual([fixture.state, fixture.outcomes], ["deciding", []]);
  fixture.connect();
  fixture.ack("burning");
  assert.deepEqual([fixture.state, fixture.running.version], ["trial", "0.2.0"]);
  fixture.connect();
  assert.deepEqual([fixture.outcomes, fixture.downloads.length], [["done"], 1]);
});

test("the next trial keeps its distance to the one before, also where the cloud is back sooner", () => {
  const fixture = rolledBack();
  const ended = fixture.now;
  pass(fixture, DECIDE_WITHIN);
  fixture.connect();
  assert.equal(fixture.state, "deciding");
  while (fixture.state === "deciding") fixture.wait();
  assert.ok(fixture.now - ended >= TRIAL_WAITS[0]! * 1000, `${fixture.now - ended} ms`);
  fixture.ack("burning");
  assert.equal(fixture.running.version, "0.2.0");
});

test("a link that is gone again when the distance is kept is waited for", () => {
  const fixture = rolledBack();
  pass(fixture, DECIDE_WITHIN);
  fixture.connect();
  fixture.disconnect();
  pass(fixture, 60 * 60_000);
  assert.equal(fixture.state, "deciding");
  fixture.connect();
  assert.equal(fixture.state, "burning");
});

test("an image that never reaches the cloud ends in a fail after its trials, however often nobody reached it", () => {
  const fixture = rolledBack();
  let trials = 1;
  for (; fixture.state === "deciding"; trials++) {
    pass(fixture, 20 * 60_000);
    fixture.connect();
    fixture.ack("burning");
    if (fixture.running.version === "0.2.0") fixture.wait();
  }
  assert.equal(trials, TRIALS_MAX);
  fixture.connect();
  assert.match(fixture.outcomes[0] ?? "", /^rolled-back: trial: cloud not reached/);
  fixture.ack("outcome");
  fixture.push(offer);
  assert.match(fixture.outcomes.at(-1) ?? "", /tried 3 times and never confirmed: the cloud was not reached/);
});

test("a power cut before the decision changes nothing about it, and one after it nothing about what was decided", () => {
  const early = rolledBack();
  for (let cut = 0; cut < 3; cut++) early.powerOn();
  early.connect();
  assert.match(early.outcomes[0] ?? "", /reached it after the rollback$/);
  for (let cut = 0; cut < 3; cut++) early.powerOn();
  early.connect();
  assert.equal(new Set(early.outcomes).size, 1, "one outcome");

  const late = rolledBack();
  pass(late, DECIDE_WITHIN);
  for (let cut = 0; cut < 3; cut++) late.powerOn();
  late.connect();
  assert.deepEqual([late.state, late.outcomes], ["deciding", []], "it is known that nobody reached the cloud");
  pass(late, TRIAL_WAITS[0]! * 1000);
  late.ack("burning");
  late.connect();
  assert.deepEqual([late.outcomes, late.downloads.length], [["done"], 1]);
});

test("a failed health check is the image's own fault and is not decided again, with a digest or without", () => {
  for (const digest of [offer.digest, undefined]) {
    const fixture = new JobFixture({ answers: { health: false }, policy: { allowNoDigest: true } });
    const { digest: _, ...bare } = offer;
    fixture.connect();
    fixture.push(digest === undefined ? bare : offer);
    fixture.deliver(next);
    fixture.ack("burning");
    fixture.connect();
    assert.deepEqual([fixture.state, fixture.running.version], ["reporting", "0.1.0"]);
    assert.match(fixture.outcomes[0] ?? "", /health check failed/);
  }
});

test("a newer image supersedes one that waits for the cloud", () => {
  const fixture = rolledBack();
  pass(fixture, DECIDE_WITHIN);
  fixture.push({ ...offer, version: "0.3.0", digest: { algorithm: "MD5", hex: "3".repeat(32) } });
  assert.deepEqual([fixture.state, fixture.job.task?.version, fixture.outcomes], ["downloading", "0.3.0", []]);
});
