import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { PartitionTable, TABLE_ADDRESS } from "../../hal/model-chip/partitions";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

const MB = 1 << 20;
const GOOD = [
  "nvs, data, nvs, 0x9000, 0x4000",
  "otadata, data, ota, 0xd000, 0x2000",
  "ota_0, app, ota_0, 0x10000, 0x100000",
  "ota_1, app, ota_1, 0x110000, 1M",
];
const table = (...lines: string[]): PartitionTable => PartitionTable.fromCsv(lines.join("\n"), 4 * MB);
const without = (label: string): string[] => GOOD.filter((line) => !line.startsWith(label));

for (const megabytes of [4, 8, 16]) {
  test(`the firmware's table for ${megabytes} MB: two equal slots at multiples of 64 KiB, as large as they can be`, () => {
    const { slots, nvs, otadata } = partitionTableFor(megabytes * MB);
    assert.deepEqual([nvs.address, nvs.size, otadata.address, otadata.size], [0x9000, 0x4000, 0xd000, 0x2000]);
    const [a, b] = slots;
    assert.equal(a.address, 0x10000);
    assert.equal(a.size, b.size);
    assert.equal(b.address % 0x10000, 0);
    assert.ok(b.address >= a.address + a.size && b.address + b.size <= megabytes * MB);
    // One step of 64 KiB more for each would not fit.
    assert.ok(a.address + 2 * (a.size + 0x10000) > megabytes * MB);
  });
}

test("there is no table for other flash sizes", () => {
  assert.throws(() => partitionTableFor(2 * MB), /4, 8 or 16 MB/);
});

test("comments, blank lines, missing offsets, K and M are understood", () => {
  const read = table(
    "# a comment",
    "",
    "nvs, data, nvs, , 16K",
    "otadata, data, ota, , 8K, # here too",
    "ota_0, app, ota_0, , 1M,",
    "ota_1,app,ota_1,,0x100000",
  );
  assert.deepEqual(
    read.partitions.map(({ label, address, size }) => [label, address, size]),
    [
      ["nvs", 0x9000, 0x4000],
      ["otadata", 0xd000, 0x2000],
      ["ota_0", 0x10000, MB],
      ["ota_1", 0x110000, MB],
    ],
  );
  assert.equal(read.end, 0x210000);
  assert.equal(read.find("ota_1")?.address, 0x110000);
  assert.equal(read.find("none"), undefined);
});

test("every mistake is named", () => {
  const mistakes: [string[], RegExp][] = [
    [[], /no nvs partition/],
    [without("nvs"), /no nvs/],
    [without("otadata"), /no otadata/],
    [without("ota_1"), /no ota_1/],
    [[...GOOD, "more, data, ota, 0x300000, 0x2000"], /more than one otadata/],
    [[...GOOD, "ota_2, app, 0x12, 0x300000, 0x10000"], /ota_2.*two slots/],
    [[...GOOD, "factory, app, factory, 0x300000, 0x10000"], /factory.*two slots/],
    [[...GOOD, "nvs, data, fat, 0x300000, 0x1000"], /two partitions are called nvs/],
    [[...GOOD, "big, data, fat, 0x300000, 0x200000"], /big ends at 0x500000, the flash at 0x400000/],
    [[...GOOD, "over, data, fat, 0x10f000, 0x2000"], /over at 0x10f000 overlaps ota_0, which ends at 0x110000/],
    [[...GOOD, "odd, data, fat, 0x300800, 0x1000"], /odd: address 0x300800 is not a multiple of 0x1000/],
    [[...GOOD, "odd, data, fat, 0x300000, 0x800"], /odd: size 0x800/],
    [[...GOOD, "none, data, fat, 0x300000, 0"], /none: size 0x0/],
    [[...without("ota_1"), "ota_1, app, ota_1, 0x118000, 1M"], /ota_1: address 0x118000 is not a multiple of 0x10000/],
    [
      [...without("ota_1"), "ota_1, app, ota_1, 0x110000, 0x110000"],
      /not equal: ota_0 has 1048576 bytes, ota_1 1114112/,
    ],
    [[...without("otadata"), "otadata, data, ota, 0xd000, 0x3000"], /otadata: 12288 bytes, must be 8192/],
    [[...without("nvs"), "nvs, data, nvs, 0x9000, 0x2000"], /nvs: 8192 bytes/],
    [["table, data, fat, 0x8000, 0x1000", ...GOOD], /table at 0x8000 overlaps the partition table/],
    [[...GOOD, "x, what, fat, 0x300000, 0x1000"], /line 5: type "what"/],
    [[...GOOD, "x, data, constructor, 0x300000, 0x1000"], /line 5: subtype "constructor"/],
    [[...GOOD, "x, data, fat, 0x30G000, 0x1000"], /line 5: offset "0x30G000"/],
    [[...GOOD, "x, data, fat, 0x300000, "], /line 5: size ""/],
    [[...GOOD, ", data, fat, 0x300000, 0x1000"], /line 5: "" is not a label/],
    [[...GOOD, "seventeen-letters, data, fat, 0x300000, 0x1000"], /line 5: .* is not a label/],
  ];
  for (const [lines, message] of mistakes) assert.throws(() => table(...lines), message, lines.join(" | "));
});

test("the binary table is ESP-IDF's, byte for byte", () => {
  const bytes = table(...GOOD).toBinary();
  assert.equal(bytes.length, 0xc00);
  const hex = (from: number, to: number): string => Buffer.from(bytes.subarray(from, to)).toString("hex");
  const name = (text: string): string => Buffer.from(text).toString("hex").padEnd(32, "0");
  assert.equal(hex(0, 32), `aa5001020090000000400000${name("nvs")}00000000`);
  assert.equal(hex(32, 64), `aa50010000d0000000200000${name("otadata")}00000000`);
  assert.equal(hex(64, 96), `aa5000100000010000001000${name("ota_0")}00000000`);
  assert.equal(hex(96, 128), `aa5000110000110000001000${name("ota_1")}00000000`);
  assert.equal(hex(128, 144), `ebeb${"ff".repeat(14)}`);
  assert.equal(hex(144, 160), createHash("md5").update(bytes.subarray(0, 128)).digest("hex"));
  assert.ok(bytes.subarray(160).every((byte) => byte === 0xff));
});

test("binary round trip, through a chip", () => {
  const chip = FlashChip.inMemory(4 * MB);
  assert.throws(() => PartitionTable.read(chip), /no partition table in flash/);
  const written = partitionTableFor(4 * MB);
  chip.program(TABLE_ADDRESS, written.toBinary());
  assert.deepEqual(PartitionTable.read(chip).partitions, written.partitions);
  assert.throws(() => PartitionTable.read(FlashChip.inMemory(0x8000)), /no partition table/);
});

test("a damaged binary table is refused", () => {
  const good = table(...GOOD).toBinary();
  const changed = (place: number, value: number): Uint8Array => {
    const bytes = good.slice();
    bytes[place] = value;
    return bytes;
  };
  assert.throws(() => PartitionTable.fromBinary(changed(5, 1), 4 * MB), /MD5/);
  assert.throws(() => PartitionTable.fromBinary(changed(128, 0), 4 * MB), /no MD5 entry/);
  assert.throws(() => PartitionTable.fromBinary(changed(0, 0), 4 * MB), /no partition table/);
  assert.throws(() => PartitionTable.fromBinary(good, 2 * MB), /ends at/);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.throws(() => PartitionTable.fromBinary(bytes, 4 * MB), Error);
    }),
  );
});
