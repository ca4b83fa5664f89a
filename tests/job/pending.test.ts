/**
 * A cloud that pushes once and can not be asked again: what waits, and what was not acknowledged, outlives the power.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PENDING_STORE_AFTER, SECTOR } from "../../src/constants";
import { RECORDS } from "../../src/job/records";
import type { Offer, Task } from "../../src/job/types";
import { JobFixture, image, offerOf } from "./job-fixture";
import type { FixtureOptions } from "./job-fixture";

const next = image("0.2.0");
const offer = offerOf(next, "0.2.0");
const old = offerOf(image("0.0.9"), "0.0.9", { module: "MCU" });
const ONCE = { renewable: false, versionWhileBusy: false, resumeDelay: 0 } as const;

const fixture = (options: FixtureOptions = {}): JobFixture =>
  new JobFixture({ rules: ONCE, platform: "thingspanel", ...options });
const bytesOf = (on: JobFixture, key: string): Uint8Array | undefined => on.board.ports.store.getBytes(key);
const kinds = (on: JobFixture, from = 0): string[] => on.reports.slice(from).map(({ report }) => report.kind);

/** Lets the time go by after which what is still owed is stored. */
function later(on: JobFixture): void {
  on.now += PENDING_STORE_AFTER;
  on.dispatch({ type: "tick" });
}

test("an offer that waits for the application is asked about again after a power cut", () => {
  const on = fixture({ answers: { consent: true } });
  on.connect();
  on.push(offer);
  assert.equal(
    bytesOf(on, RECORDS.pendingOffer.key),
    undefined,
    "not yet: an application that answers at once wears no flash",
  );
  assert.equal(on.job.deadline(), PENDING_STORE_AFTER);
  on.now += PENDING_STORE_AFTER - 1;
  on.dispatch({ type: "tick" });
  assert.equal(bytesOf(on, RECORDS.pendingOffer.key), undefined, "not before its time");
  later(on);
  assert.equal(on.job.deadline(), undefined, "stored once is enough");
  for (const start of [1, 2, 3]) {
    on.powerOn();
    assert.equal(on.state, "consent");
    assert.ok(bytesOf(on, RECORDS.pendingOffer.key), `in the store all the time, start ${start}`);
  }
  on.dispatch({ type: "consent", decision: "accept" });
  assert.equal(on.state, "downloading");
  assert.equal(bytesOf(on, RECORDS.pendingOffer.key), undefined);
  on.deliver(next);
  on.ack("burning");
  on.connect();
  assert.deepEqual(on.outcomes, ["done"]);
});

test("answered at once, nothing is stored", () => {
  const on = fixture();
  const keys: string[] = [];
  const { store } = on.board.ports;
  const setBytes = store.setBytes.bind(store);
  store.setBytes = (key, bytes) => void (keys.push(key), setBytes(key, bytes));
  on.connect();
  on.push(old);
  on.ack("refused");
  assert.equal(on.job.deadline(), undefined, "nothing is owed any more");
  on.push(offer);
  on.deliver(next, SECTOR);
  assert.equal(on.job.deadline(), undefined);
  later(on);
  assert.ok(!keys.includes(RECORDS.pendingOffer.key) && !keys.includes(RECORDS.pendingAnswer.key), keys.join());
});

test("an answer that was not acknowledged is given again after a power cut, before the version, and only until its PUBACK", () => {
  const on = fixture();
  on.connect();
  on.push(old);
  later(on);
  on.powerOn();
  const from = on.reports.length;
  on.connect();
  assert.deepEqual(kinds(on, from), ["outcome", "version"]);
  const { report, token } = on.reports[from]!;
  assert.equal(token, "refused");
  assert.deepEqual(report, {
    kind: "outcome",
    task: { version: "0.0.9", module: "MCU" } satisfies Task,
    outcome: {
      kind: "fail",
      cause: "rejected",
      message: "version 0.0.9 is older than the running 0.1.0 (allowDowngrade permits it)",
    },
  });
  on.ack("refused");
  assert.equal(bytesOf(on, RECORDS.pendingAnswer.key), undefined);
  for (const restart of [() => on.disconnect(), () => on.powerOn()]) {
    restart();
    const again = on.reports.length;
    on.connect();
    assert.deepEqual(kinds(on, again), ["version"]);
  }
});

test("an answer is written once while it waits, and deleted once", () => {
  const on = fixture();
  on.connect();
  on.push(old);
  const { store } = on.board.ports;
  const calls: string[] = [];
  const [setBytes, remove] = [store.setBytes.bind(store), store.delete.bind(store)];
  store.setBytes = (key, bytes) => void (calls.push(`put ${key}`), setBytes(key, bytes));
  store.delete = (key) => void (calls.push(`delete ${key}`), remove(key));
  for (let tick = 0; tick < 3; tick++) later(on);
  for (let acks = 0; acks < 2; acks++) on.ack("refused");
  assert.deepEqual(calls, [`put ${RECORDS.pendingAnswer.key}`, `delete ${RECORDS.pendingAnswer.key}`]);
});

