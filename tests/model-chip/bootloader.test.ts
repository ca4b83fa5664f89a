/** The bootloader model, against what ESP-IDF's own bootloader did on an emulated chip and what its source says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import type { OtaEntry } from "../../hal/model-chip/otadata";
import { OtaData, State, seqCrc, stateName } from "../../hal/model-chip/otadata";
import { buildImage } from "../../hal/model-chip/build-image";
import { cutAt, cutsOf, operationsOf } from "./cuts";
import { firmware, smallTable } from "../board/firmware";

const newBoard = (): MemoryBoard => new MemoryBoard({ factoryImage: firmware("1.0.0"), table: smallTable() });
const otadata = (board: MemoryBoard): OtaData => new OtaData(board.chip, board.table.otadata.address);

/** "seq state" of both entries. */
function entries(board: MemoryBoard): string[] {
  return otadata(board)
    .read()
    .map(({ seq, state }) => (seq === 0xffffffff ? "blank" : `${seq} ${stateName(state)}`));
}

/** Puts an image into a slot, whatever runs. */
function put(board: MemoryBoard, slot: 0 | 1, image: Uint8Array): void {
  const { address, size } = board.table.slots[slot];
  for (let at = 0; at < size; at += 4096) board.chip.erase(address + at);
  board.chip.program(address, image);
}

/** A board on trial of 2.0.0 in ota_1. */
function onTrial(): MemoryBoard {
  const board = newBoard();
  board.powerOn();
  put(board, 1, firmware("2.0.0"));
  board.ports.boot.activate();
  assert.deepEqual(board.powerOn("software"), {
    slot: "ota_1",
    version: "2.0.0",
    project: "xs-ota-board",
    trial: true,
  });
  return board;
}

function boots(board: MemoryBoard, slot: string, version: string, trial = false): void {
  assert.deepEqual(board.powerOn(), { slot, version, project: "xs-ota-board", trial });
}

test("blank otadata: the first start boots ota_0 and writes entry 0, number 1, VALID", () => {
  const board = newBoard();
  assert.deepEqual(entries(board), ["blank", "blank"]);
  boots(board, "ota_0", "1.0.0");
  assert.deepEqual(entries(board), ["1 valid", "blank"]);
  const erases = (): number => board.chip.counts(board.table.otadata.address, 0x2000).erases;
  assert.equal(erases(), 1);
  boots(board, "ota_0", "1.0.0");
  assert.equal(erases(), 2, "the start-up's question to the bootloader is answered");
  boots(board, "ota_0", "1.0.0");
  assert.equal(erases(), 2, "a further start writes nothing");
});

test("an update costs otadata four erases: invalidate, activate, PENDING, confirm; the first one three", () => {
  const board = newBoard();
  board.powerOn();
  const erasesOf = (round: number): number => {
    board.chip.resetCounts();
    board.ports.boot.invalidateTarget();
    put(board, round % 2 === 1 ? 1 : 0, firmware(`2.0.${round}`));
    board.ports.boot.activate();
    board.powerOn("software");
    board.ports.boot.confirm();
    return board.chip.counts(board.table.otadata.address, 0x2000).erases;
  };
  assert.deepEqual([1, 2, 3, 4].map(erasesOf), [3, 4, 4, 4]);
  assert.deepEqual(entries(board), ["5 valid", "4 valid"]);
});

test("trial: NEW becomes PENDING_VERIFY before the image runs", () => {
  const board = onTrial();
  assert.deepEqual(entries(board), ["1 valid", "2 pending"]);
});

for (const reason of ["software", "watchdog", "panic", "power-on"] as const) {
  test(`an image that ends by ${reason} without having been confirmed is ABORTED`, () => {
    const board = onTrial();
    board.powerOn(reason);
    assert.deepEqual(entries(board), ["1 valid", "2 aborted"]);
    assert.equal(board.ports.boot.running().version, "1.0.0");
    assert.equal(board.ports.boot.lastInvalid(), "ota_1");
    assert.equal(board.ports.boot.resetReason(), reason);
  });
}

test("mark invalid and restart: INVALID, last invalid ota_1", () => {
  const board = onTrial();
  board.ports.boot.rollback();
  assert.equal(board.restartWanted, "rollback");
  boots(board, "ota_0", "1.0.0");
  assert.deepEqual(entries(board), ["1 valid", "2 invalid"]);
  assert.equal(board.ports.boot.lastInvalid(), "ota_1");
});

test("a cut between erase and write of the confirm: the other entry boots, no trace of a failure", () => {
  const board = onTrial();
  assert.ok(cutAt(board.chip, { operation: 0, reached: "all" }, () => board.ports.boot.confirm()));
  boots(board, "ota_0", "1.0.0");
  assert.deepEqual(entries(board), ["1 valid", "blank"]);
  assert.equal(board.ports.boot.lastInvalid(), undefined);
});

test("the same with a torn entry, number only: the other entry boots, last invalid unknown", () => {
  const board = onTrial();
  assert.ok(cutAt(board.chip, { operation: 1, reached: { firstBytes: 4 } }, () => board.ports.boot.confirm()));
  boots(board, "ota_0", "1.0.0");
  assert.deepEqual(entries(board), ["1 valid", "2 undefined"]);
  assert.equal(board.ports.boot.lastInvalid(), undefined);
});

test("a second trial: the same number is written NEW again", () => {
  const board = onTrial();
  boots(board, "ota_0", "1.0.0");
  board.ports.boot.activate();
  assert.deepEqual(entries(board), ["1 valid", "2 new"]);
  boots(board, "ota_1", "2.0.0", true);
  board.ports.boot.confirm();
  assert.deepEqual(entries(board), ["1 valid", "2 valid"]);
});

