/** A power cut at any byte of a change leaves the old value or the new one, and everything else as it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../../src/ports";
import { AbRecordStore } from "../../src/store/ab-record-store";
import { MemoryCells } from "../../hal/model-chip/flash-cells";
import { FlashChip, PowerCut } from "../../hal/model-chip/flash-chip";
import { Nvs } from "../../hal/model-chip/nvs";
import type { Partition } from "../../hal/model-chip/partitions";
import type { Cut } from "./cuts";
import { cutAt, cutsOf, operationsOf } from "./cuts";
import { readNvs } from "./nvs-reader";

const PARTITION: Partition = { label: "nvs", type: 1, subtype: 2, address: 0, size: 0x4000 };
const plain = (chip: FlashChip): Nvs => new Nvs(chip, PARTITION, "xs-ota");
const mount = (chip: FlashChip): Store => new AbRecordStore(plain(chip));
const fork = (chip: FlashChip): FlashChip => new FlashChip((chip.cells as MemoryCells).fork());
const JOB = Buffer.from(Array.from({ length: 130 }, (_, index) => index % 7));

/** A store with history: `changes` settings of one number, a record, a namespace. */
function used(changes: number): FlashChip {
  const chip = FlashChip.inMemory(PARTITION.size);
  const nvs = mount(chip);
  nvs.setBytes("job", JOB);
  nvs.setNumber("attempt", 2);
  for (let offset = 0; offset < changes; offset++) nvs.setNumber("offset", offset);
  return chip;
}

function state(chip: FlashChip): string {
  const nvs = mount(chip);
  const seen = ["job", "reply"].map((key) => Buffer.from(nvs.getBytes(key) ?? []).toString("hex"));
  const numbers = ["attempt", "offset"].map((key) => nvs.getNumber(key));
  const { complaints } = readNvs(Buffer.from(everything(chip)), "xs-ota");
  assert.deepEqual(complaints, []);
  return JSON.stringify([seen, numbers]);
}

function everything(chip: FlashChip): Uint8Array {
  const bytes = new Uint8Array(PARTITION.size);
  chip.read(0, bytes);
  return bytes;
}

/**
 * Cuts `change` everywhere; after each cut the state is that before or that after, and stays so over a further start
 * and change.
 */
function survives(chip: FlashChip, change: (store: Store) => void): number {
  const before = state(fork(chip));
  const whole = fork(chip);
  const operations = operationsOf(whole, () => change(mount(whole)));
  const after = state(whole);
  const cuts = cutsOf(operations);
  for (const cut of cuts) {
    const board = fork(chip);
    assert.ok(
      cutAt(board, cut, () => change(mount(board))),
      place(cut),
    );
    const found = state(board);
    assert.ok(found === before || found === after, `${place(cut)}: neither old nor new: ${found}`);
    assert.equal(state(board), found, `${place(cut)}: stays so`);
    change(mount(board));
    assert.equal(state(board), after, `${place(cut)}: the change can be made after all`);
  }
  return cuts.length;
}

const place = (cut: Cut): string => JSON.stringify(cut);

test("a number, first in the store, in mid-page, at a page's end", () => {
  let cuts = survives(FlashChip.inMemory(PARTITION.size), (nvs) => nvs.setNumber("offset", 77));
  for (const changes of [1, 50, 117, 118, 119, 120])
    cuts += survives(used(changes), (nvs) => nvs.setNumber("offset", 0xabcdef));
  assert.ok(cuts > 400, `${cuts} cuts`);
});

test("a number that makes the pages turn over: an old page is copied and erased", () => {
  const cuts = survives(turningOver(), (nvs) => nvs.setNumber("offset", 1_000_000));
  assert.ok(cuts > 100, `${cuts} cuts`);
});