test("a later answer takes the place of an earlier one, in the store too", () => {
  const on = fixture();
  on.connect();
  on.push(old);
  later(on);
  on.dispatch({
    type: "refused",
    task: { version: "x" },
    outcome: { kind: "fail", cause: "rejected", message: "bad offer, url: missing" },
  });
  assert.equal(bytesOf(on, RECORDS.pendingAnswer.key), undefined, "the old one is no longer true");
  later(on);
  on.powerOn();
  const from = on.reports.length;
  on.connect();
  assert.deepEqual(on.outcomes.slice(-1), ["rejected: bad offer, url: missing"]);
  assert.deepEqual(kinds(on, from), ["outcome", "version"]);
});

test("an offer that came in a trial is kept over its end by rollback", () => {
  const on = fixture({ answers: { health: "silent" } });
  on.connect();
  on.push(offer);
  on.deliver(next);
  on.ack("burning");
  assert.equal(on.state, "trial");
  const fixed = image("0.3.0");
  on.push(offerOf(fixed, "0.3.0"));
  later(on);
  on.connect();
  on.dispatch({ type: "health", ok: false, message: "sensor missing" });
  assert.deepEqual([on.running.version, on.state], ["0.1.0", "reporting"]);
  on.connect();
  on.ack("outcome");
  assert.deepEqual([on.state, on.job.task?.version], ["downloading", "0.3.0"]);
  assert.equal(bytesOf(on, RECORDS.pendingOffer.key), undefined);
});

test("declined, the offer is forgotten and answered", () => {
  const on = fixture({ answers: { consent: true } });
  on.connect();
  on.push(offer);
  later(on);
  on.dispatch({ type: "consent", decision: "reject" });
  assert.equal(bytesOf(on, RECORDS.pendingOffer.key), undefined);
  assert.deepEqual(on.outcomes, ["rejected: declined by the application"]);
  on.ack("refused");
  on.powerOn();
  assert.equal(on.state, "idle");
});

test("no version is reported while an offer waits: each would use up one of the cloud's pushes", () => {
  const on = fixture({ answers: { consent: true } });
  on.connect();
  on.push(offer);
  on.disconnect();
  const from = on.reports.length;
  on.connect();
  assert.deepEqual(kinds(on, from), []);
  on.dispatch({ type: "consent", decision: "reject" });
  on.disconnect();
  on.connect();
  assert.deepEqual(kinds(on, from).slice(-2), ["outcome", "version"]);
});

test("the same image pushed again while it waits is the same offer", () => {
  const on = fixture({ answers: { consent: true } });
  on.connect();
  on.push(offer);
  later(on);
  const before = bytesOf(on, RECORDS.pendingOffer.key);
  on.push({ ...offer });
  later(on);
  assert.deepEqual(bytesOf(on, RECORDS.pendingOffer.key), before);
});

test("what another platform owed, and what can not be read, counts as absent", () => {
  const on = fixture({ answers: { consent: true } });
  on.connect();
  on.push(offer);
  on.push(old);
  later(on);
  const [waiting, answer] = [bytesOf(on, RECORDS.pendingOffer.key)!, bytesOf(on, RECORDS.pendingAnswer.key)!];
  const other = new JobFixture({ rules: ONCE, platform: "other", answers: { consent: true } });
  for (const cut of [0, 1]) {
    other.board.ports.store.setBytes(RECORDS.pendingOffer.key, waiting.subarray(cut));
    other.board.ports.store.setBytes(RECORDS.pendingAnswer.key, answer.subarray(cut));
    other.powerOn();
    const from = other.reports.length;
    other.connect();
    assert.deepEqual([other.state, ...kinds(other, from)], ["idle", "version"]);
  }
});

test("a cloud that can be asked again costs no record at all", () => {
  const on = new JobFixture({ answers: { consent: true } });
  on.connect();
  on.push(offer);
  on.push(old);
  assert.equal(on.job.deadline(), undefined);
  on.powerOn();
  assert.equal(on.state, "idle");
});

test("a cut between the job's record and the waiting offer's end leaves one job", () => {
  const on = fixture({ answers: { consent: true } });
  on.connect();
  on.push(offer);
  later(on);
  const waiting = bytesOf(on, RECORDS.pendingOffer.key)!;
  on.dispatch({ type: "consent", decision: "accept" });
  on.deliver(next, 2 * SECTOR);
  on.board.ports.store.setBytes(RECORDS.pendingOffer.key, waiting);
  on.powerOn();
  on.wait();
  assert.deepEqual([on.state, on.downloads.at(-1)?.offset], ["downloading", 2 * SECTOR]);
  assert.equal(bytesOf(on, RECORDS.pendingOffer.key), undefined);
});

test("a module's offer waits as a module's", () => {
  const assets: Offer = { ...offer, module: "assets", component: "assets" };
  const modules = () => ({
    assets: {
      capacity: 1 << 20,
      begin: () => {},
      write: () => {},
      equals: () => true,
      read: () => {},
      finish: (done: () => void) => done(),
      abort: () => {},
    },
  });
  const on = fixture({ answers: { consent: true }, modules });
  on.connect();
  on.push(assets);
  later(on);
  on.powerOn();
  on.dispatch({ type: "consent", decision: "accept" });
  assert.deepEqual(on.job.task, assets);
});
