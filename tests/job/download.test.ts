/**
 * The download as the job sees it: what the server tells, URLs that expire, and the order of what is stored and what is
 * begun.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryBoard } from "../../hal/model-chip/memory-board";
import { SECTOR, URL_RENEWALS } from "../../src/constants";
import type { JobEvent } from "../../src/job/effects";
import type { Offer } from "../../src/job/types";
import { PartitionInstaller } from "../../src/modules/partition-installer";
import { JobFixture, image, offerOf } from "./job-fixture";

const next = image("0.2.0");
const offer = offerOf(next, "0.2.0");
const unknown: Offer = { ...offer, size: 0 };
const total = (size: number, validator?: string): JobEvent => ({ type: "total", size, validator });
const expired: JobEvent = { type: "expired", message: "HTTP 403" };
const modules = (board: MemoryBoard) => ({ assets: new PartitionInstaller(board.ports.partition("assets")) });

/** Types of the effects of one event, which are not carried out. */
const effectsOf = (on: JobFixture, event: JobEvent): string[] =>
  on.job.handle(event, on.now).flatMap((effect) => (effect.type === "notify" ? [] : [effect.type]));

/** A download that was broken off after `sectors`. */
function brokenOff(on: JobFixture, of: Offer, file: Uint8Array, sectors: number): void {
  on.push(of);
  on.deliver(file, sectors * SECTOR);
  on.dispatch({ type: "download-failed", cause: "download-timeout", message: "stalled" });
  on.ack("outcome");
}

test("the size that the server tells is stored before the download goes on behind what is there", () => {
  const on = new JobFixture();
  brokenOff(on, unknown, next, 3);
  on.push(unknown);
  assert.deepEqual(effectsOf(on, total(next.length)), [
    "stop-download",
    "put-bytes",
    "invalidate",
    "report",
    "yield",
    "download",
  ]);
});

test("a size without a checkpoint of the image is stored, and nothing left of another image stays", () => {
  const on = new JobFixture();
  on.push(unknown);
  assert.deepEqual(effectsOf(on, total(next.length)), ["delete", "delete", "delete", "put-bytes"]);
  assert.deepEqual(effectsOf(on, total(next.length)), [], "told once more");
});

test("the running version offered without its size: the download ends, and what runs is looked at", () => {
  const running = image("0.1.0");
  const on = new JobFixture({ factory: running });
  on.push({ ...offerOf(running, "0.1.0"), size: 0 });
  assert.equal(on.downloading, true);
  assert.deepEqual(effectsOf(on, total(running.length)), [
    "stop-download",
    "delete",
    "delete",
    "delete",
    "put-bytes",
    "read",
  ]);
});

test("a module's installer is opened behind the record, where writing goes on", () => {
  const { digest: _digest, ...part } = { ...offer, module: "assets", component: "assets" };
  const on = new JobFixture({ modules, policy: { allowNoDigest: true } });
  on.push(part);
  assert.deepEqual(effectsOf(on, total(next.length, '"one"')), ["put-bytes", "open-component"]);
  const later = new JobFixture({ modules, policy: { allowNoDigest: true } });
  later.push({ ...part, size: 0 });
  assert.deepEqual(effectsOf(later, total(next.length, '"one"')), ["delete", "delete", "put-bytes", "open-component"]);
});

test("an image that is whole in flash already is not downloaded, only proven", () => {
  const on = new JobFixture({ answers: { restart: false } });
  on.connect();
  on.push(offer);
  on.deliver(next);
  on.ack("burning");
  on.answers = { consent: true, restart: false };
  on.push(offerOf(image("0.3.0"), "0.3.0"));
  on.dispatch({ type: "consent", decision: "reject" });
  on.answers = { restart: false };
  on.push(offer);
  assert.deepEqual([on.state, on.downloads.length], ["burning", 1]);
});

