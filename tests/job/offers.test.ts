/** Design section 2.2, row by row, and the other ways in which an offer is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { JobDesk, image, offerOf } from "./job-desk";

const next = image("0.2.0");
const offer = offerOf(next, "0.2.0");

function erasesOf(desk: JobDesk): () => number {
  let erases = 0;
  desk.board.chip.onOperation = (operation) => void (operation.kind === "erase" && erases++);
  return () => erases;
}

test("same identity while busy: the url is taken, otherwise nothing happens", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  desk.deliver(next, 2 * SECTOR);
  const reports = desk.reports.length;
  const writes = erasesOf(desk);
  desk.push({ ...offer, url: "http://files/fresh" });
  assert.equal(desk.reports.length, reports);
  assert.equal(desk.downloads.length, 1);
  assert.equal(writes(), 0);
  desk.dispatch({ type: "expired", message: "HTTP 403" });
  assert.equal(desk.downloads.at(-1)?.url, "http://files/fresh", "the fresher url of that push is used without asking");
});

test("different identity while busy: it supersedes, without a report for the old one", () => {
  const desk = new JobDesk();
  const third = image("0.3.0");
  desk.connect();
  desk.push(offer);
  desk.deliver(next, 2 * SECTOR);
  desk.push(offerOf(third, "0.3.0"));
  assert.deepEqual(desk.outcomes, []);
  assert.equal(desk.downloads.at(-1)?.offset, 0);
  desk.deliver(third);
  desk.ack("burning");
  desk.connect();
  assert.equal(desk.running.version, "0.3.0");
  assert.deepEqual(desk.outcomes, ["done"]);
});

test("answers to what a superseded job has asked of flash prove nothing for the next one", () => {
  const desk = new JobDesk();
  const third = image("0.3.0");
  desk.connect();
  desk.push(offer);
  desk.deliver(next);
  desk.push(offerOf(third, "0.3.0"));
  for (const event of [
    { type: "verified", length: next.length },
    { type: "compared", equal: true },
    { type: "bytes", bytes: next },
    { type: "turn" },
  ] as const) {
    assert.deepEqual(desk.job.handle(event, desk.now), []);
    assert.equal(desk.state, "downloading");
  }
  desk.deliver(third);
  desk.ack("burning");
  desk.connect();
  assert.deepEqual([desk.running.version, desk.outcomes], ["0.3.0", ["done"]]);
});

test("the running version with the same digest: done, without a download", () => {
  const factory = image("0.1.0");
  const desk = new JobDesk({ factory });
  desk.connect();
  desk.push(offerOf(factory, "0.1.0"));
  assert.deepEqual(desk.outcomes, ["done"]);
  assert.equal(desk.downloads.length, 0);
  desk.ack("outcome");
  assert.equal(desk.state, "idle");
});

test("the running version with another digest: fail that says so", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offerOf(next, "0.1.0"));
  assert.match(desk.outcomes[0] ?? "", /^rejected: version 0\.1\.0 runs already, with another digest/);
  assert.equal(desk.downloads.length, 0);
});

test("another version inside the image: fail before the switch, and before any erase", () => {
  const desk = new JobDesk();
  const erases = erasesOf(desk);
  desk.connect();
  const before = erases();
  desk.push(offerOf(next, "0.9.0"));
  desk.deliver(next);
  assert.match(desk.outcomes[0] ?? "", /^rejected: version in the image is 0\.2\.0, offered was 0\.9\.0/);
  assert.equal(erases(), before);
});

test("refused from the offer alone: too large, no digest, plain http, older", () => {
  const cases: [Parameters<typeof offerOf>[2], RegExp][] = [
    [{ size: 64 << 20 }, /does not fit the slot/],
    [{ version: "0.0.9" }, /is older than the running 0\.1\.0 \(allowDowngrade/],
  ];
  for (const [change, message] of cases) {
    const desk = new JobDesk();
    const erases = erasesOf(desk);
    desk.connect();
    desk.push(offerOf(next, "0.2.0", change));
    assert.match(desk.outcomes[0] ?? "", message);
    assert.equal(desk.reports.at(-1)?.token, "refused");
    assert.equal(erases(), 0);
    assert.equal(desk.state, "idle");
    desk.push(offer);
    assert.equal(desk.state, "downloading", "the next offer is taken");
  }
  const plain = new JobDesk({ policy: { allowHttp: false } });
  plain.push(offer);
  assert.match(plain.outcomes[0] ?? "", /plain http/);
  const { digest: _digest, ...undigested } = offer;
  const desk = new JobDesk();
  desk.push(undigested);
  assert.match(desk.outcomes[0] ?? "", /no digest/);
});

test("refused from the first sector, before any erase: no image, other chip, other product", () => {
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(20_000).fill(0x3c), /not an ESP image/],
    [new Uint8Array(10), /not an ESP image/],
    [image("0.2.0", 24_000, { chip: 9 }), /for chip 9, this is chip 0/],
    [image("0.2.0", 24_000, { product: "toaster" }), /of product "toaster"/],
  ];
  for (const [file, message] of cases) {
    const desk = new JobDesk();
    const erases = erasesOf(desk);
    desk.connect();
    desk.push(offerOf(file, "0.2.0"));
    const before = erases();
    desk.deliver(file);
    assert.match(desk.outcomes[0] ?? "", message);
    assert.equal(erases(), before);
    desk.ack("outcome");
    desk.push(offer);
    assert.equal(desk.state, "downloading");
  }
});

test("an image whose digest matches and whose content is broken: refused, head erased, remembered", () => {
  const broken = next.slice();
  broken[20_000] = (broken[20_000] ?? 0) ^ 1;
  const desk = new JobDesk();
  desk.connect();
  desk.push(offerOf(broken, "0.2.0"));
  desk.deliver(broken);
  assert.match(desk.outcomes[0] ?? "", /^rejected: /);
  desk.ack("outcome");
  const sector = new Uint8Array(SECTOR);
  desk.board.chip.read(desk.board.table.slots[1].address, sector);
  assert.ok(
    sector.every((byte) => byte === 0xff),
    "sector 0 is erased",
  );
  desk.push(offerOf(broken, "0.2.0"));
  assert.match(desk.outcomes[1] ?? "", /was refused before; it is not tried again/);
  assert.equal(desk.downloads.length, 1);
  desk.push(offer);
  assert.equal(desk.state, "downloading");
});

test("the application may decline, and may answer later", () => {
  const declined = new JobDesk({ answers: { consent: false } });
  declined.push(offer);
  assert.match(declined.outcomes[0] ?? "", /declined by the application/);
  const later = new JobDesk({ answers: { consent: true } });
  const erases = erasesOf(later);
  later.push(offer);
  assert.equal(later.state, "consent");
  assert.equal(erases(), 0);
  later.push({ ...offer, url: "http://files/fresh" });
  later.dispatch({ type: "consent", decision: "accept" });
  assert.equal(later.downloads[0]?.url, "http://files/fresh");
});

test("size unknown: learnt from the first response, refused before any erase when it does not fit", () => {
  const desk = new JobDesk();
  const erases = erasesOf(desk);
  desk.push({ ...offer, size: 0 });
  const before = erases();
  desk.dispatch({ type: "total", size: 64 << 20, validator: undefined });
  assert.match(desk.outcomes[0] ?? "", /does not fit/);
  assert.equal(erases(), before);
  desk.ack("outcome");
  desk.push({ ...offer, size: 0 });
  desk.dispatch({ type: "total", size: next.length, validator: undefined });
  desk.deliver(next);
  desk.ack("burning");
  desk.connect();
  assert.equal(desk.outcomes.at(-1), "done");
});

test("size unknown and a checkpoint of the same image left: the download goes on there once the size is known", () => {
  const desk = new JobDesk();
  desk.push({ ...offer, size: 0 });
  desk.dispatch({ type: "total", size: next.length, validator: undefined });
  desk.deliver(next, 3 * SECTOR);
  desk.dispatch({ type: "download-failed", cause: "download-timeout", message: "stalled" });
  desk.ack("outcome");
  desk.push({ ...offer, size: 0 });
  assert.equal(desk.downloads.at(-1)?.offset, 0);
  desk.dispatch({ type: "total", size: next.length, validator: undefined });
  assert.equal(desk.downloads.at(-1)?.offset, 3 * SECTOR);
});