test("give-up with no other usable entry does not restart; a later reset rolls back all the same", () => {
  const board = onTrial();
  otadata(board).erase(0);
  board.ports.boot.rollback();
  assert.equal(board.restartWanted, undefined);
  boots(board, "ota_0", "1.0.0");
  assert.deepEqual(entries(board), ["1 valid", "2 aborted"], "the start-up has given the running firmware its entry");
  assert.equal(board.ports.boot.running().state, "valid");
  put(board, 1, firmware("3.0.0"));
  board.ports.boot.activate();
  boots(board, "ota_1", "3.0.0", true);
});

test("ota_0 without its header and otadata erased while ota_1 runs: ota_1 boots and gets number 2, VALID", () => {
  const board = onTrial();
  board.ports.boot.confirm();
  const { address } = board.table.slots[0];
  board.chip.erase(address);
  board.chip.program(address + 16, firmware("3.0.0").subarray(16, 4096));
  otadata(board).erase(0);
  otadata(board).erase(1);
  boots(board, "ota_1", "2.0.0");
  assert.deepEqual(entries(board), ["2 valid", "blank"]);
});

test("half an image with its header, otadata erased: refused too", () => {
  const board = onTrial();
  board.ports.boot.confirm();
  put(board, 0, firmware("3.0.0").subarray(0, 8192));
  otadata(board).erase(0);
  otadata(board).erase(1);
  boots(board, "ota_1", "2.0.0");
});

test("a whole image, not yet activated, otadata lost: it boots as VALID, without a trial", () => {
  const board = onTrial();
  board.ports.boot.confirm();
  put(board, 0, firmware("3.0.0"));
  otadata(board).erase(0);
  otadata(board).erase(1);
  boots(board, "ota_0", "3.0.0");
  assert.deepEqual(entries(board), ["1 valid", "blank"]);
});

test("an image for another chip does not boot", () => {
  const board = newBoard();
  board.powerOn();
  put(board, 1, buildImage({ version: "2.0.0", payload: Buffer.from("1"), chip: 5 }));
  assert.throws(() => board.ports.boot.verifyTarget(), /verify ota_1: ESP image for chip 5, this is chip 0/);
  assert.throws(() => board.ports.boot.activate(), /activate ota_1: .*chip 5/);
  otadata(board).write(1, 2, State.valid);
  boots(board, "ota_0", "1.0.0");
});

test("the chosen slot is damaged: the other one boots, and its own entry still decides", () => {
  const board = onTrial();
  board.ports.boot.confirm();
  board.chip.program(board.table.slots[1].address + 5000, new Uint8Array(100));
  boots(board, "ota_0", "1.0.0");
  assert.deepEqual(entries(board), ["1 valid", "2 valid"]);
  assert.equal(board.ports.boot.running().state, "valid");
});

test("a NEW image that is damaged is not on trial; the next start marks it ABORTED", () => {
  const board = newBoard();
  board.powerOn();
  put(board, 1, firmware("2.0.0"));
  board.ports.boot.activate();
  board.chip.program(board.table.slots[1].address + 5000, new Uint8Array(100));
  boots(board, "ota_0", "1.0.0");
  assert.deepEqual(entries(board), ["1 valid", "2 pending"]);
  boots(board, "ota_0", "1.0.0");
  assert.deepEqual(entries(board), ["1 valid", "2 aborted"]);
});

test("nothing boots: the result names the reason for both slots, and there are no ports", () => {
  const board = newBoard();
  board.powerOn();
  board.chip.erase(board.table.slots[0].address);
  const { bricked } = board.powerOn();
  assert.match(bricked ?? "", /^ota_0: not an ESP image.*; ota_1: not an ESP image/);
  assert.throws(() => board.ports, /not running/);
});

test("a cut anywhere in activate, in the bootloader and in confirm never makes a dead board, and only whole images run", () => {
  const start = newBoard();
  start.powerOn();
  put(start, 1, firmware("2.0.0"));
  const scenario = (board: MemoryBoard): void => {
    board.powerOn();
    if (board.ports.boot.running().version === "1.0.0") board.ports.boot.activate();
    board.powerOn("software");
    board.ports.boot.confirm();
  };
  const whole = start.fork();
  const cuts = cutsOf(operationsOf(whole.chip, () => scenario(whole)));
  assert.equal(whole.powerOn().bricked, undefined);
  for (const cut of cuts) {
    const board = start.fork();
    assert.ok(cutAt(board.chip, cut, () => scenario(board)));
    for (const again of [0, 1, 2])
      assert.equal(board.powerOn().bricked, undefined, `${JSON.stringify(cut)}, start ${again}`);
    scenario(board);
    boots(board, "ota_1", "2.0.0");
  }
  assert.ok(cuts.length > 100, `${cuts.length} cuts`);
});

test("with any bytes in otadata, the good image boots", () => {
  const word = fc.oneof(fc.nat(6), fc.constant(0xffffffff), fc.nat(0xffffffff));
  const any: fc.Arbitrary<OtaEntry> = fc.record({ seq: word, state: word, crc: word });
  const whole = fc
    .record({ seq: word, state: fc.oneof(fc.nat(5), word) })
    .map(({ seq, state }) => ({ seq, state, crc: seqCrc(seq) }));
  const board = newBoard();
  fc.assert(
    fc.property(fc.oneof(any, whole), fc.oneof(any, whole), (first, second) => {
      const copy = board.fork();
      otadata(copy).rewrite(0, first);
      otadata(copy).rewrite(1, second);
      const { slot } = copy.powerOn() as { slot?: string };
      assert.equal(slot, "ota_0");
      put(copy, 1, firmware("2.0.0"));
      copy.ports.boot.activate();
      assert.equal(copy.powerOn().bricked, undefined);
    }),
  );
});
