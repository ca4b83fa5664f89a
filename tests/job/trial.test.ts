/** New firmware on trial: confirmed, rolled back, cut short. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_ATTEMPTS, TRIAL_WAITS } from "../../src/constants";
import { RECORDS } from "../../src/job/records";
import { JobFixture, image, offerOf } from "./job-fixture";
import { next, offer, onTrial } from "./on-trial";

test("the health check decides after the cloud was reached: not before", () => {
  const fixture = onTrial();
  fixture.connect(false);
  assert.equal(fixture.running.state, "pending");
  fixture.ack("version");
  assert.equal(fixture.running.state, "valid");
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("an application that speaks up before the cloud was reached confirms nothing", () => {
  const fixture = onTrial();
  fixture.dispatch({ type: "health", ok: true, message: "" });
  assert.deepEqual([fixture.state, fixture.running.state], ["trial", "pending"]);
  fixture.dispatch({ type: "health", ok: false, message: "too early to say" });
  assert.deepEqual([fixture.state, fixture.running.state], ["trial", "pending"]);
});

test("the application is asked once, however often the cloud is reached while it looks after itself", () => {
  const fixture = onTrial({ answers: { health: "silent" } });
  fixture.connect(false);
  const asked = (): number =>
    fixture.job.handle({ type: "acked", token: "version" }, fixture.now).filter((effect) => effect.type === "ask")
      .length;
  assert.equal(asked(), 1);
  fixture.disconnect();
  fixture.connect(false);
  assert.equal(asked(), 0);
});

test("cloud unreachable: rolled back, the old firmware says why, and an explicit new push gets one new trial without a download", () => {
  const fixture = onTrial();
  fixture.wait();
  assert.equal(fixture.running.version, "0.1.0");
  fixture.connect();
  assert.match(fixture.outcomes.at(-1) ?? "", /^rolled-back: trial: cloud not reached within 120 s/);
  fixture.ack("outcome");
  assert.ok(fixture.notices.some((notice) => notice.event === "rollback" && notice.version === "0.2.0"));
  const downloads = fixture.downloads.length;
  fixture.now += TRIAL_WAITS[0]! * 1000;
  fixture.push(offer);
  assert.equal(fixture.downloads.length, downloads, "everything is in flash already");
  fixture.ack("burning");
  fixture.connect();
  assert.equal(fixture.outcomes.at(-1), "done");
  assert.equal(fixture.running.version, "0.2.0");
});

test("a failed health check rolls back and the image is not tried again", () => {
  const fixture = onTrial({ answers: { health: false } });
  fixture.connect();
  assert.equal(fixture.running.version, "0.1.0");
  fixture.connect();
  assert.match(fixture.outcomes.at(-1) ?? "", /^rolled-back: trial: health check failed: sensor missing/);
  fixture.ack("outcome");
  fixture.push(offer);
  assert.match(fixture.outcomes.at(-1) ?? "", /^rejected: this image was rolled back before/);
});

test("a health check that never answers counts as failed", () => {
  const fixture = onTrial({ answers: { health: "silent" } });
  fixture.connect();
  assert.equal(fixture.state, "trial");
  fixture.wait();
  assert.equal(fixture.running.version, "0.1.0");
  fixture.connect();
  assert.match(fixture.outcomes.at(-1) ?? "", /health check did not answer/);
});

test("firmware that throws or hangs is rolled back by the bootloader, reported once, and not tried again", () => {
  for (const reason of ["software", "watchdog", "panic"] as const) {
    const fixture = onTrial();
    fixture.powerOn(reason);
    assert.equal(fixture.running.version, "0.1.0");
    fixture.connect();
    assert.match(fixture.outcomes.at(-1) ?? "", /^rolled-back: firmware 0\.2\.0 failed in its trial/);
    fixture.ack("outcome");
    fixture.push(offer);
    assert.match(fixture.outcomes.at(-1) ?? "", /not tried again/);
  }
});

test("a power cut in the trial: the old firmware tries the image again without a download and without a report", () => {
  const fixture = onTrial();
  const reports = fixture.outcomes.length;
  fixture.powerOn("power-on");
  assert.deepEqual(fixture.running, { version: "0.2.0", slot: "ota_1", state: "pending" });
  assert.equal(fixture.outcomes.length, reports);
  assert.equal(fixture.downloads.length, 1);
  fixture.connect();
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("a slot whose head was changed while the power was off gets no second trial", () => {
  const fixture = onTrial();
  fixture.board.chip.program(fixture.board.table.slots[1].address, new Uint8Array(16));
  fixture.powerOn();
  assert.deepEqual(
    [fixture.state, fixture.downloads.at(-1)?.offset],
    ["downloading", 0],
    "what is there is not started, all of it comes again",
  );
  assert.equal(fixture.running.version, "0.1.0");
});

test("another trial needs no checkpoint: what is in flash counts", () => {
  const fixture = onTrial();
  fixture.board.ports.store.delete(RECORDS.firmwareHeader.key);
  fixture.powerOn();
  assert.deepEqual(fixture.running, { version: "0.2.0", slot: "ota_1", state: "pending" });
  fixture.connect();
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("power cuts in every trial: after maxAttempts the job fails, and the image is not blamed", () => {
  const fixture = onTrial();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) fixture.powerOn("brown-out");
  assert.equal(fixture.running.version, "0.1.0");
  fixture.connect();
  assert.match(fixture.outcomes.at(-1) ?? "", /trial cut short by power loss 2 times/);
  fixture.ack("outcome");
  fixture.now += TRIAL_WAITS[1]! * 1000;
  fixture.push(offer);
  fixture.ack("burning");
  fixture.connect();
  assert.equal(fixture.outcomes.at(-1), "done");
});

test("while the running firmware is unconfirmed no update starts; the latest offer is kept", () => {
  const fixture = onTrial();
  const third = image("0.3.0");
  fixture.push(offerOf(third, "0.3.0"));
  assert.equal(fixture.state, "trial");
  fixture.connect();
  assert.equal(fixture.state, "reporting");
  fixture.ack("outcome");
  assert.equal(fixture.state, "downloading");
  fixture.deliver(third);
  fixture.ack("burning");
  fixture.connect();
  assert.equal(fixture.running.version, "0.3.0");
});

test("a stale offer does not push out a good one that waits", () => {
  const fixture = onTrial();
  const third = image("0.3.0");
  const stale = image("0.1.0");
  fixture.push(offerOf(third, "0.3.0"));
  fixture.push(offerOf(stale, "0.1.0"));
  assert.match(fixture.outcomes.at(-1) ?? "", /^rejected: version 0\.1\.0 is older/);
  fixture.connect();
  fixture.ack("outcome");
  assert.deepEqual([fixture.state, fixture.job.task?.version], ["downloading", "0.3.0"]);
});

test("a cut after the confirm and before the record: the trial is repeated and ends well", () => {
  const fixture = onTrial();
  fixture.board.ports.boot.confirm();
  fixture.powerOn();
  assert.equal(fixture.state, "trial");
  fixture.connect();
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("firmware on trial without a job that knows of it proves itself before it takes an update", () => {
  const fixture = onTrial();
  fixture.board.ports.store.delete("state");
  const chip = fixture.board.chip;
  // Set on trial once more, as if this were its first start.
  const entry = new Uint8Array(32);
  chip.read(fixture.board.table.otadata.address + 4096, entry);
  entry[24] = 0;
  chip.erase(fixture.board.table.otadata.address + 4096);
  chip.program(fixture.board.table.otadata.address + 4096, entry);
  fixture.powerOn();
  assert.equal(fixture.running.state, "pending");
  assert.equal(fixture.state, "trial");
  fixture.push(offerOf(image("0.3.0"), "0.3.0"));
  assert.equal(fixture.state, "trial");
  fixture.connect();
  assert.equal(fixture.running.state, "valid");
  assert.equal(fixture.state, "downloading");
});

test("burning that is never acknowledged holds the switch up for its time and the wait for the link only", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  assert.equal(fixture.state, "burning");
  fixture.wait();
  assert.equal(fixture.state, "awaiting-link");
  fixture.wait();
  assert.equal(fixture.running.version, "0.2.0");
});
