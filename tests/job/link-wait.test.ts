/** The proven image waits for a cloud that can be reached before the switch. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BURNING_ACK, LINK_WAIT } from "../../src/constants";
import { DEFAULT_POLICY } from "../../src/job/policy";
import { reconnectWithin } from "../../src/job/urgency";
import { JobFixture } from "./job-fixture";
import type { FixtureOptions } from "./job-fixture";
import { next, offer } from "./life-fixture";

/** The image is proven. `link`: there is a connection. */
function proven(link: boolean, options: FixtureOptions = {}): JobFixture {
  const fixture = new JobFixture(options);
  fixture.connect();
  fixture.push(offer);
  if (!link) fixture.disconnect();
  fixture.deliver(next);
  return fixture;
}

const waits = (fixture: JobFixture): number =>
  fixture.notices.filter((notice) => notice.event === "state" && notice.state === "awaiting-link").length;

test("with a link that is up the switch comes at once, without a wait that anybody sees", () => {
  const fixture = proven(true);
  assert.equal(fixture.state, "burning");
  const { now } = fixture;
  fixture.ack("burning");
  assert.deepEqual([fixture.running.version, fixture.now - now, waits(fixture)], ["0.2.0", 0, 0]);
});

test("without a link the image waits, and is activated when burning is acknowledged", () => {
  const fixture = proven(false);
  assert.deepEqual([fixture.state, waits(fixture)], ["awaiting-link", 1]);
  fixture.connect();
  assert.equal(fixture.state, "awaiting-link", "CONNACK and SUBACK are no proof on this platform");
  fixture.ack("burning");
  assert.equal(fixture.running.version, "0.2.0");
});

test("a platform without a version report needs the link alone", () => {
  const fixture = proven(false, { rules: { versionReport: false } });
  fixture.connect();
  assert.equal(fixture.running.version, "0.2.0");
});

test("a connection that is dead and not known to be is no link", () => {
  const fixture = proven(true);
  fixture.now += BURNING_ACK;
  fixture.dispatch({ type: "tick" });
  assert.deepEqual([fixture.state, fixture.running.version], ["awaiting-link", "0.1.0"]);
});

test("after its time the image is activated all the same: an update may cure the link", () => {
  const fixture = proven(false);
  const begun = fixture.now;
  fixture.wait();
  assert.deepEqual([fixture.now - begun, fixture.running.version], [LINK_WAIT, "0.2.0"]);
});

test("a link that is lost while the application delays the restart is waited for, and the application is not asked again", () => {
  const fixture = proven(true, { answers: { restart: false } });
  fixture.ack("burning");
  fixture.disconnect();
  fixture.dispatch({ type: "restart" });
  assert.equal(fixture.state, "awaiting-link");
  fixture.connect();
  fixture.ack("burning");
  assert.equal(fixture.running.version, "0.2.0");
});

test("the application decides about the restart after the wait as well, and no further link is needed", () => {
  const fixture = proven(false, { answers: { restart: false } });
  fixture.wait();
  assert.equal(fixture.state, "restart");
  fixture.disconnect();
  fixture.dispatch({ type: "restart" });
  assert.equal(fixture.running.version, "0.2.0");
});

test("a power cut in the wait loses nothing: the image is proven again and waits", () => {
  const fixture = proven(false);
  for (let cut = 0; cut < 3; cut++) fixture.powerOn();
  assert.deepEqual([fixture.state, fixture.running.version, fixture.downloads.length], ["awaiting-link", "0.1.0", 1]);
  fixture.connect();
  fixture.ack("burning");
  fixture.connect();
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("a newer image supersedes one that waits", () => {
  const fixture = proven(false);
  fixture.push({ ...offer, version: "0.3.0", digest: { algorithm: "MD5", hex: "3".repeat(32) } });
  assert.deepEqual([fixture.state, fixture.job.task?.version], ["downloading", "0.3.0"]);
});

test("reconnects come soon in a trial and while an update is in hand", () => {
  const fixture = new JobFixture();
  fixture.connect();
  assert.equal(fixture.job.reconnectWithin, 60_000);
  fixture.push(offer);
  assert.ok(fixture.job.reconnectWithin <= 5_000);
  fixture.deliver(next);
  fixture.ack("burning");
  assert.deepEqual([fixture.state, fixture.job.reconnectWithin], ["trial", 12_000]);
  const trial = { name: "trial-without-job", until: 0, asked: false } as const;
  assert.equal(reconnectWithin(trial, { ...DEFAULT_POLICY, trialSeconds: 30 }), 3_000);
});

test("on a new connection the percentage is reported again", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 8_192);
  fixture.disconnect();
  const before = fixture.reports.length;
  fixture.connect();
  const kinds = fixture.reports.slice(before).map(({ report }) => report.kind);
  assert.deepEqual(kinds, ["version", "progress"]);
});

test("a download that stalls while the broker is away too goes on; with the broker there it fails", () => {
  const fixture = new JobFixture();
  const stall = { type: "download-failed", cause: "download-timeout", message: "no new sector for 15 min" } as const;
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 8_192);
  fixture.disconnect();
  fixture.dispatch(stall);
  assert.deepEqual([fixture.state, fixture.downloads.at(-1)?.offset, fixture.outcomes], ["downloading", 8_192, []]);
  fixture.connect();
  fixture.dispatch(stall);
  assert.deepEqual(fixture.outcomes, ["download-timeout: no new sector for 15 min"]);
});
