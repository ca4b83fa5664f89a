import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { FileCells } from "../../host-sim/board/file-cells";
import { MemoryCells } from "../../hal/model-chip/flash-cells";
import type { FlashOperation } from "../../hal/model-chip/flash-chip";
import { BLOCK_SIZE, FlashChip, PowerCut, SECTOR_SIZE } from "../../hal/model-chip/flash-chip";
import { FLASH_TIMINGS } from "../../hal/model-chip/flash-timing";

const createFile = (path: string, size: number): FlashChip => new FlashChip(FileCells.create(path, size));
const openFile = (path: string): FlashChip => new FlashChip(FileCells.open(path));

const folder = mkdtempSync(join(tmpdir(), "xs-ota-flash-"));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const kinds: [string, (size: number) => FlashChip][] = [
  ["memory", (size) => FlashChip.inMemory(size)],
  ["file", (size) => createFile(join(folder, `${files++}.bin`), size)],
];
const read = (chip: FlashChip, address: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  chip.read(address, bytes);
  return bytes;
};

for (const [kind, make] of kinds) {
  test(`${kind}: a new chip is all ones`, () => {
    const chip = make(5 * SECTOR_SIZE);
    assert.equal(chip.size, 5 * SECTOR_SIZE);
    assert.ok(read(chip, 0, chip.size).every((byte) => byte === 0xff));
  });

  test(`${kind}: any sequence of operations leaves what the rules of NOR flash say`, () => {
    const size = 4 * SECTOR_SIZE;
    const operation = fc.oneof(
      fc.record({ sector: fc.nat(3) }),
      fc.record({ address: fc.nat(size - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 6000 }) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), (operations) => {
        const chip = make(size);
        const model = Buffer.alloc(size, 0xff);
        for (const op of operations) {
          if ("sector" in op) {
            chip.erase(op.sector * SECTOR_SIZE);
            model.fill(0xff, op.sector * SECTOR_SIZE, (op.sector + 1) * SECTOR_SIZE);
          } else {
            const bytes = op.bytes.subarray(0, size - op.address);
            chip.program(op.address, bytes);
            bytes.forEach((byte, index) => (model[op.address + index]! &= byte));
          }
        }
        assert.ok(read(chip, 0, size).equals(model));
      }),
      { numRuns: 40 },
    );
  });

  test(`${kind}: counts and modelled time by sector`, () => {
    const chip = make(4 * SECTOR_SIZE);
    chip.erase(SECTOR_SIZE);
    chip.erase(SECTOR_SIZE);
    chip.erase(0);
    chip.program(SECTOR_SIZE - 1024, new Uint8Array(3072));
    read(chip, 0, SECTOR_SIZE);
    assert.deepEqual(chip.counts(0, SECTOR_SIZE), {
      erases: 1,
      blockErases: 0,
      mostErases: 1,
      programs: 1,
      bytesProgrammed: 1024,
      bytesRead: 4096,
      milliseconds: 37.142 + 6.367 / 4 + 0.459,
    });
    assert.deepEqual(chip.counts(SECTOR_SIZE, SECTOR_SIZE), {
      erases: 2,
      blockErases: 0,
      mostErases: 2,
      programs: 1,
      bytesProgrammed: 2048,
      bytesRead: 0,
      milliseconds: 2 * 37.142 + 6.367 / 2,
    });
    assert.equal(chip.counts().erases, 3);
    assert.equal(chip.counts().mostErases, 2);
    chip.resetCounts();
    assert.deepEqual(chip.counts(), {
      erases: 0,
      blockErases: 0,
      mostErases: 0,
      programs: 0,
      bytesProgrammed: 0,
      bytesRead: 0,
      milliseconds: 0,
    });
  });

  test(`${kind}: a block is erased with one command, in the time of a block, and no byte around it`, () => {
    const chip = make(3 * BLOCK_SIZE);
    const seen: FlashOperation[] = [];
    for (const address of [BLOCK_SIZE - 1, BLOCK_SIZE, 2 * BLOCK_SIZE - 1, 2 * BLOCK_SIZE])
      chip.program(address, Buffer.of(0));
    chip.resetCounts();
    chip.onOperation = (operation) => void seen.push(operation);
    chip.erase(BLOCK_SIZE, BLOCK_SIZE);
    assert.deepEqual(seen, [{ kind: "erase", address: BLOCK_SIZE, length: BLOCK_SIZE }]);
    assert.ok(read(chip, BLOCK_SIZE, BLOCK_SIZE).every((byte) => byte === 0xff));
    assert.deepEqual([read(chip, BLOCK_SIZE - 1, 1)[0], read(chip, 2 * BLOCK_SIZE, 1)[0]], [0, 0]);
    chip.onOperation = undefined;
    chip.erase(0);
    const { erases, blockErases, mostErases, bytesRead, milliseconds } = chip.counts();
    assert.deepEqual({ erases, blockErases, mostErases }, { erases: 17, blockErases: 1, mostErases: 1 });
    assert.ok(Math.abs(milliseconds - 150 - 37.142 - (bytesRead / SECTOR_SIZE) * 0.459) < 1e-9);
  });

  test(`${kind}: modelled time is that of the timing table`, () => {
    const chip = make(2 * BLOCK_SIZE);
    chip.erase(0, BLOCK_SIZE);
    chip.erase(BLOCK_SIZE);
    chip.program(0, new Uint8Array(SECTOR_SIZE));
    read(chip, 0, SECTOR_SIZE);
    for (const timing of FLASH_TIMINGS) {
      chip.timing = timing;
      const { sector, block, program, read: reading } = timing;
      assert.ok(Math.abs(chip.counts().milliseconds - (sector + block + program + reading)) < 1e-9, timing.name);
    }
  });

  test(`${kind}: a block begins at a multiple of its size and ends in the chip`, () => {
    const chip = make(BLOCK_SIZE + SECTOR_SIZE);
    assert.throws(() => chip.erase(SECTOR_SIZE, BLOCK_SIZE), /erase at 0x1000, 65536 bytes: neither/);
    assert.throws(() => chip.erase(0, 2 * SECTOR_SIZE), /erase at 0x0, 8192 bytes: neither/);
    assert.throws(() => chip.erase(BLOCK_SIZE, BLOCK_SIZE), /erase at 0x10000.*outside/);
    assert.deepEqual(chip.counts().erases, 0);
  });

  test(`${kind}: addresses outside the chip are refused and named`, () => {
    const chip = make(2 * SECTOR_SIZE);
    assert.throws(() => chip.erase(2 * SECTOR_SIZE), /erase at 0x2000.*outside/);
    assert.throws(() => chip.erase(100), /erase at 0x64, 4096 bytes: neither a sector nor a block/);
    assert.throws(() => chip.program(2 * SECTOR_SIZE - 1, new Uint8Array(2)), /program at 0x1fff.*outside/);
    assert.throws(() => chip.read(-1, new Uint8Array(1)), /read.*outside/);
    assert.throws(() => chip.read(Number.NaN, new Uint8Array(1)), /read.*outside/);
    assert.deepEqual(chip.counts().erases, 0);
  });

  test(`${kind}: the hook sees each operation and can carry it out in its own way`, () => {
    const chip = make(2 * SECTOR_SIZE);
    const seen: FlashOperation[] = [];
    chip.onOperation = (operation, cells) => {
      seen.push(operation);
      if (operation.kind === "erase") return "done";
      cells.clear(operation.address, operation.data.subarray(0, 2));
      return "done";
    };
    chip.program(10, Buffer.from([1, 2, 3, 4]));
    chip.erase(0);
    assert.deepEqual(seen, [
      { kind: "program", address: 10, length: 4, data: Buffer.from([1, 2, 3, 4]) },
      { kind: "erase", address: 0, length: SECTOR_SIZE },
    ]);
    assert.deepEqual([...read(chip, 9, 6)], [0xff, 1, 2, 0xff, 0xff, 0xff]);
    chip.onOperation = () => {};
    chip.erase(0);
    assert.deepEqual([...read(chip, 9, 3)], [0xff, 0xff, 0xff]);
  });

  test(`${kind}: after a power cut nothing works until the power is back`, () => {
    const chip = make(2 * SECTOR_SIZE);
    chip.onOperation = (operation, cells) => {
      if (operation.kind !== "program") return;
      cells.clear(operation.address, operation.data.subarray(0, 1));
      chip.powerOff();
      throw new PowerCut();
    };
    assert.throws(() => chip.program(0, Buffer.from([0, 0])), PowerCut);
    chip.onOperation = undefined;
    for (const use of [() => chip.erase(0), () => chip.program(0, Buffer.from([0])), () => read(chip, 0, 1)])
      assert.throws(use, PowerCut);
    chip.powerOn();
    assert.deepEqual([...read(chip, 0, 3)], [0, 0xff, 0xff]);
  });

  test(`${kind}: what is read can be disturbed`, () => {
    const chip = make(SECTOR_SIZE);
    chip.onRead = (address, bytes) => {
      if (address === 5) bytes[0]! ^= 1;
    };
    assert.equal(read(chip, 5, 1)[0], 0xfe);
    assert.equal(chip.stamp(0, SECTOR_SIZE), undefined, "and then nothing may be remembered");
    chip.onRead = undefined;
    assert.equal(read(chip, 5, 1)[0], 0xff);
  });
}

