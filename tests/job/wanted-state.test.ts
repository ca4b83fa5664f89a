/** A cloud that shows the image that it wants at each contact: what is answered, what is not, and what a withdrawal ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { JobFixture, image, offerOf } from "./job-fixture";
import type { FixtureOptions } from "./job-fixture";

const file = image("0.2.0");
const offer = offerOf(file, "0.2.0");

const wanting = (options: FixtureOptions = {}): JobFixture => {
  const fixture = new JobFixture({
    ...options,
    rules: { versionReport: false, versionWhileBusy: false, renewable: true, wantedState: true },
  });
  fixture.connect();
  return fixture;
};

const warnings = (fixture: JobFixture): string[] =>
  fixture.notices.flatMap((notice) => (notice.event === "warning" ? [notice.message] : []));

test("an image that is refused for good is answered once, however often it is shown", () => {
  const fixture = wanting();
  const large = { ...offer, size: 64 << 20 };
  for (let count = 0; count < 5; count++) fixture.push(large);
  assert.equal(fixture.outcomes.length, 1);
  fixture.push(offer);
  assert.equal(fixture.state, "downloading", "another image is taken");
});

test("an image whose download was refused is not fetched again at each contact", () => {
  const other = image("0.3.0");
  const wrong = offerOf(other, "0.2.0");
  const fixture = wanting();
  fixture.push(wrong);
  fixture.deliver(other);
  assert.match(fixture.outcomes[0] ?? "", /^rejected: version in the image/);
  fixture.ack("outcome");
  for (let count = 0; count < 5; count++) fixture.push(wrong);
  assert.equal(fixture.downloads.length, 1);
  assert.equal(fixture.outcomes.length, 1);
});

test("a download that failed is tried again at the next contact", () => {
  const fixture = wanting();
  fixture.push(offer);
  fixture.dispatch({ type: "download-failed", cause: "download-timeout", message: "no new data" });
  fixture.ack("outcome");
  fixture.push(offer);
  assert.equal(fixture.state, "downloading");
});

test("an image on the denylist has its outcome already: people are told once, the cloud is not", () => {
  const fixture = wanting({ answers: { health: false } });
  fixture.push(offer);
  fixture.deliver(file);
  fixture.ack("burning");
  fixture.connect();
  assert.equal(fixture.running.version, "0.1.0");
  fixture.ack("outcome");
  const before = fixture.outcomes.length;
  for (let count = 0; count < 5; count++) fixture.push(offer);
  assert.equal(fixture.outcomes.length, before);
  assert.deepEqual(
    warnings(fixture).filter((text) => /was rolled back before/.test(text)),
    ["0.2.0: this image was rolled back before; it is not tried again"],
  );
});

test("who declines is asked again at the next contact, and the cloud hears nothing of it", () => {
  const fixture = wanting({ answers: { consent: false } });
  fixture.push(offer);
  fixture.answers = {};
  fixture.push(offer);
  assert.equal(fixture.state, "downloading");
  assert.deepEqual(fixture.outcomes, []);
});

test("withdrawn in mid-download: no outcome, and what is stored counts when the image is wanted again", () => {
  const fixture = wanting();
  fixture.push(offer);
  fixture.deliver(file, 8_192);
  fixture.dispatch({ type: "withdrawn" });
  assert.deepEqual([fixture.state, fixture.downloading, fixture.outcomes], ["idle", false, []]);
  assert.deepEqual(warnings(fixture), ["0.2.0 is not wanted any more"]);
  fixture.powerOn();
  assert.equal(fixture.state, "idle", "no job is left in the store");
  fixture.connect();
  fixture.push(offer);
  assert.equal(fixture.downloads.at(-1)?.offset, 8_192);
});

test("withdrawn just before the switch: the old firmware stays; past the switch the update is finished", () => {
  const fixture = wanting({ answers: { restart: false } });
  fixture.push(offer);
  fixture.deliver(file);
  assert.equal(fixture.state, "burning");
  fixture.dispatch({ type: "withdrawn" });
  fixture.powerOn();
  assert.equal(fixture.running.version, "0.1.0");
  fixture.answers = { health: "silent" };
  fixture.connect();
  fixture.push(offer);
  fixture.ack("burning");
  assert.equal(fixture.running.version, "0.2.0");
  fixture.connect();
  fixture.dispatch({ type: "withdrawn" });
  assert.equal(fixture.state, "trial");
  fixture.dispatch({ type: "health", ok: true, message: "" });
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("withdrawn while it waits for consent, or for a trial to end", () => {
  const asked = wanting({ answers: { consent: true } });
  asked.push(offer);
  asked.dispatch({ type: "withdrawn" });
  assert.equal(asked.state, "idle");
  asked.dispatch({ type: "consent", decision: "accept" });
  assert.equal(asked.state, "idle");
  const trial = wanting({ answers: { health: "silent" } });
  trial.push(offer);
  trial.deliver(file);
  trial.ack("burning");
  trial.connect();
  trial.push(offerOf(image("0.3.0"), "0.3.0"));
  trial.dispatch({ type: "withdrawn" });
  trial.dispatch({ type: "health", ok: true, message: "" });
  trial.ack("outcome");
  assert.equal(trial.state, "idle");
});

test("an expired URL: the cloud is asked what it wants", () => {
  const fixture = wanting();
  fixture.push(offer);
  fixture.dispatch({ type: "expired", message: "HTTP 403" });
  assert.deepEqual(fixture.reports.at(-1)?.report, { kind: "version", version: "0.1.0" });
  fixture.push({ ...offer, url: "http://files/fw.bin?sign=2" });
  assert.equal(fixture.state, "downloading");
});

test("an idle device does not ask by itself: the polls do", () => {
  const fixture = wanting();
  assert.equal(fixture.job.deadline(), undefined);
});
