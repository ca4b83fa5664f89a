/** The switch and the way back: when the chip restarts, what comes in between, and what if boot choice or store fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PENDING_STORE_AFTER } from "../../src/constants";
import type { JobEvent } from "../../src/job/effects";
import { JobDesk, image, offerOf } from "./job-desk";
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
  const switching = new JobDesk();
  switching.connect();
  switching.push(offer);
  switching.deliver(next);
  const rollingBack = onTrial({ answers: { health: false } });
  rollingBack.push(offerOf(image("0.4.0"), "0.4.0"));
  for (const [desk, leave] of [
    [switching, () => switching.ack("burning")],
    [rollingBack, () => rollingBack.connect()],
  ] as const) {
    const { boot } = desk.board.ports;
    boot.restart = () => {};
    boot.rollback = () => {};
    leave();
    assert.equal(desk.state, "leaving");
    for (const event of late) assert.deepEqual(desk.job.handle(event, desk.now + 1e9), []);
  }
});

test("a store that takes nothing any more does not keep firmware that failed its health check: the old one runs and says so", () => {
  for (const call of ["setBytes", "setNumber", "delete"] as const) {
    const desk = onTrial({ answers: { health: false } });
    desk.board.ports.store[call] = () => {
      throw new Error("no space");
    };
    desk.connect();
    assert.deepEqual([desk.running.version, desk.state], ["0.1.0", "reporting"], call);
    assert.match(desk.outcomes.at(-1) ?? "", /^rolled-back: /);
    assert.equal(desk.outcomes.length, 1);
  }
});

test("a rollback that a power cut undid is made again, and the old firmware reports", () => {
  const desk = onTrial();
  // What a boot entry that was torn in the middle of the rollback can look like: the slot boots, and not on trial.
  const { boot } = desk.board.ports;
  boot.confirm();
  boot.rollback = () => {};
  boot.restart = () => {};
  desk.wait();
  desk.powerOn();
  assert.deepEqual({ version: desk.running.version, slot: desk.running.slot }, { version: "0.1.0", slot: "ota_0" });
  assert.equal(desk.outcomes.length, 1, "the old firmware alone says so");
  assert.match(desk.outcomes[0] ?? "", /^rolled-back: cloud not reached/);
  const told = desk.notices.map((notice) => (notice.event === "state" ? notice.state : notice.event));
  assert.deepEqual(told.slice(-2), ["rollback", "fail"], "and tells the application first what happened");
});

test("firmware that was given up and has nothing to go back to says so itself", () => {
  const desk = onTrial();
  const { boot } = desk.board.ports;
  boot.confirm();
  boot.rollback = () => {};
  boot.restart = () => {};
  desk.wait();
  // The other slot holds nothing that boots.
  desk.board.chip.erase(desk.board.table.slots[0].address);
  desk.powerOn();
  assert.deepEqual([desk.running.version, desk.state], ["0.2.0", "reporting"]);
  assert.match(desk.outcomes.at(-1) ?? "", /^rolled-back: cloud not reached/);
  desk.powerOn("software");
  assert.deepEqual([desk.running.version, desk.state], ["0.2.0", "reporting"]);
  assert.ok(!desk.notices.some(({ event }) => event === "rollback"));
});

test("a boot choice that can not be changed fails the job and leaves the slot without a head; a rollback that fails still ends in a restart", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  desk.deliver(next);
  desk.board.ports.boot.activate = () => {
    throw new Error("otadata is worn out");
  };
  desk.ack("burning");
  assert.deepEqual(
    [desk.outcomes, desk.state, desk.running.version],
    [["rejected: otadata is worn out"], "reporting", "0.1.0"],
  );
  const head = new Uint8Array(16);
  desk.board.chip.read(desk.board.table.slots[1].address, head);
  assert.ok(head.every((byte) => byte === 0xff));

  const full = new JobDesk();
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
  assert.match(bad.outcomes.at(-1) ?? "", /^rolled-back: health check failed/);
});

test("an offer that has waited as long as the trial lasts is kept before the trial ends", () => {
  const desk = onTrial({ rules: { renewable: false, versionWhileBusy: false }, platform: "thingspanel" });
  const third = offerOf(image("0.3.0"), "0.3.0");
  desk.push(third);
  desk.now += 10 * 60_000;
  assert.ok(desk.now > PENDING_STORE_AFTER);
  desk.dispatch({ type: "tick" });
  assert.equal(desk.running.version, "0.1.0");
  desk.ack("outcome");
  assert.deepEqual([desk.state, desk.job.task], ["downloading", third]);
});

test("an offer that waits does not come between a trial that is repeated and its restart", () => {
  // Without a digest nothing is read first: the boot choice changes at once.
  const options = { rules: { renewable: false }, platform: "thingspanel", policy: { allowNoDigest: true } };
  const desk = new JobDesk(options);
  const { digest: _digest, ...undigested } = offer;
  desk.connect();
  desk.push(undigested);
  desk.deliver(next);
  desk.ack("burning");
  assert.equal(desk.state, "trial");
  desk.push(offerOf(image("0.3.0"), "0.3.0"));
  desk.now += PENDING_STORE_AFTER;
  desk.dispatch({ type: "tick" });
  // The chip takes its time to restart.
  const { board } = desk;
  const start = board.powerOn.bind(board);
  board.powerOn = (reason) => {
    const started = start(reason);
    board.ports.boot.restart = () => {};
    return started;
  };
  desk.powerOn();
  assert.equal(desk.state, "leaving");
  board.powerOn = start;
  desk.powerOn("software");
  assert.deepEqual([desk.running.version, desk.state, desk.outcomes], ["0.2.0", "trial", []]);
  desk.connect();
  assert.deepEqual(desk.outcomes, ["done"]);
  desk.ack("outcome");
  assert.equal(desk.job.task?.version, "0.3.0");
});

test("the application chooses the moment of the restart", () => {
  const desk = new JobDesk({ answers: { restart: false } });
  desk.connect();
  desk.push(offer);
  desk.deliver(next);
  desk.ack("burning");
  assert.equal(desk.state, "restart");
  assert.equal(desk.running.version, "0.1.0");
  assert.deepEqual(desk.job.handle({ type: "acked", token: "burning" }, desk.now), [], "asked once");
  desk.dispatch({ type: "restart" });
  assert.equal(desk.running.version, "0.2.0");
});

test("an application that asks for the restart before it is asked restarts nothing", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.dispatch({ type: "restart" });
  desk.push(offer);
  desk.deliver(next, next.length - 1);
  desk.dispatch({ type: "restart" });
  desk.dispatch({ type: "finished" });
  desk.dispatch({ type: "restart" });
  assert.deepEqual([desk.running.version, desk.state], ["0.1.0", "burning"]);
});