test("a module that is whole already: its installer is opened at the end, and then all is read", () => {
  const part = { ...offer, module: "assets", component: "assets" };
  const on = new JobFixture({ modules });
  on.push(part);
  on.deliver(next, next.length - 1);
  on.dispatch({ type: "expired", message: "HTTP 403" });
  assert.equal(on.state, "renewing", "all is stored, but the downloader has not said so");
  on.answers = { consent: true };
  on.push({ ...part, version: "0.3.0" });
  on.dispatch({ type: "consent", decision: "reject" });
  on.push(part);
  assert.deepEqual(effectsOf(on, { type: "consent", decision: "accept" }).slice(-3), [
    "report",
    "open-component",
    "read",
  ]);
});

test("a module that was installed and is pushed again is downloaded again: its installer has made use of what was there", () => {
  const part = { ...offer, module: "assets", component: "assets" };
  const on = new JobFixture({ modules });
  on.connect();
  for (const time of [1, 2]) {
    on.push(part);
    assert.deepEqual(
      on.downloads.map(({ offset }) => offset),
      Array.from({ length: time }, () => 0),
    );
    on.deliver(next);
    on.ack("outcome");
  }
  assert.deepEqual(on.outcomes, ["done", "done"]);
});

test("each download says its first percent at once", () => {
  const on = new JobFixture();
  const percents = (): number[] =>
    on.reports.flatMap(({ report }) => (report.kind === "progress" ? [report.percent] : []));
  brokenOff(on, { ...offer, digest: { algorithm: "MD5", hex: "1".repeat(32) } }, next, 1);
  assert.deepEqual(percents(), [0]);
  on.push(offer);
  assert.deepEqual(percents(), [0, 0]);
});

test("a sector out of turn, and a readback that nobody waits for, change nothing", () => {
  const on = new JobFixture();
  on.push(offer);
  on.deliver(next, 2 * SECTOR);
  for (const offset of [0, SECTOR, 3 * SECTOR])
    assert.deepEqual(effectsOf(on, { type: "sector", offset, bytes: next.slice(offset, offset + SECTOR) }), []);
  assert.deepEqual(effectsOf(on, { type: "compared", equal: true }), []);
  on.powerOn();
  on.wait();
  assert.equal(on.downloads.at(-1)?.offset, 2 * SECTOR);
});

test("what the server tells of a file whose size was known changes nothing, wherever the download goes on", () => {
  const on = new JobFixture();
  brokenOff(on, offer, next, 3);
  on.push(offer);
  assert.deepEqual(effectsOf(on, total(next.length, '"one"')), []);
});

test("while a fresh URL is asked for nothing else of the download counts", () => {
  const on = new JobFixture({ modules });
  on.connect();
  on.push({ ...offer, module: "assets", component: "assets" });
  on.deliver(next, SECTOR);
  on.dispatch(expired);
  const late: JobEvent[] = [
    total(1 << 30),
    total(next.length),
    { type: "sector", offset: SECTOR, bytes: next.slice(SECTOR, 2 * SECTOR) },
    expired,
    { type: "finished" },
  ];
  for (const event of late) assert.deepEqual(effectsOf(on, event), [], event.type);
  assert.equal(on.state, "renewing");
});

test("a fresh URL is stored before the download has it", () => {
  const on = new JobFixture();
  on.connect();
  on.push(offer);
  on.dispatch(expired);
  assert.deepEqual(effectsOf(on, { type: "offer", offer: { ...offer, url: "http://files/fresh" } }), [
    "put-bytes",
    "renew",
  ]);
  assert.equal(on.state, "downloading");
});

test("a fresh URL is the one that the download goes on with after a power cut", () => {
  const on = new JobFixture();
  on.connect();
  on.push(offer);
  on.dispatch(expired);
  on.push({ ...offer, url: "http://files/fresh" });
  on.deliver(next, SECTOR);
  on.powerOn();
  on.wait();
  assert.deepEqual(on.downloads.at(-1), { ...on.downloads.at(-1), url: "http://files/fresh", offset: SECTOR });
});

