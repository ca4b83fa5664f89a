import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { MemoryCells } from "../../hal/model-chip/flash-cells";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { Nvs } from "../../hal/model-chip/nvs";
import type { Partition } from "../../hal/model-chip/partitions";
import { nvsCrc, readNvs } from "./nvs-reader";

const PARTITION: Partition = { label: "nvs", type: 1, subtype: 2, address: 0x1000, size: 0x4000 };
const newChip = (): FlashChip => FlashChip.inMemory(0x6000);
const mount = (chip: FlashChip): Nvs => new Nvs(chip, PARTITION, "xs-ota");
const bytesOf = (chip: FlashChip): Buffer => {
  const bytes = Buffer.alloc(PARTITION.size);
  chip.read(PARTITION.address, bytes);
  return bytes;
};
const contents = (chip: FlashChip): Map<string, number | Buffer> => {
  const { values, complaints } = readNvs(bytesOf(chip), "xs-ota");
  assert.deepEqual(complaints, []);
  return values;
};

test("a first number: page header, namespace and item as the guide draws them", () => {
  const chip = newChip();
  mount(chip).setNumber("offset", 0x12345678);
  const page = bytesOf(chip).subarray(0, 4096);
  assert.equal(page.subarray(0, 28).toString("hex"), `feffffff00000000fe${"ff".repeat(19)}`);
  assert.equal(page[32], 0xfa, "two entries written");
  assert.equal(page.subarray(64, 68).toString("hex"), "000101ff");
  assert.equal(page.subarray(72, 79).toString(), "xs-ota\0");
  assert.equal(page.subarray(88, 96).toString("hex"), "01ffffffffffffff");
  assert.equal(page.subarray(96, 100).toString("hex"), "010401ff");
  assert.equal(page.subarray(120, 128).toString("hex"), "78563412ffffffff");
  assert.deepEqual(contents(chip), new Map([["offset", 0x12345678]]));
});

test("a second reader of the format finds all values over page turn-overs, and no format error", () => {
  const chip = newChip();
  let nvs = mount(chip);
  const model = new Map<string, number | Buffer>();
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let step = 0; step < 3000; step++) {
    const key = `k${random(5)}`;
    const kind = random(20);
    if (kind < 12) {
      model.set(key, random(50));
      nvs.setNumber(key, model.get(key) as number);
    } else if (kind < 17) {
      model.set(key, Buffer.from(Array.from({ length: random(400) }, () => 1 + random(255))));
      nvs.setString(key, model.get(key) as Buffer);
    } else if (kind === 17) {
      model.set(key, Buffer.from(Array.from({ length: random(500) }, () => random(256))));
      nvs.setBlob(key, model.get(key) as Buffer);
    } else if (kind === 18) {
      model.delete(key);
      nvs.delete(key);
    } else {
      nvs = mount(chip);
    }
    if (step % 100 === 0) assert.deepEqual(contents(chip), model);
  }
  assert.deepEqual(contents(chip), model);
  assert.ok(chip.counts(PARTITION.address, PARTITION.size).erases > 50, "pages did turn over");
  assert.equal(
    chip.counts(0, PARTITION.address).erases + chip.counts(0x5000, 0x1000).programs,
    0,
    "nothing outside the partition",
  );
});

test("setting an equal value writes nothing", () => {
  const chip = newChip();
  const nvs = mount(chip);
  const set = (): void => {
    nvs.setNumber("n", 5);
    nvs.setBytes("b", Buffer.from([1, 0, 2]));
    nvs.setBlob("blob", Buffer.from([1, 0, 2]));
    nvs.delete("never");
  };
  set();
  const { programs, erases } = chip.counts();
  set();
  assert.deepEqual([chip.counts().programs, chip.counts().erases], [programs, erases]);
});

test("a small number costs 32 bytes and three 32-bit words of state; 1,000 of them about eight page erases", () => {
  const chip = newChip();
  const nvs = mount(chip);
  nvs.setNumber("offset", 0);
  chip.resetCounts();
  nvs.setNumber("offset", 1);
  assert.deepEqual([chip.counts().programs, chip.counts().bytesProgrammed], [3, 32 + 4 + 4]);
  for (let offset = 2; offset < 1000; offset++) nvs.setNumber("offset", offset);
  assert.ok(chip.counts().erases >= 5 && chip.counts().erases <= 9, `${chip.counts().erases} erases`);
});

test("bytes are kept as a string without zeros", () => {
  const chip = newChip();
  mount(chip).setBytes("job", Buffer.from([5, 0, 0, 6]));
  assert.deepEqual(contents(chip).get("job"), Buffer.from([2, 5, 1, 2, 6]));
});

test("a string that is not COBS-coded counts as absent", () => {
  const chip = newChip();
  const nvs = mount(chip);
  nvs.setString("job", Buffer.from([9, 1, 1]));
  assert.equal(nvs.getBytes("job"), undefined);
});