/** A store whose next number needs a page to be freed. */
function turningOver(): FlashChip {
  for (let changes = 0; changes < 3 * 126; changes++) {
    const chip = used(changes);
    const copy = fork(chip);
    if (operationsOf(copy, () => mount(copy).setNumber("offset", 1_000_000)).some(({ kind }) => kind === "erase"))
      return chip;
  }
  throw new Error("the pages never turned over");
}

test("bytes: first, longer, shorter, over a page's end", () => {
  let cuts = 0;
  for (const changes of [0, 60, 110, 114, 118]) {
    for (const length of [0, 40, 300])
      cuts += survives(used(changes), (nvs) => nvs.setBytes("job", Buffer.alloc(length, 0xa0)));
    cuts += survives(used(changes), (nvs) => nvs.setBytes("reply", Buffer.alloc(90, 3)));
  }
  assert.ok(cuts > 4000, `${cuts} cuts`);
});

test("delete", () => {
  for (const key of ["job", "offset", "never"]) survives(used(30), (nvs) => nvs.delete(key));
});

test("a second cut during the repair of the first: two copies survive it, one does not", () => {
  const chip = used(114);
  assert.deepEqual(cutTwice(chip, mount).size, 2);
  assert.deepEqual(
    [...cutTwice(chip, plain)].filter((found) => found === "lost"),
    ["lost"],
  );
});

/** What the record is after cuts in a change of it and in the mount that follows. */
function cutTwice(chip: FlashChip, open: (chip: FlashChip) => Store): Set<string> {
  const base = fork(chip);
  open(base).setBytes("rec", Buffer.alloc(130, 1));
  const change = (store: Store): void => store.setBytes("rec", Buffer.alloc(40, 2));
  const whole = fork(base);
  const found = new Set<string>();
  for (const first of cutsOf(operationsOf(whole, () => change(open(whole))))) {
    const board = fork(base);
    cutAt(board, first, () => change(open(board)));
    const repaired = fork(board);
    for (const second of cutsOf(operationsOf(repaired, () => void open(repaired)))) {
      const again = fork(board);
      cutAt(again, second, () => void open(again));
      const record = open(again).getBytes("rec");
      found.add(record === undefined ? "lost" : Buffer.from(record).toString("hex"));
    }
  }
  return found;
}

test("an erase that begins at the page's end and stops: ESP-IDF copies what is left of the page, over its good copy", () => {
  // Not how a sector is erased (all its cells at once), so nothing here is made to survive it: this says what happens.
  const chip = FlashChip.inMemory(PARTITION.size);
  const store = mount(chip);
  for (let index = 0; index < 300; index++) store.setNumber(`k${index}`, index);
  for (let index = 0; index < 100; index++) store.delete(`k${index}`);
  chip.onOperation = ({ kind, address }, cells) => {
    if (kind !== "erase") return;
    cells.erase(address + 64, 4096 - 64);
    chip.powerOff();
    throw new PowerCut();
  };
  assert.throws(() => {
    for (let offset = 0; offset < 200; offset++) store.setNumber("offset", offset);
  }, PowerCut);
  chip.onOperation = undefined;
  chip.powerOn();
  // The name of the namespace was in that page too: with it, every key is gone.
  assert.deepEqual([plain(chip).getNumber("k110"), plain(chip).keys()], [undefined, []]);
});

test("a power cut between a blob's data and its index: ESP-IDF's mount loses the old value too", () => {
  const chip = FlashChip.inMemory(PARTITION.size);
  plain(chip).setBlob("job", Buffer.from("old"));
  const rewritten = fork(chip);
  const operations = operationsOf(rewritten, () => plain(rewritten).setBlob("job", Buffer.from("new")));
  const found = cutsOf(operations).map((cut) => {
    const board = fork(chip);
    cutAt(board, cut, () => plain(board).setBlob("job", Buffer.from("new")));
    return Buffer.from(plain(board).getBlob("job") ?? "lost").toString();
  });
  assert.deepEqual(new Set(found), new Set(["old", "new", "lost"]));
});
