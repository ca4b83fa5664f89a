/**
 * The switch and the way back: when the chip restarts, what comes in between, and what if boot choice or store fail.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PENDING_STORE_AFTER } from "../../src/constants";
import type { JobEvent } from "../../src/job/effects";
import { JobFixture, image, offerOf } from "./job-fixture";
import { next, offer, onTrial } from "./on-trial";

test("a chip that takes its time to restart does nothing more in between", () => {
  const late: JobEvent[] = [
    { type: "link", up: true },
    { type: "acked", token: "version" },
    { type: "offer", offer: offerOf(image("0.3.0"), "0.3.0") },
    { type: "restart" },
    { type: "health", ok: true, message: "" },
    { type: "tick" },
  ];
  const switching = new JobFixture();
  switching.connect();
  switching.push(offer);
  switching.deliver(next);
  const rollingBack = onTrial({ answers: { health: false } });
  rollingBack.push(offerOf(image("0.4.0"), "0.4.0"));
  for (const [fixture, leave] of [
    [switching, () => switching.ack("burning")],
    [rollingBack, () => rollingBack.connect()],
  ] as const) {
    const { boot } = fixture.board.ports;
    boot.restart = () => {};
    boot.rollback = () => {};
    leave();
    assert.equal(fixture.state, "leaving");
    for (const event of late) assert.deepEqual(fixture.job.handle(event, fixture.now + 1e9), []);
  }
});

test("a store that takes nothing any more does not keep firmware that failed its health check: the old one runs and says so", () => {
  for (const call of ["setBytes", "setNumber", "delete"] as const) {
    const fixture = onTrial({ answers: { health: false } });
    fixture.board.ports.store[call] = () => {
      throw new Error("no space");
    };
    fixture.connect();
    assert.deepEqual([fixture.running.version, fixture.state], ["0.1.0", "reporting"], call);
    assert.match(fixture.outcomes.at(-1) ?? "", /^rolled-back: /);
    assert.equal(fixture.outcomes.length, 1);
  }
});

test("a rollback that a power cut undid is made again, and the old firmware reports", () => {
  const fixture = onTrial();
  // What a boot entry that was torn in the middle of the rollback can look like: the slot boots, and not on trial.
  const { boot } = fixture.board.ports;
  boot.confirm();
  boot.rollback = () => {};
  boot.restart = () => {};
  fixture.wait();
  fixture.powerOn();
  assert.deepEqual(
    { version: fixture.running.version, slot: fixture.running.slot },
    { version: "0.1.0", slot: "ota_0" },
  );
  assert.deepEqual([fixture.state, fixture.outcomes], ["deciding", []]);
  fixture.connect();
  assert.equal(fixture.outcomes.length, 1, "the old firmware alone says so");
  assert.match(fixture.outcomes[0] ?? "", /^rolled-back: trial: cloud not reached/);
  const told = fixture.notices.map((notice) => (notice.event === "state" ? notice.state : notice.event));
  assert.deepEqual(told.slice(-3), ["rollback", "deciding", "fail"], "and tells the application first what happened");
});

test("firmware that was given up and has nothing to go back to says so itself", () => {
  const fixture = onTrial();
  const { boot } = fixture.board.ports;
  boot.confirm();
  boot.rollback = () => {};
  boot.restart = () => {};
  fixture.wait();
  // The other slot holds nothing that boots.
  fixture.board.chip.erase(fixture.board.table.slots[0].address);
  fixture.powerOn();
  assert.deepEqual([fixture.running.version, fixture.state], ["0.2.0", "reporting"]);
  assert.match(fixture.outcomes.at(-1) ?? "", /^rolled-back: trial: cloud not reached/);
  fixture.powerOn("software");
  assert.deepEqual([fixture.running.version, fixture.state], ["0.2.0", "reporting"]);
  assert.ok(!fixture.notices.some(({ event }) => event === "rollback"));
});

test("a boot choice that can not be changed fails the job and leaves the slot without a head; a rollback that fails still ends in a restart", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.board.ports.boot.activate = () => {
    throw new Error("otadata is worn out");
  };
  fixture.ack("burning");
  assert.deepEqual(
    [fixture.outcomes, fixture.state, fixture.running.version],
    [["rejected: otadata is worn out"], "reporting", "0.1.0"],
  );
  const head = new Uint8Array(16);
  fixture.board.chip.read(fixture.board.table.slots[1].address, head);
  assert.ok(head.every((byte) => byte === 0xff));

  const full = new JobFixture();
  full.connect();
  full.push(offer);
  full.deliver(next);
  full.board.ports.store.setNumber = () => {
    throw new Error("no space");
  };
  full.ack("burning");
  assert.deepEqual(
    [full.outcomes, full.running.version],
    [["flash: store: no space"], "0.1.0"],
    "what can not be noted down is not begun",
  );

  const bad = onTrial({ answers: { health: false } });
  bad.board.ports.boot.rollback = () => {
    throw new Error("no other slot");
  };
  bad.connect();
  assert.equal(bad.running.version, "0.1.0", "the bootloader takes firmware back that restarts in its trial");
  assert.match(bad.outcomes.at(-1) ?? "", /^rolled-back: trial: health check failed/);
});

test("an offer that has waited as long as the trial lasts is kept before the trial ends", () => {
  const fixture = onTrial({ rules: { renewable: false, versionWhileBusy: false }, platform: "thingspanel" });
  const third = offerOf(image("0.3.0"), "0.3.0");
  fixture.push(third);
  fixture.now += 10 * 60_000;
  assert.ok(fixture.now > PENDING_STORE_AFTER);
  fixture.dispatch({ type: "tick" });
  assert.equal(fixture.running.version, "0.1.0");
  fixture.ack("outcome");
  assert.deepEqual([fixture.state, fixture.job.task], ["downloading", third]);
});

test("an offer that waits does not come between a trial that is repeated and its restart", () => {
  // Without a digest nothing is read first: the boot choice changes at once.
  const options = { rules: { renewable: false }, platform: "thingspanel", policy: { allowNoDigest: true } };
  const fixture = new JobFixture(options);
  const { digest: _digest, ...undigested } = offer;
  fixture.connect();
  fixture.push(undigested);
  fixture.deliver(next);
  fixture.ack("burning");
  assert.equal(fixture.state, "trial");
  fixture.push(offerOf(image("0.3.0"), "0.3.0"));
  fixture.now += PENDING_STORE_AFTER;
  fixture.dispatch({ type: "tick" });
  // The chip takes its time to restart.
  const { board } = fixture;
  const start = board.powerOn.bind(board);
  board.powerOn = (reason) => {
    const started = start(reason);
    board.ports.boot.restart = () => {};
    return started;
  };
  fixture.powerOn();
  assert.equal(fixture.state, "leaving");
  board.powerOn = start;
  fixture.powerOn("software");
  assert.deepEqual([fixture.running.version, fixture.state, fixture.outcomes], ["0.2.0", "trial", []]);
  fixture.connect();
  assert.deepEqual(fixture.outcomes, ["done"]);
  fixture.ack("outcome");
  assert.equal(fixture.job.task?.version, "0.3.0");
});

test("the application chooses the moment of the restart", () => {
  const fixture = new JobFixture({ answers: { restart: false } });
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.ack("burning");
  assert.equal(fixture.state, "restart");
  assert.equal(fixture.running.version, "0.1.0");
  assert.deepEqual(fixture.job.handle({ type: "acked", token: "burning" }, fixture.now), [], "asked once");
  fixture.dispatch({ type: "restart" });
  assert.equal(fixture.running.version, "0.2.0");
});

test("an application that asks for the restart before it is asked restarts nothing", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.dispatch({ type: "restart" });
  fixture.push(offer);
  fixture.deliver(next, next.length - 1);
  fixture.dispatch({ type: "restart" });
  fixture.dispatch({ type: "finished" });
  fixture.dispatch({ type: "restart" });
  assert.deepEqual([fixture.running.version, fixture.state], ["0.1.0", "burning"]);
});