test("blobs may be longer than what is left of a page", () => {
  const chip = newChip();
  const nvs = mount(chip);
  for (let round = 0; round < 40; round++) {
    const blob = new Uint8Array(3900).fill(round + 1);
    nvs.setBlob("big", blob);
    assert.deepEqual(nvs.getBlob("big"), blob);
    assert.deepEqual(mount(chip).getBlob("big"), blob);
    assert.deepEqual(contents(chip).get("big"), Buffer.from(blob));
  }
});

test("a full store throws, keeps its records and takes smaller ones again", () => {
  const chip = newChip();
  const nvs = mount(chip);
  nvs.setNumber("kept", 1);
  assert.throws(() => {
    for (let index = 0; index < 400; index++) nvs.setNumber(`k${index}`, index);
  }, /NVS k\d+: no space/);
  const remounted = mount(chip);
  assert.equal(remounted.getNumber("kept"), 1);
  assert.equal(remounted.getNumber("k200"), 200);
  for (let index = 0; index < 100; index++) remounted.delete(`k${index}`);
  remounted.setNumber("again", 3);
  assert.equal(mount(chip).getNumber("again"), 3);
});

test("the keys of the namespace, each once", () => {
  const chip = newChip();
  const nvs = mount(chip);
  new Nvs(chip, PARTITION, "other").setNumber("foreign", 1);
  const again = mount(chip);
  again.setNumber("a", 1);
  again.setBlob("c", Buffer.from([2]));
  again.setBytes("b", Buffer.from([0, 1]));
  assert.deepEqual(again.keys(), ["a", "c", "b"]);
  assert.deepEqual(nvs.keys(), []);
});

test("a flipped bit in an item makes it absent, not wrong", () => {
  const chip = newChip();
  const nvs = mount(chip);
  nvs.setNumber("n", 0x5555);
  nvs.setBytes("b", Buffer.alloc(100, 0x77));
  const image = bytesOf(chip);
  for (let place = 96; place < 300; place++) {
    const copy = new FlashChip((chip.cells as MemoryCells).fork());
    copy.cells.set(PARTITION.address + place, Buffer.from([image[place]! ^ 0x20]));
    const damaged = mount(copy);
    assert.ok([0x5555, undefined].includes(damaged.getNumber("n")), `number with byte ${place} changed`);
    assert.ok(
      [undefined, Buffer.alloc(100, 0x77).toString("hex")].includes(hex(damaged.getBytes("b"))),
      `bytes with byte ${place} changed`,
    );
  }
});

test("random bytes never break a mount, and the store works after it", () => {
  const garbage = fc.array(
    fc.record({ address: fc.nat(0x3fff), bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }), good: fc.boolean() }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(garbage, fc.nat(200), (writes, before) => {
      const chip = newChip();
      const nvs = mount(chip);
      for (let offset = 0; offset < before; offset++) nvs.setNumber("offset", offset);
      nvs.setBytes("job", Buffer.alloc(300, 1));
      nvs.setBlob("blob", Buffer.alloc(300, 1));
      for (const { address, bytes, good } of writes) {
        const place = PARTITION.address + Math.min(address, PARTITION.size - bytes.length);
        // Some of the damage is what NOR flash can do, some is not.
        if (good) chip.cells.clear(place, bytes);
        else chip.cells.set(place, bytes);
      }
      const after = mount(chip);
      after.getNumber("offset");
      after.getBytes("job");
      after.getBlob("blob");
      after.keys();
      // The first item may fall on an entry whose first word looks blank and whose rest is not; ESP-IDF programs that
      // too. It is absent then.
      let tries = 0;
      do mount(chip).setNumber("new", ++tries);
      while (mount(chip).getNumber("new") !== tries && tries < 100);
      assert.ok(tries < 100, "the store takes values again");
    }),
    { numRuns: 300 },
  );
});

test("pages of random bytes are erased and begun anew", () => {
  const chip = newChip();
  let state = 1;
  const noise = Buffer.from(
    Array.from({ length: PARTITION.size }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24),
  );
  chip.cells.set(PARTITION.address, noise);
  const nvs = mount(chip);
  nvs.setNumber("n", 1);
  assert.equal(mount(chip).getNumber("n"), 1);
});

test("an NVS partition without a free page is erased and begun anew", () => {
  const chip = newChip();
  for (let index = 0; index < 4; index++) {
    const page = Buffer.alloc(4096, 0xff);
    page.writeUInt32LE(0xfffffffc, 0);
    page.writeUInt32LE(index, 4);
    page[8] = 0xfe;
    page.writeUInt32LE(nvsCrc(page.subarray(4, 28)), 28);
    chip.cells.set(PARTITION.address + index * 4096, page);
  }
  const full = mount(chip);
  full.setNumber("n", 1);
  assert.equal(mount(chip).getNumber("n"), 1);
});

function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("hex");
}
