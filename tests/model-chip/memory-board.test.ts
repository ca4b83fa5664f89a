import assert from "node:assert/strict";
import { test } from "node:test";
import { describe } from "../../host-sim/board/describe";
import { FlashChip, PowerCut } from "../../hal/model-chip/flash-chip";
import { flashFactory } from "../../hal/model-chip/flash-factory";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { OtaData, State } from "../../hal/model-chip/otadata";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { buildImage } from "../../hal/model-chip/build-image";
import { firmware, smallTable } from "../board/firmware";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

const newBoard = (): MemoryBoard => new MemoryBoard({ factoryImage: firmware("1.0.0"), table: smallTable() });

test("a board of the default size runs its factory firmware", () => {
  const board = new MemoryBoard({ factoryImage: firmware("0.1.0"), table: partitionTableFor(4 << 20) });
  assert.throws(() => board.ports, /not running/);
  assert.deepEqual(board.powerOn(), { slot: "ota_0", version: "0.1.0", project: "xs-ota-board", trial: false });
  assert.equal(board.chip.size, 4 << 20);
  assert.equal(board.ports.flash.size, 0x1f0000);
  assert.equal(
    new MemoryBoard({ factoryImage: firmware("0.1.0"), table: partitionTableFor(16 << 20) }).table.slots[0].size,
    0x7f0000,
  );
});

test("a factory image that is larger than a slot is refused", () => {
  assert.throws(
    () => new MemoryBoard({ factoryImage: firmware("1", 70_000), table: smallTable() }),
    /70000 bytes: ota_0 has 65536/,
  );
});

test("a restart is left to the caller: it is reported once, and the ports work until the next start", () => {
  const told: string[] = [];
  const board = new MemoryBoard({
    factoryImage: firmware("1.0.0"),
    table: smallTable(),
    onRestart: (reason) => told.push(reason),
  });
  board.powerOn();
  board.ports.boot.restart();
  board.ports.boot.restart();
  assert.deepEqual([told, board.restartWanted], [["restart"], "restart"]);
  board.powerOn("software");
  assert.equal(board.restartWanted, undefined);
  board.ports.boot.restart();
  assert.equal(told.length, 2);
});

test("forks are independent", () => {
  const board = newBoard();
  board.powerOn();
  board.ports.store.setNumber("n", 1);
  const fork = board.fork();
  fork.powerOn();
  fork.ports.store.setNumber("n", 2);
  fork.ports.flash.erase(0);
  board.powerOn();
  assert.equal(board.ports.store.getNumber("n"), 1);
  assert.equal(fork.ports.store.getNumber("n"), 2);
  assert.equal(board.chip.counts(board.table.slots[1].address, 4096).erases, 0);
});

test("the result of a verification is never used for other bytes", () => {
  const board = newBoard();
  board.powerOn();
  const image = firmware("2.0.0");
  const { flash, boot } = board.ports;
  const write = (): void => {
    for (let at = 0; at < image.length; at += 4096) {
      flash.erase(at / 4096);
      flash.write(at, image.subarray(at, at + 4096));
    }
  };
  write();
  const length = boot.verifyTarget();
  const fork = board.fork();
  fork.powerOn();
  assert.equal(fork.ports.boot.verifyTarget(), length);
  fork.ports.flash.write(9000, new Uint8Array(8));
  assert.throws(() => fork.ports.boot.verifyTarget());
  assert.equal(boot.verifyTarget(), length, "the other board's bytes are as they were");
  flash.write(9000, new Uint8Array(8));
  assert.throws(() => boot.verifyTarget());
  write();
  assert.equal(boot.verifyTarget(), length);
  board.chip.onRead = (address, bytes) => {
    if (address <= board.table.slots[1].address + 9000 && address + bytes.length > board.table.slots[1].address + 9000)
      bytes[0]! ^= 1;
  };
  assert.throws(() => boot.verifyTarget(), "what reads differently is checked anew");
});

test("a power cut is not cached as the result of a verification", () => {
  const board = newBoard();
  board.powerOn();
  const { boot, flash } = board.ports;
  for (let at = 0; at < 20_005; at += 4096) flash.write(at, firmware("2.0.0").subarray(at, at + 4096));
  board.chip.powerOff();
  assert.throws(() => boot.verifyTarget(), PowerCut);
  assert.throws(() => boot.activate(), PowerCut);
  board.powerOn();
  board.ports.boot.verifyTarget();
});

