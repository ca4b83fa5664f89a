import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR, URL_RENEWALS } from "../../src/constants";
import { JobDesk, image, offerOf } from "./job-desk";

import { next, offer } from "./life-fixture";

test("a good update: percent first, burning, restart into the new slot, confirm, version, done", () => {
  const desk = new JobDesk();
  desk.update(next, offer);
  assert.deepEqual(desk.running, { version: "0.2.0", slot: "ota_1", state: "valid" });
  const kinds = desk.reports.map(({ report }) => (report.kind === "progress" ? `${report.percent}%` : report.kind));
  assert.deepEqual(kinds, ["version", "0%", "100%", "burning", "version", "outcome"]);
  assert.deepEqual(desk.outcomes, ["done"]);
  const versions = desk.reports.flatMap(({ report }) => (report.kind === "version" ? [report.version] : []));
  assert.deepEqual(versions, ["0.1.0", "0.2.0"]);
  assert.equal(desk.state, "idle");
});

test("each sector of the target is erased once, none of the running slot", () => {
  const desk = new JobDesk();
  const erases = new Map<number, number>();
  desk.board.chip.onOperation = (operation) => {
    if (operation.kind === "erase") erases.set(operation.address, (erases.get(operation.address) ?? 0) + 1);
  };
  desk.update(next, offer);
  const [running, target] = desk.board.table.slots;
  for (const [address, count] of erases) {
    assert.ok(
      address < running.address || address >= target.address,
      `running slot erased at 0x${address.toString(16)}`,
    );
    if (address >= target.address) assert.equal(count, 1);
  }
  assert.equal(
    [...erases.keys()].filter((address) => address >= target.address).length,
    Math.ceil(next.length / SECTOR),
  );
});

test("the head stays erased in flash until everything is proven", () => {
  const desk = new JobDesk();
  const { address } = desk.board.table.slots[1];
  const head = new Uint8Array(16);
  desk.connect();
  desk.push(offer);
  desk.deliver(next, next.length - 1);
  desk.board.chip.read(address, head);
  assert.deepEqual(head, new Uint8Array(16).fill(0xff));
  desk.dispatch({ type: "finished" });
  desk.board.chip.read(address, head);
  assert.deepEqual(head, next.slice(0, 16));
});

test("after a power cut the download resumes at the checkpoint, by itself after the delay or at once with a fresh push", () => {
  for (const fresh of [false, true]) {
    const desk = new JobDesk();
    desk.connect();
    desk.push(offer);
    desk.deliver(next, 3 * SECTOR);
    desk.powerOn();
    assert.equal(desk.state, "waiting");
    if (fresh) desk.push({ ...offer, url: "http://files/fw.bin?sign=2" });
    else desk.wait();
    const last = desk.downloads.at(-1);
    assert.equal(last?.offset, 3 * SECTOR);
    assert.equal(last?.url, fresh ? "http://files/fw.bin?sign=2" : offer.url);
    assert.ok(desk.notices.some((notice) => notice.event === "resume" && notice.offset === 3 * SECTOR));
    const percents = desk.reports.flatMap(({ report }) => (report.kind === "progress" ? [report.percent] : []));
    assert.equal(
      percents.at(-1),
      Math.floor((3 * SECTOR * 100) / next.length),
      "progress goes on at the current percent",
    );
    desk.connect();
    desk.deliver(next);
    desk.ack("burning");
    desk.connect();
    assert.deepEqual(desk.outcomes, ["done"]);
  }
});

test("a checkpoint is only for the same image: another digest, size or version starts clean", () => {
  const other = image("0.2.0", 24_000, { payload: new TextEncoder().encode("something else") });
  for (const [file, change] of [
    [other, {}],
    [image("0.2.0", 28_000), {}],
    [image("0.3.0"), { version: "0.3.0" }],
  ] as const) {
    const desk = new JobDesk();
    desk.connect();
    desk.push(offer);
    desk.deliver(next, 2 * SECTOR);
    desk.powerOn();
    desk.connect();
    desk.push(offerOf(file, "0.2.0", change));
    assert.equal(desk.downloads.at(-1)?.offset, 0);
    desk.deliver(file);
    desk.ack("burning");
    desk.connect();
    assert.deepEqual(desk.outcomes, ["done"]);
  }
});

