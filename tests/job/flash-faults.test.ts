/** Flash that does not hold what is written, digests that differ, and sectors that come again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { RECORDS } from "../../src/job/records";
import { JobDesk, image } from "./job-desk";

import { next, offer, wrong } from "./life-fixture";

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