test("a power cut inside the start is thrown to the caller, and the next start works", () => {
  const board = newBoard();
  board.chip.onOperation = () => {
    board.chip.powerOff();
    throw new PowerCut();
  };
  assert.throws(() => board.powerOn(), PowerCut);
  assert.throws(() => board.ports, /not running/);
  board.chip.onOperation = undefined;
  assert.equal(board.powerOn().bricked, undefined);
});

test("describe: partitions, boot entries, slots and what the agent keeps, without touching the chip", () => {
  const board = newBoard();
  board.powerOn();
  for (const round of [1, 2, 3]) board.ports.store.setBytes("job", Buffer.from(`job ${round}`));
  board.ports.store.setNumber("off", 4096);
  const image = firmware("2.0.0");
  for (let at = 0; at < 12288; at += 4096) {
    board.ports.flash.erase(at / 4096);
    board.ports.flash.write(at, image.subarray(at, at + 4096));
  }
  board.chip.resetCounts();
  const { flashSize, partitions, boot, slots, store } = describe(board.chip);
  assert.equal(flashSize, 0x30000);
  assert.deepEqual(
    partitions.map(({ label }) => label),
    ["nvs", "otadata", "ota_0", "ota_1"],
  );
  assert.deepEqual(boot, [{ seq: 1, slot: "ota_0", state: "valid", decides: true, starts: 0, wakes: 0 }, undefined]);
  assert.deepEqual(slots[0], {
    label: "ota_0",
    size: 65536,
    bootable: true,
    length: 20_000,
    version: "1.0.0",
    project: "xs-ota-board",
    chip: 0,
    signature: "no signature behind it",
  });
  const { problem, ...rest } = slots[1]!;
  assert.deepEqual(rest, {
    label: "ota_1",
    size: 65536,
    bootable: false,
    version: "2.0.0",
    project: "xs-ota-board",
    chip: 0,
  });
  assert.match(problem!, /checksum/);
  assert.deepEqual(
    store.map(({ key, value }) => [key, typeof value === "number" ? value : Buffer.from(value).toString()]),
    [
      ["job", "job 3"],
      ["off", 4096],
    ],
  );
  assert.deepEqual([board.chip.counts().erases, board.chip.counts().programs], [0, 0]);
});

test("bootloader, ports and describe take version and product from the firmware block", () => {
  const image = buildImage({ version: "0.2.0", product: "thermostat", payload: Buffer.from("1") });
  const board = new MemoryBoard({ factoryImage: image, table: smallTable() });
  assert.deepEqual(board.powerOn(), { slot: "ota_0", version: "0.2.0", project: "thermostat", trial: false });
  const { version, project } = board.ports.boot.running();
  assert.deepEqual([version, project], ["0.2.0", "thermostat"]);
  // Half of the image does not boot, but tells what it is.
  board.chip.program(board.table.slots[1].address, image.subarray(0, 400));
  const facts = describe(board.chip).slots.map((slot) => [slot.bootable, slot.version, slot.project]);
  assert.deepEqual(facts, [
    [true, "0.2.0", "thermostat"],
    [false, "0.2.0", "thermostat"],
  ]);
});

test("describe: an aborted trial, a slot with an image of another chip, a chip that is no board", () => {
  const board = newBoard();
  board.powerOn();
  const { address } = board.table.slots[1];
  board.chip.program(address, buildImage({ version: "5", payload: Buffer.from("1"), chip: 5 }));
  new OtaData(board.chip, board.table.otadata.address).write(1, 2, State.aborted);
  const { boot, slots } = describe(board.chip);
  assert.deepEqual(boot[1], { seq: 2, slot: "ota_1", state: "aborted", decides: false, starts: 0, wakes: 0 });
  assert.match(slots[1]!.problem!, /for chip 5, this is chip 0/);
  assert.equal(slots[1]!.chip, 5);
  assert.throws(() => describe(FlashChip.inMemory(4 << 20)), /no partition table/);
});

test("a board whose production was cut short has no partition table", () => {
  const chip = FlashChip.inMemory(0x30000);
  let operations = 0;
  chip.onOperation = () => {
    if (++operations < 3) return;
    chip.powerOff();
    throw new PowerCut();
  };
  assert.throws(() => flashFactory(chip, smallTable(), firmware("1.0.0")), PowerCut);
  chip.onOperation = undefined;
  chip.powerOn();
  assert.throws(() => PartitionTable.read(chip), /no partition table/);
});
