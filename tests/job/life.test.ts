import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR, URL_RENEWALS } from "../../src/constants";
import { RECORDS } from "../../src/job/records";
import { JobDesk, image, offerOf } from "./job-desk";

const next = image("0.2.0");
const offer = offerOf(next, "0.2.0");
const wrong = { ...offer, digest: { algorithm: "MD5", hex: "0".repeat(32) } } as const;

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

test("flash that does not hold what is written fails the job with the address, after two repairs", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(offer);
  let programs = 0;
  const bad = desk.board.table.slots[1].address + SECTOR;
  const { flash } = desk.board.ports;
  const { write } = flash;
  flash.write = (offset, bytes) => {
    if (offset === SECTOR) programs++;
    write.call(flash, offset, offset === SECTOR ? bytes.map((byte) => byte & 0xf0) : bytes);
  };
  desk.deliver(next);
  assert.equal(programs, 3);
  assert.match(desk.outcomes[0] ?? "", /^flash: flash at 0x1000 does not hold/);
  assert.ok(bad > 0);
});

test("a head that does not read back is programmed again, twice at most; then the slot is left without one", () => {
  for (const bad of [2, 3]) {
    const desk = new JobDesk();
    desk.connect();
    desk.push(offer);
    desk.deliver(next, next.length - 1);
    const { flash } = desk.board.ports;
    const write = flash.write.bind(flash);
    let programs = 0;
    flash.write = (offset, bytes) => {
      programs++;
      write(offset, programs <= bad ? bytes.subarray(0, 4) : bytes);
    };
    desk.dispatch({ type: "finished" });
    assert.equal(programs, 3);
    const head = new Uint8Array(16);
    flash.read(0, head);
    if (bad === 2) assert.deepEqual([desk.state, head], ["burning", next.slice(0, 16)]);
    else
      assert.deepEqual(
        [desk.outcomes, head],
        [["flash: flash at 0x0 does not hold the first 16 bytes"], new Uint8Array(16).fill(0xff)],
      );
  }
});

test("a digest that differs at the right length is answered by one more download before it is reported", () => {
  const old = image("0.2.0", 24_000, { payload: new TextEncoder().encode("before the change") });
  for (const good of [true, false]) {
    const desk = new JobDesk();
    desk.connect();
    desk.push(good ? offer : wrong);
    desk.deliver(old, 3 * SECTOR);
    for (let offset = 3 * SECTOR; offset < next.length; offset += SECTOR)
      desk.dispatch({ type: "sector", offset, bytes: next.slice(offset, offset + SECTOR) });
    const { store } = desk.board.ports;
    let before = desk.downloads.length;
    const remove = store.delete.bind(store);
    store.delete = (key) => {
      if (key === RECORDS.firmwareOffset.key) before = desk.downloads.length;
      remove(key);
    };
    desk.dispatch({ type: "finished" });
    assert.deepEqual([desk.state, desk.downloads.length, desk.downloads.at(-1)?.offset], ["downloading", 2, 0]);
    assert.equal(before, 1, "the checkpoint goes before the download begins");
    assert.equal(store.getNumber(RECORDS.firmwareOffset.key), undefined);
    assert.deepEqual(desk.outcomes, []);
    desk.deliver(next);
    if (good) assert.equal(desk.state, "burning");
    else assert.match(desk.outcomes[0] ?? "", /^digest-mismatch: /);
    assert.equal(desk.downloads.length, 2);
  }
});

test("the one more download is remembered over power cuts: there is no third", () => {
  const desk = new JobDesk();
  desk.connect();
  desk.push(wrong);
  desk.deliver(next);
  assert.equal(desk.downloads.length, 2);
  desk.deliver(next, 2 * SECTOR);
  for (let cut = 0; cut < 3; cut++) {
    desk.powerOn();
    desk.wait();
    assert.deepEqual([desk.state, desk.downloads.at(-1)?.offset], ["downloading", 2 * SECTOR]);
  }
  const downloads = desk.downloads.length;
  desk.deliver(next);
  desk.connect();
  assert.match(desk.outcomes[0] ?? "", /^digest-mismatch: /);
  assert.equal(desk.downloads.length, downloads);
  desk.ack("outcome");
  desk.push(wrong);
  desk.deliver(next);
  assert.equal(desk.state, "downloading", "the next job has one of its own");
});

