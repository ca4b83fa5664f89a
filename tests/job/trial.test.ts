/** New firmware on trial: confirmed, rolled back, cut short. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_ATTEMPTS, TRIAL_WAITS } from "../../src/constants";
import { RECORDS } from "../../src/job/records";
import { JobDesk, image, offerOf } from "./job-desk";
import { next, offer, onTrial } from "./on-trial";

test("the health check decides after the cloud was reached: not before", () => {
  const desk = onTrial();
  desk.connect(false);
  assert.equal(desk.running.state, "pending");
  desk.ack("version");
  assert.equal(desk.running.state, "valid");
  assert.deepEqual(desk.outcomes, ["done"]);
});

test("an application that speaks up before the cloud was reached confirms nothing", () => {
  const desk = onTrial();
  desk.dispatch({ type: "health", ok: true, message: "" });
  assert.deepEqual([desk.state, desk.running.state], ["trial", "pending"]);
  desk.dispatch({ type: "health", ok: false, message: "too early to say" });
  assert.deepEqual([desk.state, desk.running.state], ["trial", "pending"]);
});

test("the application is asked once, however often the cloud is reached while it looks after itself", () => {
  const desk = onTrial({ answers: { health: "silent" } });
  desk.connect(false);
  const asked = (): number =>
    desk.job.handle({ type: "acked", token: "version" }, desk.now).filter((effect) => effect.type === "ask").length;
  assert.equal(asked(), 1);
  desk.disconnect();
  desk.connect(false);
  assert.equal(asked(), 0);
});

test("cloud unreachable: rolled back, the old firmware says why, and an explicit new push gets one new trial without a download", () => {
  const desk = onTrial();
  desk.wait();
  assert.equal(desk.running.version, "0.1.0");
  desk.connect();
  assert.match(desk.outcomes.at(-1) ?? "", /^rolled-back: cloud not reached within 120 s/);
  desk.ack("outcome");
  assert.ok(desk.notices.some((notice) => notice.event === "rollback" && notice.version === "0.2.0"));
  const downloads = desk.downloads.length;
  desk.now += TRIAL_WAITS[0]! * 1000;
  desk.push(offer);
  assert.equal(desk.downloads.length, downloads, "everything is in flash already");
  desk.ack("burning");
  desk.connect();
  assert.equal(desk.outcomes.at(-1), "done");
  assert.equal(desk.running.version, "0.2.0");
});

test("a failed health check rolls back and the image is not tried again", () => {
  const desk = onTrial({ answers: { health: false } });
  desk.connect();
  assert.equal(desk.running.version, "0.1.0");
  desk.connect();
  assert.match(desk.outcomes.at(-1) ?? "", /^rolled-back: health check failed: sensor missing/);
  desk.ack("outcome");
  desk.push(offer);
  assert.match(desk.outcomes.at(-1) ?? "", /^rejected: this image was rolled back before/);
});

test("a health check that never answers counts as failed", () => {
  const desk = onTrial({ answers: { health: "silent" } });
  desk.connect();
  assert.equal(desk.state, "trial");
  desk.wait();
  assert.equal(desk.running.version, "0.1.0");
  desk.connect();
  assert.match(desk.outcomes.at(-1) ?? "", /health check did not answer/);
});

test("firmware that throws or hangs is rolled back by the bootloader, reported once, and not tried again", () => {
  for (const reason of ["software", "watchdog", "panic"] as const) {
    const desk = onTrial();
    desk.powerOn(reason);
    assert.equal(desk.running.version, "0.1.0");
    desk.connect();
    assert.match(desk.outcomes.at(-1) ?? "", /^rolled-back: firmware 0\.2\.0 failed in its trial/);
    desk.ack("outcome");
    desk.push(offer);
    assert.match(desk.outcomes.at(-1) ?? "", /not tried again/);
  }
});

test("a power cut in the trial: the old firmware tries the image again without a download and without a report", () => {
  const desk = onTrial();
  const reports = desk.outcomes.length;
  desk.powerOn("power-on");
  assert.deepEqual(desk.running, { version: "0.2.0", slot: "ota_1", state: "pending" });
  assert.equal(desk.outcomes.length, reports);
  assert.equal(desk.downloads.length, 1);
  desk.connect();
  assert.deepEqual(desk.outcomes, ["done"]);
});

test("a slot whose head was changed while the power was off gets no second trial", () => {
  const desk = onTrial();
  desk.board.chip.program(desk.board.table.slots[1].address, new Uint8Array(16));
  desk.powerOn();
  assert.deepEqual(
    [desk.state, desk.downloads.at(-1)?.offset],
    ["downloading", 0],
    "what is there is not started, all of it comes again",
  );
  assert.equal(desk.running.version, "0.1.0");
});

test("another trial needs no checkpoint: what is in flash counts", () => {
  const desk = onTrial();
  desk.board.ports.store.delete(RECORDS.firmwareHeader.key);
  desk.powerOn();
  assert.deepEqual(desk.running, { version: "0.2.0", slot: "ota_1", state: "pending" });
  desk.connect();
  assert.deepEqual(desk.outcomes, ["done"]);
});

test("power cuts in every trial: after maxAttempts the job fails, and the image is not blamed", () => {
  const desk = onTrial();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) desk.powerOn("brown-out");
  assert.equal(desk.running.version, "0.1.0");
  desk.connect();
  assert.match(desk.outcomes.at(-1) ?? "", /trial cut short by power loss 2 times/);
  desk.ack("outcome");
  desk.now += TRIAL_WAITS[1]! * 1000;
  desk.push(offer);
  desk.ack("burning");
  desk.connect();
  assert.equal(desk.outcomes.at(-1), "done");
});

test("while the running firmware is unconfirmed no update starts; the latest offer is kept", () => {
  const desk = onTrial();
  const third = image("0.3.0");
  desk.push(offerOf(third, "0.3.0"));
  assert.equal(desk.state, "trial");
  desk.connect();
  assert.equal(desk.state, "reporting");
  desk.ack("outcome");
  assert.equal(desk.state, "downloading");
  desk.deliver(third);
  desk.ack("burning");
  desk.connect();
  assert.equal(desk.running.version, "0.3.0");
});

test("a stale offer does not push out a good one that waits", () => {
  const desk = onTrial();
  const third = image("0.3.0");
  const stale = image("0.1.0");
  desk.push(offerOf(third, "0.3.0"));
  desk.push(offerOf(stale, "0.1.0"));
  assert.match(desk.outcomes.at(-1) ?? "", /^rejected: version 0\.1\.0 is older/);
  desk.connect();
  desk.ack("outcome");
  assert.deepEqual([desk.state, desk.job.task?.version], ["downloading", "0.3.0"]);
});

test("a cut after the confirm and before the record: the trial is repeated and ends well", () => {
  const desk = onTrial();
  desk.board.ports.boot.confirm();
  desk.powerOn();
  assert.equal(desk.state, "trial");
  desk.connect();
  assert.deepEqual(desk.outcomes, ["done"]);
});

test("firmware on trial without a job that knows of it proves itself before it takes an update", () => {
  const desk = onTrial();
  desk.board.ports.store.delete("state");
  const chip = desk.board.chip;
  // Set on trial once more, as if this were its first start.
  const entry = new Uint8Array(32);
  chip.read(desk.board.table.otadata.address + 4096, entry);
  entry[24] = 0;
  chip.erase(desk.board.table.otadata.address + 4096);
  chip.program(desk.board.table.otadata.address + 4096, entry);
  desk.powerOn();
  assert.equal(desk.running.state, "pending");
  assert.equal(desk.state, "trial");
  desk.push(offerOf(image("0.3.0"), "0.3.0"));
  assert.equal(desk.state, "trial");
  desk.connect();
  assert.equal(desk.running.state, "valid");
  assert.equal(desk.state, "downloading");
});

test("burning that is never acknowledged holds the switch up for its time only", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  desk.deliver(next);
  assert.equal(desk.state, "burning");
  desk.wait();
  assert.equal(desk.running.version, "0.2.0");
});