test("file: it has the chip's size from the start, and every operation is in it when the call returns", () => {
  const path = join(folder, "written.bin");
  const chip = createFile(path, 64 * SECTOR_SIZE);
  assert.equal(statSync(path).size, 64 * SECTOR_SIZE);
  assert.ok(readFileSync(path).every((byte) => byte === 0xff));
  chip.program(7, Buffer.from("hello"));
  assert.equal(readFileSync(path).subarray(7, 12).toString(), "hello");
  chip.erase(0);
  assert.equal(readFileSync(path)[7], 0xff);
  assert.equal(statSync(path).size, 64 * SECTOR_SIZE);
});

test("file: another process, or another start, finds what was written", () => {
  const path = join(folder, "again.bin");
  const cells = FileCells.create(path, 4 * SECTOR_SIZE);
  new FlashChip(cells).program(SECTOR_SIZE, Buffer.from("kept"));
  cells.close();
  cells.close();
  assert.throws(() => cells.read(0, Buffer.alloc(1)), /closed/);
  assert.equal(read(openFile(path), SECTOR_SIZE, 4).toString(), "kept");
});

test("file: a file that is no chip is refused, and an existing one is not overwritten", () => {
  const path = join(folder, "other.txt");
  writeFileSync(path, "not a chip");
  assert.throws(() => openFile(path), /other\.txt is not a flash chip: 10 bytes/);
  assert.throws(() => createFile(path, SECTOR_SIZE), /EEXIST/);
  assert.equal(readFileSync(path, "utf8"), "not a chip");
  assert.throws(() => openFile(join(folder, "none.bin")), /ENOENT/);
  assert.throws(() => createFile(join(folder, "odd.bin"), 5000), /5000 is not a multiple of 4096/);
});

