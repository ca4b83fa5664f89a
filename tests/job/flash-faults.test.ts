/** Flash that does not hold what is written, digests that differ, and sectors that come again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { RECORDS } from "../../src/job/records";
import { JobFixture, image } from "./job-fixture";

import { next, offer, wrong } from "./life-fixture";

test("flash that does not hold what is written fails the job with the address, after two repairs", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  let programs = 0;
  const bad = fixture.board.table.slots[1].address + SECTOR;
  const { flash } = fixture.board.ports;
  const { write } = flash;
  flash.write = (offset, bytes) => {
    if (offset === SECTOR) programs++;
    write.call(flash, offset, offset === SECTOR ? bytes.map((byte) => byte & 0xf0) : bytes);
  };
  fixture.deliver(next);
  assert.equal(programs, 3);
  assert.match(fixture.outcomes[0] ?? "", /^flash: flash at 0x1000 does not hold/);
  assert.ok(bad > 0);
});

test("a head that does not read back is programmed again, twice at most; then the slot is left without one", () => {
  for (const bad of [2, 3]) {
    const fixture = new JobFixture();
    fixture.connect();
    fixture.push(offer);
    fixture.deliver(next, next.length - 1);
    const { flash } = fixture.board.ports;
    const write = flash.write.bind(flash);
    let programs = 0;
    flash.write = (offset, bytes) => {
      programs++;
      write(offset, programs <= bad ? bytes.subarray(0, 4) : bytes);
    };
    fixture.dispatch({ type: "finished" });
    assert.equal(programs, 3);
    const head = new Uint8Array(16);
    flash.read(0, head);
    if (bad === 2) assert.deepEqual([fixture.state, head], ["burning", next.slice(0, 16)]);
    else
      assert.deepEqual(
        [fixture.outcomes, head],
        [["flash: flash at 0x0 does not hold the first 16 bytes"], new Uint8Array(16).fill(0xff)],
      );
  }
});

test("a digest that differs at the right length is answered by one more download before it is reported", () => {
  const old = image("0.2.0", 24_000, { payload: new TextEncoder().encode("before the change") });
  for (const good of [true, false]) {
    const fixture = new JobFixture();
    fixture.connect();
    fixture.push(good ? offer : wrong);
    fixture.deliver(old, 3 * SECTOR);
    for (let offset = 3 * SECTOR; offset < next.length; offset += SECTOR)
      fixture.dispatch({ type: "sector", offset, bytes: next.slice(offset, offset + SECTOR) });
    const { store } = fixture.board.ports;
    let before = fixture.downloads.length;
    const remove = store.delete.bind(store);
    store.delete = (key) => {
      if (key === RECORDS.firmwareOffset.key) before = fixture.downloads.length;
      remove(key);
    };
    fixture.dispatch({ type: "finished" });
    assert.deepEqual(
      [fixture.state, fixture.downloads.length, fixture.downloads.at(-1)?.offset],
      ["downloading", 2, 0],
    );
    assert.equal(before, 1, "the checkpoint goes before the download begins");
    assert.equal(store.getNumber(RECORDS.firmwareOffset.key), undefined);
    assert.deepEqual(fixture.outcomes, []);
    fixture.deliver(next);
    if (good) assert.equal(fixture.state, "burning");
    else assert.match(fixture.outcomes[0] ?? "", /^digest-mismatch: /);
    assert.equal(fixture.downloads.length, 2);
  }
});

test("the one more download is remembered over power cuts: there is no third", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(wrong);
  fixture.deliver(next);
  assert.equal(fixture.downloads.length, 2);
  fixture.deliver(next, 2 * SECTOR);
  for (let cut = 0; cut < 3; cut++) {
    fixture.powerOn();
    fixture.wait();
    assert.deepEqual([fixture.state, fixture.downloads.at(-1)?.offset], ["downloading", 2 * SECTOR]);
  }
  const downloads = fixture.downloads.length;
  fixture.deliver(next);
  fixture.connect();
  assert.match(fixture.outcomes[0] ?? "", /^digest-mismatch: /);
  assert.equal(fixture.downloads.length, downloads);
  fixture.ack("outcome");
  fixture.push(wrong);
  fixture.deliver(next);
  assert.equal(fixture.state, "downloading", "the next job has one of its own");
});

test("a sector that changes after it was read back is no verdict on the image: it is downloaded once more", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, next.length - 1);
  fixture.board.ports.flash.write(2 * SECTOR, new Uint8Array(64));
  fixture.dispatch({ type: "finished" });
  assert.deepEqual([fixture.state, fixture.downloads.at(-1)?.offset], ["downloading", 0]);
  fixture.deliver(next);
  fixture.ack("burning");
  fixture.connect();
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("a download that nothing interrupts is read back once, and after a power cut once more", () => {
  for (const cut of [false, true]) {
    const fixture = new JobFixture({ answers: { restart: false } });
    fixture.connect();
    fixture.push(offer);
    fixture.deliver(next, 2 * SECTOR);
    if (cut) {
      fixture.powerOn();
      fixture.connect();
      fixture.push(offer);
    }
    let read = 0;
    const { flash } = fixture.board.ports;
    const { read: plain } = flash;
    flash.read = (offset, into) => {
      read += into.length;
      plain.call(flash, offset, into);
    };
    fixture.deliver(next);
    assert.equal(fixture.state, "burning");
    assert.equal(read, cut ? next.length - 16 : 0);
  }
});

test("bytes that spoil after the head is in flash: the slot is unbootable before the download begins again", () => {
  const fixture = new JobFixture({ answers: { restart: false } });
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next);
  fixture.ack("burning");
  assert.equal(fixture.state, "restart");
  fixture.board.ports.flash.write(3 * SECTOR, new Uint8Array(64));
  fixture.powerOn();
  assert.deepEqual([fixture.state, fixture.downloads.at(-1)?.offset], ["downloading", 0]);
  const head = new Uint8Array(16);
  fixture.board.ports.flash.read(0, head);
  assert.deepEqual(head, new Uint8Array(16).fill(0xff));
  fixture.answers = {};
  fixture.deliver(next);
  fixture.ack("burning");
  fixture.connect();
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("an offer without a digest: the signature that does not fit is answered by one more download as well", () => {
  const { digest: _digest, ...undigested } = offer;
  let refusals = 0;
  const fixture = new JobFixture({
    policy: { allowNoDigest: true },
    refusalOfSignature: () => (refusals++ === 0 ? "bytes are missing" : undefined),
  });
  fixture.connect();
  fixture.push(undigested);
  fixture.deliver(next);
  assert.deepEqual([fixture.state, fixture.downloads.length], ["downloading", 2]);
  fixture.deliver(next);
  fixture.ack("burning");
  fixture.connect();
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("sectors that are not to be trusted any more come again, also after a power cut", () => {
  for (const [offset, cut] of [
    [2 * SECTOR, false],
    [2 * SECTOR, true],
    [0, false],
    [0, true],
  ] as const) {
    const fixture = new JobFixture();
    fixture.connect();
    fixture.push(offer);
    fixture.deliver(next, 2 * SECTOR);
    const bad = new Uint8Array(SECTOR).fill(7);
    fixture.dispatch({ type: "sector", offset: 2 * SECTOR, bytes: bad });
    fixture.dispatch({ type: "sector", offset: 3 * SECTOR, bytes: bad });
    fixture.dispatch({ type: "rewind", offset });
    if (cut) {
      fixture.powerOn();
      fixture.connect();
      fixture.wait();
      assert.equal(fixture.downloads.at(-1)?.offset, offset);
    }
    for (let at: number = offset; at < next.length; at += SECTOR)
      fixture.dispatch({ type: "sector", offset: at, bytes: next.slice(at, at + SECTOR) });
    fixture.dispatch({ type: "finished" });
    fixture.ack("burning");
    fixture.connect();
    assert.deepEqual(fixture.outcomes, ["done"], `from ${offset}${cut ? ", with a cut" : ""}`);
  }
});

test("a rewind outside a download changes nothing", () => {
  const fixture = new JobFixture();
  assert.deepEqual(fixture.job.handle({ type: "rewind", offset: 0 }, 0), []);
});

test("a download that begins anew forgets what it has stored", () => {
  const fixture = new JobFixture();
  fixture.dispatch({ type: "start-over", reason: "nobody has asked" });
  fixture.connect();
  fixture.push(offer);
  fixture.deliver(next, 3 * SECTOR);
  fixture.dispatch({ type: "start-over", reason: "the server sends the whole file" });
  fixture.powerOn();
  fixture.wait();
  assert.equal(fixture.downloads.at(-1)?.offset, 0);
});

test("without digest and signature there is nothing to compare: the slot is not read a second time", () => {
  const { digest: _digest, ...undigested } = offer;
  const fixture = new JobFixture({ policy: { allowNoDigest: true } });
  fixture.connect();
  fixture.push(undigested);
  fixture.deliver(next);
  assert.ok(!fixture.notices.some((notice) => notice.event === "state" && notice.state === "verifying"));
  fixture.ack("burning");
  fixture.connect();
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("a digest that differs after a fresh URL came is answered by one more download as well", () => {
  const fixture = new JobFixture();
  fixture.connect();
  fixture.push(wrong);
  fixture.deliver(next, 2 * SECTOR);
  fixture.dispatch({ type: "expired", message: "HTTP 403" });
  fixture.push({ ...wrong, url: "http://files/fw.bin?sign=2" });
  fixture.deliver(next);
  assert.deepEqual([fixture.state, fixture.downloads.at(-1)?.offset], ["downloading", 0]);
});
