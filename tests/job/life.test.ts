import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR, URL_RENEWALS } from "../../src/constants";
import { JobFixture, image, offerOf } from "./job-fixture";

import { next, offer } from "./life-fixture";

test("a good update: percent first, burning, restart into the new slot, confirm, version, done", () => {
  const fixture = new JobFixture();
  fixture.update(next, offer);
  assert.deepEqual(fixture.running, { version: "0.2.0", slot: "ota_1", state: "valid" });
  const kinds = fixture.reports.map(({ report }) => (report.kind === "progress" ? `${report.percent}%` : report.kind));
  assert.deepEqual(kinds, ["version", "0%", "100%", "burning", "version", "outcome"]);
  assert.deepEqual(fixture.outcomes, ["done"]);
  const versions = fixture.reports.flatMap(({ report }) => (report.kind === "version" ? [report.version] : []));
  assert.deepEqual(versions, ["0.1.0", "0.2.0"]);
  assert.equal(fixture.state, "idle");
});

test("each sector of the target is erased once, none of the running slot", () => {
  const fixture = new JobFixture();
  const erases = new Map<number, number>();
  fixture.board.chip.onOperation = (operation) => {
    if (operation.kind !== "erase") return;
    const end = operation.address + operation.length;
    for (let at = operation.address; at < end; at += SECTOR) erases.set(at, (erases.get(at) ?? 0) + 1);
  };
  fixture.update(next, offer);
  const [running, target] = fixture.board.table.slots;
  for (const [address, count] of erases) {
    assert.ok(
      address < running.address || address >= target.address,
      `running slot erased at 0x${address.toString(16)}`,
    );
    if (address >= target.address) assert.equal(count, 1);
  }
  const { blockSectors } = fixture.board.ports.flash;
  assert.ok(next.length <= blockSectors * SECTOR, "one block holds the image");
  assert.deepEqual(
    [...erases.keys()].filter((address) => address >= target.address),
    Array.from({ length: blockSectors }, (_, sector) => target.address + sector * SECTOR),
  );
});

test("the head stays erased in flash until everything is proven", () => {
  const fixture = new JobFixture();
  const { address } = fixture.board.table.slots[1];
  const head = new Uint8Array(16);
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, next.length - 1);
  fixture.board.chip.read(address, head);
  assert.deepEqual(head, new Uint8Array(16).fill(0xff));
  fixture.dispatch({ type: "finished" });
  fixture.board.chip.read(address, head);
  assert.deepEqual(head, next.slice(0, 16));
});

test("after a power cut the download resumes at the checkpoint, by itself after the delay or at once with a fresh push", () => {
  for (const fresh of [false, true]) {
    const fixture = new JobFixture();
    fixture.connect();
    fixture.push(offer);
    fixture.deliver(next, 3 * SECTOR);
    fixture.powerOn();
    assert.equal(fixture.state, "waiting");
    if (fresh) fixture.push({ ...offer, url: "http://files/fw.bin?sign=2" });
    else fixture.wait();
    const last = fixture.downloads.at(-1);
    assert.equal(last?.offset, 3 * SECTOR);
    assert.equal(last?.url, fresh ? "http://files/fw.bin?sign=2" : offer.url);
    assert.ok(fixture.notices.some((notice) => notice.event === "resume" && notice.offset === 3 * SECTOR));
    const percents = fixture.reports.flatMap(({ report }) => (report.kind === "progress" ? [report.percent] : []));
    assert.equal(
      percents.at(-1),
      Math.floor((3 * SECTOR * 100) / next.length),
      "progress goes on at the current percent",
    );
    fixture.connect();
    fixture.deliver(next);
    fixture.ack("burning");
    fixture.connect();
    assert.deepEqual(fixture.outcomes, ["done"]);
  }
});

test("a checkpoint is only for the same image: another digest, size or version starts clean", () => {
  const other = image("0.2.0", 24_000, { payload: new TextEncoder().encode("something else") });
  for (const [file, change] of [
    [other, {}],
    [image("0.2.0", 28_000), {}],
    [image("0.3.0"), { version: "0.3.0" }],
  ] as const) {
    const fixture = new JobFixture();
    fixture.connect();
    fixture.push(offer);
    fixture.deliver(next, 2 * SECTOR);
    fixture.powerOn();
    fixture.connect();
    fixture.push(offerOf(file, "0.2.0", change));
    assert.equal(fixture.downloads.at(-1)?.offset, 0);
    fixture.deliver(file);
    fixture.ack("burning");
    fixture.connect();
    assert.deepEqual(fixture.outcomes, ["done"]);
  }
});