test("memory: forks share nothing that either of them changes", () => {
  const cells = new MemoryCells(4 * SECTOR_SIZE);
  const parent = new FlashChip(cells);
  parent.program(0, Buffer.from([0x0f]));
  const child = new FlashChip(cells.fork());
  const grandchild = new FlashChip((child.cells as MemoryCells).fork());
  parent.program(0, Buffer.from([0x03]));
  child.erase(0);
  grandchild.program(SECTOR_SIZE, Buffer.from([0]));
  assert.deepEqual(
    [parent, child, grandchild].map((chip) => read(chip, 0, 1)[0]),
    [0x03, 0xff, 0x0f],
  );
  assert.deepEqual(
    [parent, child, grandchild].map((chip) => read(chip, SECTOR_SIZE, 1)[0]),
    [0xff, 0xff, 0],
  );
});

test("memory: a stamp names one content, over forks too", () => {
  const cells = new MemoryCells(8 * SECTOR_SIZE);
  const states = new Map<number, string>();
  const chips = [new FlashChip(cells)];
  let state = 1;
  for (let step = 0; step < 400; step++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const chip = chips[state % chips.length]!;
    const sector = (state >>> 8) % 8;
    if (state % 7 === 0) chips.push(new FlashChip((chip.cells as MemoryCells).fork()));
    else if (state % 3 === 0) chip.erase(sector * SECTOR_SIZE);
    else chip.program(sector * SECTOR_SIZE + (state % 4096), Buffer.from([state >>> 24]));
    for (const each of chips) {
      const stamp = each.stamp(2 * SECTOR_SIZE, 3 * SECTOR_SIZE)!;
      const content = read(each, 2 * SECTOR_SIZE, 3 * SECTOR_SIZE).toString("latin1");
      assert.equal(states.get(stamp) ?? content, content);
      states.set(stamp, content);
    }
    if (chips.length > 6) chips.shift();
  }
});
