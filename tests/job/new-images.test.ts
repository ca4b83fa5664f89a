/** The budget of new images: ever new files wear the flash out no sooner than known ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NEW_IMAGES, NEW_IMAGE_REFILL, SECTOR } from "../../src/constants";
import { RECORDS } from "../../src/job/records";
import type { Offer } from "../../src/job/types";
import { DAY, MINUTE, answer, pass } from "./budget-fixture";
import { JobFixture, image, offerOf } from "./job-fixture";

const FILE = image("0.2.0", 24_000);
/** Offers of ever other digests; the file fits none of them. */
const forged = (number: number, change: Partial<Offer> = {}): Offer =>
  offerOf(FILE, `0.2.${number}`, {
    digest: { algorithm: "MD5", hex: number.toString(16).padStart(32, "0") },
    ...change,
  });

/** Sectors of the slot that were erased by `act`. */
function erased(fixture: JobFixture, act: () => void): Map<number, number> {
  const counts = new Map<number, number>();
  const { address, size } = fixture.board.table.slots[1];
  fixture.board.chip.onOperation = (operation) => {
    const sector = (operation.address - address) / SECTOR;
    if (operation.kind === "erase" && sector >= 0 && operation.address < address + size)
      counts.set(sector, (counts.get(sector) ?? 0) + 1);
    return undefined;
  };
  act();
  fixture.board.chip.onOperation = undefined;
  return counts;
}

/** The first sector is erased once more where an image is discarded. */
const PER_IMAGE = 2;

const most = (counts: ReadonlyMap<number, number>): number => Math.max(0, ...counts.values());

/** Pushes an image that never fits, and its download, until it is refused. */
function wear(fixture: JobFixture, from: number, count: number): void {
  for (let number = from; number < from + count; number++) {
    fixture.push(offerOf(FILE, "0.2.0", { digest: { algorithm: "MD5", hex: number.toString(16).padStart(32, "0") } }));
    for (let tries = 0; fixture.downloading && tries < 3; tries++) fixture.deliver(FILE);
    fixture.ack("outcome");
    fixture.ack("refused");
  }
}

test("ever new digests are downloaded until the budget is used up, then refused with the minutes left", () => {
  const fixture = new JobFixture();
  fixture.connect();
  const counts = erased(fixture, () => wear(fixture, 0, 200));
  assert.ok(most(counts) <= PER_IMAGE * NEW_IMAGES, `${most(counts)} erases of one sector`);
  assert.match(answer(fixture) ?? "", /^rejected: 60 new images and no end; the next one in \d+ min$/);
  pass(fixture, NEW_IMAGE_REFILL * 1000);
  const good = image("0.3.0");
  fixture.update(good, offerOf(good, "0.3.0"));
  assert.deepEqual([answer(fixture), fixture.running.version], ["done", "0.3.0"]);
});

test("in a day a sector is erased twice at most for each image that the budget allows", (t) => {
  const fixture = new JobFixture();
  fixture.connect();
  let number = 0;
  const counts = erased(fixture, () => {
    for (const end = fixture.now + DAY; fixture.now < end; number += 5) {
      wear(fixture, number, 5);
      pass(fixture, 5 * MINUTE);
    }
  });
  t.diagnostic(`at most ${most(counts)} erases of one sector on the first day`);
  assert.ok(most(counts) <= PER_IMAGE * (NEW_IMAGES + DAY / 1000 / NEW_IMAGE_REFILL + 1), `${most(counts)}`);
});

test("images that supersede one another after their first sector count as well", () => {
  const fixture = new JobFixture();
  fixture.connect();
  const counts = erased(fixture, () => {
    for (let turn = 0; turn < 500; turn++) {
      const file = turn % 2 === 0 ? FILE : image("0.2.0", 28_000);
      fixture.push(offerOf(file, "0.2.0"));
      if (fixture.downloading) fixture.deliver(file, SECTOR);
    }
  });
  assert.ok(most(counts) <= NEW_IMAGES, `${most(counts)} erases of the first sector`);
});

test("the budget survives power cuts, which give nothing back, and is reset by forget", () => {
  const fixture = new JobFixture();
  fixture.connect();
  wear(fixture, 0, 100);
  for (let cut = 0; cut < 10; cut++) {
    fixture.now += DAY;
    fixture.powerOn();
    fixture.connect();
    pass(fixture, MINUTE - 1);
  }
  fixture.push(forged(1000));
  assert.match(answer(fixture) ?? "", /60 new images and no end; the next one in (9|10) min$/);
  fixture.dispatch({ type: "forget" });
  assert.equal(fixture.board.ports.store.getBytes(RECORDS.budgets.key), undefined);
  const good = image("0.3.0");
  fixture.update(good, offerOf(good, "0.3.0"));
  assert.equal(answer(fixture), "done");
});

test("a notice tells how many are left and when the number grows, once half of them are gone", () => {
  const fixture = new JobFixture();
  fixture.connect();
  wear(fixture, 0, 15);
  const told = () => fixture.notices.filter(({ event }) => event === "budget");
  assert.deepEqual(told(), []);
  wear(fixture, 15, 1);
  const [first, ...more] = told();
  assert.deepEqual(first, { event: "budget", counter: "new images", version: "0.2.0", left: 29, seconds: 591 });
  assert.equal(more.length, 1, "the second download of an image counts as well");
});

test("what is read as a record of another form counts as empty, once", () => {
  const fixture = new JobFixture();
  fixture.connect();
  wear(fixture, 0, 100);
  const { store } = fixture.board.ports;
  const bytes = store.getBytes(RECORDS.budgets.key)!;
  store.setBytes(RECORDS.budgets.key, bytes.subarray(0, bytes.length - 5));
  fixture.powerOn();
  fixture.connect();
  wear(fixture, 100, 100);
  assert.match(answer(fixture) ?? "", /60 new images and no end/);
});
