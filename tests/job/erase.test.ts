/**
 * How the slot is erased: by blocks where that pays, one block ahead, and only what was erased to its end counts as
 * erased.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { JobFixture, image, offerOf } from "./job-fixture";

/** Bytes of 40 sectors: two blocks, and eight sectors of a third. */
const next = image("0.2.0", 40 * SECTOR);
const offer = offerOf(next, "0.2.0");

/** Erases of the target slot so far: of blocks, of sectors, and of the sector that was erased most. */
function erases({ board }: JobFixture): { blocks: number; sectors: number; most: number } {
  const { address, size } = board.table.slots[1];
  const { erases: all, blockErases, mostErases } = board.chip.counts(address, size);
  return { blocks: blockErases, sectors: all - 16 * blockErases, most: mostErases };
}

test("a slot is erased block by block: nothing before the first sector was looked at, then at most a block ahead", () => {
  const on = new JobFixture();
  on.push(offer);
  assert.deepEqual(erases(on), { blocks: 0, sectors: 0, most: 0 });
  on.deliver(next, SECTOR);
  assert.deepEqual(erases(on), { blocks: 2, sectors: 0, most: 1 });
  on.deliver(next, 16 * SECTOR);
  assert.deepEqual(erases(on), { blocks: 2, sectors: 0, most: 1 }, "not further ahead than one block");
  on.deliver(next);
  assert.deepEqual(erases(on), { blocks: 3, sectors: 0, most: 1 });
});

test("two blocks are erased in two turns: what waits is read in between, and the store knows of each", () => {
  const on = new JobFixture();
  on.push(offer);
  const order: string[] = [];
  on.onHandled = (_event, effects) => void order.push(...effects.map(({ type }) => type));
  on.deliver(next, SECTOR);
  const erase = order.filter((type) => ["erase", "write", "put-number", "yield"].includes(type)).join(" ");
  assert.match(erase, /erase put-number write yield put-number erase put-number$/);
});

test("a rewind in front of a block that was erased ahead, and a power cut: what is stored is never erased", () => {
  for (const cut of [false, true]) {
    const on = new JobFixture();
    on.push(offer);
    on.deliver(next, 18 * SECTOR);
    if (cut) {
      on.powerOn("power-on");
      on.connect();
      on.push(offer);
    }
    on.dispatch({ type: "turn" });
    on.deliver(next);
    on.ack("burning");
    assert.equal(on.running.version, "0.2.0", "the image was right");
    assert.deepEqual(erases(on), { blocks: 3, sectors: cut ? 1 : 0, most: cut ? 2 : 1 });
  }
});

test("an application that erased by sectors before, and by blocks now: a block that is begun is not erased whole", () => {
  const on = new JobFixture({ policy: { eraseBlock: 4 } });
  on.push(offer);
  on.deliver(next, 20 * SECTOR);
  on.policy = { eraseBlock: 64 };
  on.powerOn("power-on");
  on.connect();
  on.push(offer);
  on.deliver(next);
  on.ack("burning");
  assert.equal(on.running.version, "0.2.0", "the image was right");
});

test("the last sectors of an image are erased one by one where that takes less time than a block", () => {
  const on = new JobFixture();
  const file = image("0.2.0", 20 * SECTOR);
  on.push(offerOf(file, "0.2.0"));
  on.deliver(file);
  assert.deepEqual(erases(on), { blocks: 1, sectors: 4, most: 1 });
});

test("eraseBlock 4 erases sector by sector", () => {
  const on = new JobFixture({ policy: { eraseBlock: 4 } });
  on.push(offer);
  on.deliver(next);
  assert.deepEqual(erases(on), { blocks: 0, sectors: 40, most: 1 });
});

test("after a power cut the sector that was being written is erased once more, and nothing else", () => {
  const on = new JobFixture();
  on.push(offer);
  on.deliver(next, 5 * SECTOR);
  on.powerOn("power-on");
  on.connect();
  on.push(offer);
  on.deliver(next);
  assert.deepEqual(erases(on), { blocks: 3, sectors: 1, most: 2 });
  on.ack("burning");
  assert.equal(on.running.version, "0.2.0", "the image was right");
});

test("a connection that breaks costs no erase", () => {
  const on = new JobFixture();
  on.push(offer);
  on.deliver(next, 5 * SECTOR);
  on.dispatch({ type: "expired", message: "HTTP 403" });
  on.push({ ...offer, url: "http://files/fw.bin?sign=2" });
  on.deliver(next);
  assert.deepEqual(erases(on), { blocks: 3, sectors: 0, most: 1 });
});

test("sectors that come again are erased again", () => {
  const on = new JobFixture();
  on.push(offer);
  on.deliver(next, 20 * SECTOR);
  on.dispatch({ type: "rewind", offset: 18 * SECTOR });
  on.deliver(next);
  assert.deepEqual(erases(on), { blocks: 3, sectors: 14, most: 2 });
});