test("what is in flash must be what was offered: another digest is -4, the running firmware stays, the next offer is taken", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push({ ...offer, digest: { algorithm: "MD5", hex: "0".repeat(32) } });
  fixture.deliverTwice(next);
  assert.match(fixture.outcomes[0] ?? "", /^digest-mismatch: MD5 of what is in flash is [0-9a-f]{32}$/);
  fixture.ack("outcome");
  assert.equal(fixture.running.version, "0.1.0");
  fixture.update(next, offer);
  assert.equal(fixture.running.version, "0.2.0");
  assert.equal(fixture.outcomes.length, 2);
});

test("the outcome is kept across restarts until its PUBACK, and never said after it", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push({ ...offer, digest: { algorithm: "MD5", hex: "0".repeat(32) } });
  fixture.deliverTwice(next);
  fixture.powerOn();
  fixture.connect();
  assert.equal(fixture.outcomes.length, 3, "once at the failure, once at power-on, once at the connection");
  assert.equal(new Set(fixture.outcomes).size, 1);
  assert.equal(fixture.reports.at(-1)?.token, "outcome", "a waiting fail goes out before the version");
  fixture.ack("outcome");
  assert.equal(fixture.reports.at(-1)?.token, "version");
  fixture.powerOn();
  fixture.connect();
  assert.equal(fixture.outcomes.length, 3);
});

test("an expired URL is asked for again by a version report; the job fails only when that does not help", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 2 * SECTOR);
  const before = fixture.reports.length;
  fixture.dispatch({ type: "expired", message: "HTTP 403" });
  assert.equal(fixture.reports.at(-1)?.token, "version");
  assert.equal(fixture.reports.length, before + 1);
  fixture.push({ ...offer, url: "http://files/fw.bin?sign=fresh" });
  assert.equal(fixture.downloads.at(-1)?.url, "http://files/fw.bin?sign=fresh");
  for (let renewal = 1; renewal < URL_RENEWALS; renewal++) {
    fixture.dispatch({ type: "expired", message: "HTTP 403" });
    assert.equal(fixture.state, "renewing");
    fixture.push({ ...offer, url: `http://files/fw.bin?sign=${renewal}` });
  }
  fixture.dispatch({ type: "expired", message: "HTTP 403" });
  assert.deepEqual(fixture.outcomes, [`url-expired: HTTP 403; asked for a fresh URL ${URL_RENEWALS} times`]);
});

test("nobody answers with a fresh URL: asked again as often as allowed, but time without a connection does not count", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 2 * SECTOR);
  fixture.dispatch({ type: "expired", message: "HTTP 403" });
  fixture.disconnect();
  for (let time = 0; time < 2 * URL_RENEWALS; time++) {
    const before = fixture.now;
    fixture.wait();
    assert.ok(fixture.now > before);
  }
  assert.deepEqual([fixture.state, fixture.outcomes], ["renewing", []]);
  fixture.connect();
  const from = fixture.reports.length;
  for (let time = 1; time < URL_RENEWALS; time++) fixture.wait();
  assert.deepEqual(
    fixture.reports.slice(from).map(({ report }) => report.kind),
    Array<string>(URL_RENEWALS - 1).fill("version"),
  );
  fixture.wait();
  assert.deepEqual(fixture.outcomes, [`url-expired: HTTP 403; asked for a fresh URL ${URL_RENEWALS} times`]);
});

test("a transport failure keeps the checkpoint for the next push of the same image", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 4 * SECTOR);
  fixture.dispatch({ type: "download-failed", cause: "download-timeout", message: "no new sector for 15 minutes" });
  fixture.ack("outcome");
  fixture.powerOn();
  fixture.connect();
  fixture.push(offer);
  assert.equal(fixture.downloads.at(-1)?.offset, 4 * SECTOR);
});
