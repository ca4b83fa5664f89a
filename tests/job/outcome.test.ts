/** The one outcome of a job: said whatever else fails, kept over power cuts, and not changed by what comes late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { SECTOR } from "../../src/constants";
import type { JobEvent } from "../../src/job/effects";
import { RECORDS } from "../../src/job/records";
import { JobDesk, image, offerOf } from "./job-desk";

const next = image("0.2.0");
const offer = offerOf(next, "0.2.0");
const wrong = { ...offer, digest: { algorithm: "MD5", hex: "0".repeat(32) } } as const;
const kindsOf = (desk: JobDesk, from: number): string[] => desk.reports.slice(from).map(({ report }) => report.kind);

test("what a download says after its end changes nothing any more", () => {
  const late: JobEvent[] = [
    { type: "finished" },
    { type: "download-failed", cause: "download", message: "reset by peer" },
    { type: "expired", message: "HTTP 403" },
    { type: "total", size: 1, validator: undefined },
    { type: "sector", offset: 0, bytes: next.slice(0, SECTOR) },
    { type: "compared", equal: true },
  ];
  const proven = new JobDesk();
  proven.connect();
  proven.push(offer);
  proven.deliver(next);
  assert.equal(proven.state, "burning");
  const failed = new JobDesk();
  failed.connect();
  failed.push(wrong);
  failed.deliverTwice(next);
  assert.equal(failed.state, "reporting");
  for (const desk of [proven, failed])
    for (const event of late) assert.deepEqual(desk.job.handle(event, desk.now), [], `${event.type} in ${desk.state}`);
});

test("a sector whose download was given up while it was written does not count", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  desk.deliver(next, 2 * SECTOR);
  desk.job.handle({ type: "sector", offset: 2 * SECTOR, bytes: next.slice(2 * SECTOR, 3 * SECTOR) }, desk.now);
  desk.dispatch({ type: "download-failed", cause: "download-timeout", message: "stalled" });
  assert.deepEqual(desk.job.handle({ type: "compared", equal: true }, desk.now), []);
  desk.ack("outcome");
  desk.push(offer);
  assert.equal(desk.downloads.at(-1)?.offset, 2 * SECTOR);
});

test("one outcome, whatever else goes wrong after it", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(wrong);
  desk.deliver(next);
  for (const effect of ["download", "open-component", "verify", "activate"] as const)
    desk.dispatch({ type: "effect-failed", effect, message: "too late" });
  assert.equal(desk.outcomes.length, 1);
  desk.powerOn();
  assert.deepEqual(new Set(desk.outcomes).size, 1, "the store still has the first");
});

test("a PUBACK that belongs to nothing ends no job", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  desk.deliver(next, 2 * SECTOR);
  for (const token of ["outcome", "burning", "refused", "version"] as const)
    assert.deepEqual(desk.job.handle({ type: "acked", token }, desk.now), []);
  assert.deepEqual([desk.state, desk.job.task?.version], ["downloading", "0.2.0"]);
});

test("a store that takes nothing any more: the failure is said all the same, once", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  const { store } = desk.board.ports;
  store.setBytes =
    store.setNumber =
    store.delete =
      () => {
        throw new Error("no space");
      };
  desk.deliver(next, SECTOR);
  assert.deepEqual(desk.outcomes, ["flash: store: no space"]);
});

test("a slot that can not be erased any more: the failure is said all the same, once", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(wrong);
  desk.deliver(next);
  desk.deliver(next, next.length - 1);
  desk.board.ports.flash.erase = () => {
    throw new Error("protected");
  };
  desk.dispatch({ type: "finished" });
  assert.equal(desk.outcomes.length, 1);
  assert.match(desk.outcomes[0]!, /^digest-mismatch: /);
});

test("a cut between the verdict and the erase of the head: the slot loses it first, then its checkpoint, and then the outcome is said again", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(wrong);
  desk.deliver(next);
  desk.deliver(next, next.length - 1);
  desk.board.ports.flash.erase = () => {
    throw new PowerCut();
  };
  assert.throws(() => desk.dispatch({ type: "finished" }), PowerCut);
  assert.equal(desk.outcomes.length, 0);
  const { address } = desk.board.table.slots[1];
  const seen: [checkpoint: boolean, outcomes: number][] = [];
  const checkpoint = (): boolean => desk.board.ports.store.getNumber(RECORDS.firmwareOffset.key) !== undefined;
  desk.board.chip.onOperation = ({ kind, address: at }) =>
    void (kind === "erase" && at === address && seen.push([checkpoint(), desk.outcomes.length]));
  desk.powerOn();
  assert.deepEqual(seen, [[true, 0]]);
  assert.ok(!checkpoint());
  assert.equal(desk.outcomes.length, 1);
  desk.powerOn();
  assert.equal(seen.length, 1, "once is enough");
});

test("a failed download keeps its checkpoint also where the power goes before the PUBACK", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  desk.deliver(next, 4 * SECTOR);
  desk.dispatch({ type: "download-failed", cause: "download-timeout", message: "no new sector for 15 minutes" });
  desk.powerOn();
  desk.connect();
  assert.ok(!desk.notices.some(({ event }) => event === "rollback"), "nothing was on trial");
  desk.ack("outcome");
  desk.push(offer);
  assert.equal(desk.downloads.at(-1)?.offset, 4 * SECTOR);
  desk.deliver(next);
  desk.ack("burning");
  desk.connect();
  assert.equal(desk.outcomes.at(-1), "done");
});

test("a failure that is acknowledged on a later connection: the version follows it there, and then the offer that waited is taken", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(wrong);
  desk.deliverTwice(next);
  desk.push(offerOf(image("0.3.0"), "0.3.0"));
  desk.disconnect();
  const from = desk.reports.length;
  desk.connect();
  assert.deepEqual(kindsOf(desk, from), ["outcome"]);
  const effects = desk.job
    .handle({ type: "acked", token: "outcome" }, desk.now)
    .map((effect) => (effect.type === "report" ? effect.report.kind : effect.type));
  assert.deepEqual(
    effects.filter((each) => each === "version" || each === "ask"),
    ["version", "ask"],
  );
  desk.dispatch({ type: "consent", decision: "accept" });
  assert.equal(desk.job.task?.version, "0.3.0");
});
