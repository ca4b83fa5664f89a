/** The one outcome of a job: said whatever else fails, kept over power cuts, and not changed by what comes late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { SECTOR } from "../../src/constants";
import type { JobEvent } from "../../src/job/effects";
import { RECORDS } from "../../src/job/records";
import { JobFixture, image, offerOf } from "./job-fixture";

const next = image("0.2.0");
const offer = offerOf(next, "0.2.0");
const wrong = { ...offer, digest: { algorithm: "MD5", hex: "0".repeat(32) } } as const;
const kindsOf = (fixture: JobFixture, from: number): string[] =>
  fixture.reports.slice(from).map(({ report }) => report.kind);

test("what a download says after its end changes nothing any more", () => {
  const late: JobEvent[] = [
    { type: "finished" },
    { type: "download-failed", cause: "download", message: "reset by peer" },
    { type: "expired", message: "HTTP 403" },
    { type: "total", size: 1, validator: undefined },
    { type: "sector", offset: 0, bytes: next.slice(0, SECTOR) },
    { type: "compared", equal: true },
  ];
  const proven = new JobFixture();
  proven.connect();
  proven.push(offer);
  proven.deliver(next);
  assert.equal(proven.state, "burning");
  const failed = new JobFixture();
  failed.connect();
  failed.push(wrong);
  failed.deliverTwice(next);
  assert.equal(failed.state, "reporting");
  for (const fixture of [proven, failed])
    for (const event of late)
      assert.deepEqual(fixture.job.handle(event, fixture.now), [], `${event.type} in ${fixture.state}`);
});

test("a sector whose download was given up while it was written does not count", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 2 * SECTOR);
  fixture.job.handle({ type: "sector", offset: 2 * SECTOR, bytes: next.slice(2 * SECTOR, 3 * SECTOR) }, fixture.now);
  fixture.dispatch({ type: "download-failed", cause: "download-timeout", message: "stalled" });
  assert.deepEqual(fixture.job.handle({ type: "compared", equal: true }, fixture.now), []);
  fixture.ack("outcome");
  fixture.push(offer);
  assert.equal(fixture.downloads.at(-1)?.offset, 2 * SECTOR);
});

test("one outcome, whatever else goes wrong after it", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(wrong);
  fixture.deliver(next);
  for (const effect of ["download", "open-component", "verify", "activate"] as const)
    fixture.dispatch({ type: "effect-failed", effect, message: "too late" });
  assert.equal(fixture.outcomes.length, 1);
  fixture.powerOn();
  assert.deepEqual(new Set(fixture.outcomes).size, 1, "the store still has the first");
});

test("a PUBACK that belongs to nothing ends no job", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 2 * SECTOR);
  for (const token of ["outcome", "burning", "refused", "version"] as const)
    assert.deepEqual(fixture.job.handle({ type: "acked", token }, fixture.now), []);
  assert.deepEqual([fixture.state, fixture.job.task?.version], ["downloading", "0.2.0"]);
});

test("a store that takes nothing any more: the failure is said all the same, once", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  const { store } = fixture.board.ports;
  store.setBytes =
    store.setNumber =
    store.delete =
      () => {
        throw new Error("no space");
      };
  fixture.deliver(next, SECTOR);
  assert.deepEqual(fixture.outcomes, ["flash: store: no space"]);
});

test("a slot that can not be erased any more: the failure is said all the same, once", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(wrong);
  fixture.deliver(next);
  fixture.deliver(next, next.length - 1);
  fixture.board.ports.flash.erase = () => {
    throw new Error("protected");
  };
  fixture.dispatch({ type: "finished" });
  assert.equal(fixture.outcomes.length, 1);
  assert.match(fixture.outcomes[0]!, /^digest-mismatch: /);
});

test("a cut between the verdict and the erase of the head: the slot loses it first, then its checkpoint, and then the outcome is said again", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(wrong);
  fixture.deliver(next);
  fixture.deliver(next, next.length - 1);
  fixture.board.ports.flash.erase = () => {
    throw new PowerCut();
  };
  assert.throws(() => fixture.dispatch({ type: "finished" }), PowerCut);
  assert.equal(fixture.outcomes.length, 0);
  const { address } = fixture.board.table.slots[1];
  const seen: [checkpoint: boolean, outcomes: number][] = [];
  const checkpoint = (): boolean => fixture.board.ports.store.getNumber(RECORDS.firmwareOffset.key) !== undefined;
  fixture.board.chip.onOperation = ({ kind, address: at }) =>
    void (kind === "erase" && at === address && seen.push([checkpoint(), fixture.outcomes.length]));
  fixture.powerOn();
  assert.deepEqual(seen, [[true, 0]]);
  assert.ok(!checkpoint());
  assert.equal(fixture.outcomes.length, 1);
  fixture.powerOn();
  assert.equal(seen.length, 1, "once is enough");
});

test("a failed download keeps its checkpoint also where the power goes before the PUBACK", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 4 * SECTOR);
  fixture.dispatch({ type: "download-failed", cause: "download-timeout", message: "no new sector for 15 minutes" });
  fixture.powerOn();
  fixture.connect();
  assert.ok(!fixture.notices.some(({ event }) => event === "rollback"), "nothing was on trial");
  fixture.ack("outcome");
  fixture.push(offer);
  assert.equal(fixture.downloads.at(-1)?.offset, 4 * SECTOR);
  fixture.deliver(next);
  fixture.ack("burning");
  fixture.connect();
  assert.equal(fixture.outcomes.at(-1), "done");
});

test("a failure that is acknowledged on a later connection: the version follows it there, and then the offer that waited is taken", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(wrong);
  fixture.deliverTwice(next);
  fixture.push(offerOf(image("0.3.0"), "0.3.0"));
  fixture.disconnect();
  const from = fixture.reports.length;
  fixture.connect();
  assert.deepEqual(kindsOf(fixture, from), ["outcome"]);
  const effects = fixture.job
    .handle({ type: "acked", token: "outcome" }, fixture.now)
    .map((effect) => (effect.type === "report" ? effect.report.kind : effect.type));
  assert.deepEqual(
    effects.filter((each) => each === "version" || each === "ask"),
    ["version", "ask"],
  );
  fixture.dispatch({ type: "consent", decision: "accept" });
  assert.equal(fixture.job.task?.version, "0.3.0");
});
