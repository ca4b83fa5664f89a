/** Design section 2.2, row by row, and the other ways in which an offer is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { JobFixture, image, offerOf } from "./job-fixture";

const next = image("0.2.0");
const offer = offerOf(next, "0.2.0");

function erasesOf(fixture: JobFixture): () => number {
  let erases = 0;
  fixture.board.chip.onOperation = (operation) => void (operation.kind === "erase" && erases++);
  return () => erases;
}

test("same identity while busy: the url is taken, otherwise nothing happens", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 2 * SECTOR);
  const reports = fixture.reports.length;
  const writes = erasesOf(fixture);
  fixture.push({ ...offer, url: "http://files/fresh" });
  assert.equal(fixture.reports.length, reports);
  assert.equal(fixture.downloads.length, 1);
  assert.equal(writes(), 0);
  fixture.dispatch({ type: "expired", message: "HTTP 403" });
  assert.equal(
    fixture.downloads.at(-1)?.url,
    "http://files/fresh",
    "the fresher url of that push is used without asking",
  );
});

test("different identity while busy: it supersedes, without a report for the old one", () => {
  const fixture = new JobFixture();
  const third = image("0.3.0");
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 2 * SECTOR);
  fixture.push(offerOf(third, "0.3.0"));
  assert.deepEqual(fixture.outcomes, []);
  assert.equal(fixture.downloads.at(-1)?.offset, 0);
  fixture.deliver(third);
  fixture.ack("burning");
  fixture.connect();
  assert.equal(fixture.running.version, "0.3.0");
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("answers to what a superseded job has asked of flash prove nothing for the next one", () => {
  const fixture = new JobFixture();
  const third = image("0.3.0");
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.push(offerOf(third, "0.3.0"));
  for (const event of [
    { type: "verified", length: next.length },
    { type: "compared", equal: true },
    { type: "bytes", bytes: next },
    { type: "turn" },
  ] as const) {
    assert.deepEqual(fixture.job.handle(event, fixture.now), []);
    assert.equal(fixture.state, "downloading");
  }
  fixture.deliver(third);
  fixture.ack("burning");
  fixture.connect();
  assert.deepEqual([fixture.running.version, fixture.outcomes], ["0.3.0", ["done"]]);
});

test("the running version with the same digest: done, without a download", () => {
  const factory = image("0.1.0");
  const fixture = new JobFixture({ factory });
  fixture.connect();
  fixture.push(offerOf(factory, "0.1.0"));
  assert.deepEqual(fixture.outcomes, ["done"]);
  assert.equal(fixture.downloads.length, 0);
  fixture.ack("outcome");
  assert.equal(fixture.state, "idle");
});

test("the running version with another digest: fail that says so, once its first sector is no container's", () => {
  for (const allowDelta of [true, false]) {
    const fixture = new JobFixture({ policy: { allowDelta } });
    fixture.connect();
    fixture.push(offerOf(next, "0.1.0"));
    if (allowDelta) fixture.deliver(next, SECTOR);
    assert.match(fixture.outcomes[0] ?? "", /^rejected: version 0\.1\.0 runs already, with another digest/);
    assert.equal(fixture.downloads.length, allowDelta ? 1 : 0);
    const { address, size } = fixture.board.table.slots[1];
    assert.equal(fixture.board.chip.counts(address, size).erases, 0);
  }
});

test("the running version, whose file was not reached: the next offer of it is tried anew", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offerOf(next, "0.1.0"));
  fixture.dispatch({ type: "download-failed", cause: "not-found", message: "HTTP 404" });
  assert.match(fixture.outcomes[0] ?? "", /^not-found: /);
  fixture.ack("outcome");
  fixture.push(offerOf(next, "0.1.0"));
  fixture.deliver(next, SECTOR);
  assert.match(fixture.outcomes[1] ?? "", /^rejected: version 0\.1\.0 runs already, with another digest/);
});

test("another version inside the image: fail before the switch, and before any erase", () => {
  const fixture = new JobFixture();
  const erases = erasesOf(fixture);
  fixture.connect();
  const before = erases();
  fixture.push(offerOf(next, "0.9.0"));
  fixture.deliver(next);
  assert.match(fixture.outcomes[0] ?? "", /^rejected: version in the image is 0\.2\.0, offered was 0\.9\.0/);
  assert.equal(erases(), before);
});

test("refused from the offer alone: too large, no digest, plain http, older", () => {
  const cases: [Parameters<typeof offerOf>[2], RegExp][] = [
    [{ size: 64 << 20 }, /does not fit the slot/],
    [{ version: "0.0.9" }, /is older than the running 0\.1\.0 \(allowDowngrade/],
  ];
  for (const [change, message] of cases) {
    const fixture = new JobFixture();
    const erases = erasesOf(fixture);
    fixture.connect();
    fixture.push(offerOf(next, "0.2.0", change));
    assert.match(fixture.outcomes[0] ?? "", message);
    assert.equal(fixture.reports.at(-1)?.token, "refused");
    assert.equal(erases(), 0);
    assert.equal(fixture.state, "idle");
    fixture.push(offer);
    assert.equal(fixture.state, "downloading", "the next offer is taken");
  }
  const plain = new JobFixture({ policy: { allowHttp: false } });
  plain.push(offer);
  assert.match(plain.outcomes[0] ?? "", /plain http/);
  const { digest: _digest, ...undigested } = offer;
  const fixture = new JobFixture();
  fixture.push(undigested);
  assert.match(fixture.outcomes[0] ?? "", /no digest/);
});

test("refused from the first sector, before any erase: no image, other chip, other product", () => {
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(20_000).fill(0x3c), /not an ESP image/],
    [new Uint8Array(10), /not an ESP image/],
    [image("0.2.0", 24_000, { chip: 9 }), /for chip 9, this is chip 0/],
    [image("0.2.0", 24_000, { product: "toaster" }), /of product "toaster"/],
  ];
  for (const [file, message] of cases) {
    const fixture = new JobFixture();
    const erases = erasesOf(fixture);
    fixture.connect();
    fixture.push(offerOf(file, "0.2.0"));
    const before = erases();
    fixture.deliver(file);
    assert.match(fixture.outcomes[0] ?? "", message);
    assert.equal(erases(), before);
    fixture.ack("outcome");
    fixture.push(offer);
    assert.equal(fixture.state, "downloading");
  }
});

test("an image whose digest matches and whose content is broken: refused, head erased, remembered", () => {
  const broken = next.slice();
  broken[20_000] = (broken[20_000] ?? 0) ^ 1;
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offerOf(broken, "0.2.0"));
  fixture.deliver(broken);
  assert.match(fixture.outcomes[0] ?? "", /^rejected: /);
  fixture.ack("outcome");
  const sector = new Uint8Array(SECTOR);
  fixture.board.chip.read(fixture.board.table.slots[1].address, sector);
  assert.ok(
    sector.every((byte) => byte === 0xff),
    "sector 0 is erased",
  );
  fixture.push(offerOf(broken, "0.2.0"));
  assert.match(fixture.outcomes[1] ?? "", /was refused before; it is not tried again/);
  assert.equal(fixture.downloads.length, 1);
  fixture.push(offer);
  assert.equal(fixture.state, "downloading");
});

test("the application may decline, and may answer later", () => {
  const declined = new JobFixture({ answers: { consent: false } });
  declined.push(offer);
  assert.match(declined.outcomes[0] ?? "", /declined by the application/);
  const later = new JobFixture({ answers: { consent: true } });
  const erases = erasesOf(later);
  later.push(offer);
  assert.equal(later.state, "consent");
  assert.equal(erases(), 0);
  later.push({ ...offer, url: "http://files/fresh" });
  later.dispatch({ type: "consent", decision: "accept" });
  assert.equal(later.downloads[0]?.url, "http://files/fresh");
});

test("size unknown: learnt from the first response, refused before any erase when it does not fit", () => {
  const fixture = new JobFixture();
  const erases = erasesOf(fixture);
  fixture.push({ ...offer, size: 0 });
  const before = erases();
  fixture.dispatch({ type: "total", size: 64 << 20, validator: undefined });
  assert.match(fixture.outcomes[0] ?? "", /does not fit/);
  assert.equal(erases(), before);
  fixture.ack("outcome");
  fixture.push({ ...offer, size: 0 });
  fixture.dispatch({ type: "total", size: next.length, validator: undefined });
  fixture.deliver(next);
  fixture.ack("burning");
  fixture.connect();
  assert.equal(fixture.outcomes.at(-1), "done");
});

test("size unknown and a checkpoint of the same image left: the download goes on there once the size is known", () => {
  const fixture = new JobFixture();
  fixture.push({ ...offer, size: 0 });
  fixture.dispatch({ type: "total", size: next.length, validator: undefined });
  fixture.deliver(next, 3 * SECTOR);
  fixture.dispatch({ type: "download-failed", cause: "download-timeout", message: "stalled" });
  fixture.ack("outcome");
  fixture.push({ ...offer, size: 0 });
  assert.equal(fixture.downloads.at(-1)?.offset, 0);
  fixture.dispatch({ type: "total", size: next.length, validator: undefined });
  assert.equal(fixture.downloads.at(-1)?.offset, 3 * SECTOR);
});