test("what is in flash must be what was offered: another digest is -4, the running firmware stays, the next offer is taken", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push({ ...offer, digest: { algorithm: "MD5", hex: "0".repeat(32) } });
  desk.deliverTwice(next);
  assert.match(desk.outcomes[0] ?? "", /^digest-mismatch: MD5 of what is in flash is [0-9a-f]{32}$/);
  desk.ack("outcome");
  assert.equal(desk.running.version, "0.1.0");
  desk.update(next, offer);
  assert.equal(desk.running.version, "0.2.0");
  assert.equal(desk.outcomes.length, 2);
});

test("the outcome is kept across restarts until its PUBACK, and never said after it", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push({ ...offer, digest: { algorithm: "MD5", hex: "0".repeat(32) } });
  desk.deliverTwice(next);
  desk.powerOn();
  desk.connect();
  assert.equal(desk.outcomes.length, 3, "once at the failure, once at power-on, once at the connection");
  assert.equal(new Set(desk.outcomes).size, 1);
  assert.equal(desk.reports.at(-1)?.token, "outcome", "a waiting fail goes out before the version");
  desk.ack("outcome");
  assert.equal(desk.reports.at(-1)?.token, "version");
  desk.powerOn();
  desk.connect();
  assert.equal(desk.outcomes.length, 3);
});

test("an expired URL is asked for again by a version report; the job fails only when that does not help", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  desk.deliver(next, 2 * SECTOR);
  const before = desk.reports.length;
  desk.dispatch({ type: "expired", message: "HTTP 403" });
  assert.equal(desk.reports.at(-1)?.token, "version");
  assert.equal(desk.reports.length, before + 1);
  desk.push({ ...offer, url: "http://files/fw.bin?sign=fresh" });
  assert.equal(desk.downloads.at(-1)?.url, "http://files/fw.bin?sign=fresh");
  for (let renewal = 1; renewal < URL_RENEWALS; renewal++) {
    desk.dispatch({ type: "expired", message: "HTTP 403" });
    assert.equal(desk.state, "renewing");
    desk.push({ ...offer, url: `http://files/fw.bin?sign=${renewal}` });
  }
  desk.dispatch({ type: "expired", message: "HTTP 403" });
  assert.deepEqual(desk.outcomes, [`url-expired: HTTP 403; asked for a fresh URL ${URL_RENEWALS} times`]);
});

test("nobody answers with a fresh URL: asked again as often as allowed, but time without a connection does not count", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  desk.deliver(next, 2 * SECTOR);
  desk.dispatch({ type: "expired", message: "HTTP 403" });
  desk.disconnect();
  for (let time = 0; time < 2 * URL_RENEWALS; time++) {
    const before = desk.now;
    desk.wait();
    assert.ok(desk.now > before);
  }
  assert.deepEqual([desk.state, desk.outcomes], ["renewing", []]);
  desk.connect();
  const from = desk.reports.length;
  for (let time = 1; time < URL_RENEWALS; time++) desk.wait();
  assert.deepEqual(
    desk.reports.slice(from).map(({ report }) => report.kind),
    Array<string>(URL_RENEWALS - 1).fill("version"),
  );
  desk.wait();
  assert.deepEqual(desk.outcomes, [`url-expired: HTTP 403; asked for a fresh URL ${URL_RENEWALS} times`]);
});

test("a transport failure keeps the checkpoint for the next push of the same image", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  desk.deliver(next, 4 * SECTOR);
  desk.dispatch({ type: "download-failed", cause: "download-timeout", message: "no new sector for 15 minutes" });
  desk.ack("outcome");
  desk.powerOn();
  desk.connect();
  desk.push(offer);
  assert.equal(desk.downloads.at(-1)?.offset, 4 * SECTOR);
});