test("a module's download takes no boot entry away from the firmware that could be gone back to", () => {
  const on = new JobFixture({ modules });
  on.update(next, offer);
  const { address, size } = on.board.table.data("assets");
  const { nvs } = on.board.table;
  const elsewhere: string[] = [];
  on.board.chip.onOperation = ({ kind, address: place }) => {
    if (![{ address, size }, nvs].some((inside) => place >= inside.address && place < inside.address + inside.size))
      elsewhere.push(`${kind} ${place}`);
  };
  on.push({ ...offer, module: "assets", component: "assets" });
  on.deliver(next);
  on.ack("outcome");
  assert.deepEqual([on.outcomes, elsewhere], [["done", "done"], []]);
});

test("a URL that was pushed in the meantime is tried before the cloud is asked for one, once", () => {
  const on = new JobFixture();
  on.connect();
  on.push(offer);
  on.push({ ...offer, url: "http://files/fresh" });
  assert.deepEqual(effectsOf(on, expired), ["put-bytes", "renew"]);
  assert.deepEqual(effectsOf(on, expired), ["put-number", "report"]);
  assert.equal(on.state, "renewing");
});

test("a device that restarts at each renewal asks for three fresh URLs, unless a sector comes in between", () => {
  const on = new JobFixture();
  on.connect();
  on.push(offer);
  const again = (): void => {
    on.dispatch(expired);
    if (on.state !== "renewing") return;
    on.powerOn();
    on.connect();
    on.push({ ...offer, url: `http://files/${on.now}` });
  };
  for (let sector = 0; sector <= URL_RENEWALS; sector++) {
    on.dispatch({ type: "sector", offset: sector * SECTOR, bytes: next.slice(sector * SECTOR, (sector + 1) * SECTOR) });
    again();
  }
  for (let time = 1; time < URL_RENEWALS; time++) again();
  assert.deepEqual([on.state, on.outcomes], ["downloading", []]);
  again();
  assert.equal(on.outcomes[0], "url-expired: HTTP 403; asked for a fresh URL 3 times");
});

test("a renewal that nobody could be asked for does not count after a restart", () => {
  const on = new JobFixture();
  on.connect();
  on.push(offer);
  on.deliver(next, SECTOR);
  for (let time = 0; time < 2 * URL_RENEWALS; time++) {
    on.disconnect();
    on.dispatch(expired);
    assert.equal(on.state, "renewing");
    on.powerOn();
    on.connect();
    on.push({ ...offer, url: `http://files/${time}` });
    assert.equal(on.state, "downloading");
  }
});

test("a job asks for three fresh URLs in all, however many sectors come in between", () => {
  const on = new JobFixture();
  on.connect();
  on.push(offer);
  const versions = (): number => on.reports.filter(({ token }) => token === "version").length;
  const before = versions();
  for (let time = 0; time < URL_RENEWALS; time++) {
    on.dispatch({ type: "sector", offset: time * SECTOR, bytes: next.slice(time * SECTOR, (time + 1) * SECTOR) });
    on.dispatch(expired);
    assert.equal(on.state, "renewing", `${time}`);
    on.push({ ...offer, url: `http://files/${time}` });
  }
  on.dispatch({ type: "sector", offset: 3 * SECTOR, bytes: next.slice(3 * SECTOR, 4 * SECTOR) });
  on.dispatch(expired);
  assert.equal(on.outcomes[0], "url-expired: HTTP 403; asked for a fresh URL 3 times");
  assert.equal(versions() - before, URL_RENEWALS);
});

test("a cloud that can not be asked for a fresh URL: the job fails, and what is stored counts for the next push", () => {
  const on = new JobFixture({ rules: { renewable: false } });
  on.connect();
  on.push(offer);
  on.deliver(next, 2 * SECTOR);
  on.dispatch(expired);
  assert.deepEqual(on.outcomes, ["url-expired: HTTP 403"]);
  on.ack("outcome");
  on.push(offer);
  assert.equal(on.downloads.at(-1)?.offset, 2 * SECTOR);
});