test("bytes that spoil after the head is in flash: the slot is unbootable before the download begins again", () => {
  const desk = new JobDesk({ answers: { restart: false } });
  desk.connect();
  desk.push(offer);
  desk.deliver(next);
  desk.ack("burning");
  assert.equal(desk.state, "restart");
  desk.board.ports.flash.write(3 * SECTOR, new Uint8Array(64));
  desk.powerOn();
  assert.deepEqual([desk.state, desk.downloads.at(-1)?.offset], ["downloading", 0]);
  const head = new Uint8Array(16);
  desk.board.ports.flash.read(0, head);
  assert.deepEqual(head, new Uint8Array(16).fill(0xff));
  desk.answers = {};
  desk.deliver(next);
  desk.ack("burning");
  desk.connect();
  assert.deepEqual(desk.outcomes, ["done"]);
});

test("an offer without a digest: the signature that does not fit is answered by one more download as well", () => {
  const { digest: _digest, ...undigested } = offer;
  let refusals = 0;
  const desk = new JobDesk({
    policy: { allowNoDigest: true },
    refusalOfSignature: () => (refusals++ === 0 ? "bytes are missing" : undefined),
  });
  desk.connect();
  desk.push(undigested);
  desk.deliver(next);
  assert.deepEqual([desk.state, desk.downloads.length], ["downloading", 2]);
  desk.deliver(next);
  desk.ack("burning");
  desk.connect();
  assert.deepEqual(desk.outcomes, ["done"]);
});

test("sectors that are not to be trusted any more come again, also after a power cut", () => {
  for (const [offset, cut] of [
    [2 * SECTOR, false],
    [2 * SECTOR, true],
    [0, false],
    [0, true],
  ] as const) {
    const desk = new JobDesk();
    desk.connect();
    desk.push(offer);
    desk.deliver(next, 2 * SECTOR);
    const bad = new Uint8Array(SECTOR).fill(7);
    desk.dispatch({ type: "sector", offset: 2 * SECTOR, bytes: bad });
    desk.dispatch({ type: "sector", offset: 3 * SECTOR, bytes: bad });
    desk.dispatch({ type: "rewind", offset });
    if (cut) {
      desk.powerOn();
      desk.connect();
      desk.wait();
      assert.equal(desk.downloads.at(-1)?.offset, offset);
    }
    for (let at: number = offset; at < next.length; at += SECTOR)
      desk.dispatch({ type: "sector", offset: at, bytes: next.slice(at, at + SECTOR) });
    desk.dispatch({ type: "finished" });
    desk.ack("burning");
    desk.connect();
    assert.deepEqual(desk.outcomes, ["done"], `from ${offset}${cut ? ", with a cut" : ""}`);
  }
});

test("a rewind outside a download changes nothing", () => {
  const desk = new JobDesk();
  assert.deepEqual(desk.job.handle({ type: "rewind", offset: 0 }, 0), []);
});

test("a download that begins anew forgets what it has stored", () => {
  const desk = new JobDesk();
  desk.dispatch({ type: "start-over", reason: "nobody has asked" });
  desk.connect();
  desk.push(offer);
  desk.deliver(next, 3 * SECTOR);
  desk.dispatch({ type: "start-over", reason: "the server sends the whole file" });
  desk.powerOn();
  desk.wait();
  assert.equal(desk.downloads.at(-1)?.offset, 0);
});

test("without digest and signature there is nothing to compare: the slot is not read a second time", () => {
  const { digest: _digest, ...undigested } = offer;
  const desk = new JobDesk({ policy: { allowNoDigest: true } });
  desk.connect();
  desk.push(undigested);
  desk.deliver(next);
  assert.ok(!desk.notices.some((notice) => notice.event === "state" && notice.state === "verifying"));
  desk.ack("burning");
  desk.connect();
  assert.deepEqual(desk.outcomes, ["done"]);
});
