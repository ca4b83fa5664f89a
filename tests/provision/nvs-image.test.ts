/** NVS partitions as ESP-IDF's nvs_partition_gen.py writes them; `npm run test:esp-idf-nvs` compares with the program. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { Nvs } from "../../hal/model-chip/nvs";
import { STRING_MAX, nvsImage } from "../../hal/model-chip/nvs-image";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

const SIZE = 0x4000;
const strings = (entries: Readonly<Record<string, string>>): Map<string, Uint8Array> =>
  new Map(Object.entries(entries).map(([key, value]) => [key, Buffer.from(value)]));
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Made by esp-idf-nvs-partition-gen 0.3.0: header, states of the entries, five entries. */
const GENERATED =
  "feffffff00000000feffffffffffffffffffffffffffffffffffffff842dbab9aafeffffffffffffffffffffffffffffffff" +
  "ffffffffffffffffffffffffffff000101ff9cde0d9478732d6f74612d63666700000000000001ffffffffffffff012102ff" +
  "696b409f646576696365536563726574000000001900ffff3b532897335a786b516d56795647567a64465a6c593352766367" +
  "3d3d00ffffffffffffff012102ffd3112f516465766963654e616d650000000000000c00ffff4a25790b6c696e652d372d30" +
  "30343200ffffffffffffffffffffffffffffffffffffffff";

test("the bytes are those of ESP-IDF's generator: one page, and three pages of which two are full", () => {
  const { bytes, used, pages } = nvsImage(
    SIZE,
    "xs-ota-cfg",
    strings({ deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==", deviceName: "line-7-0042" }),
  );
  assert.deepEqual([used, pages, bytes.length], [5, 1, SIZE]);
  assert.equal(Buffer.from(bytes.subarray(0, GENERATED.length / 2)).toString("hex"), GENERATED);
  assert.ok(bytes.subarray(GENERATED.length / 2).every((byte) => byte === 0xff));
  const lengths = { a: 3_000, b: 2_000, c: 1_700, d: 1_000, e: 31, f: 30, g: 0 };
  const long = Object.entries(lengths).map(([key, length]) => [key, key.repeat(length)] as const);
  const three = nvsImage(SIZE, "xs-ota-cfg", strings(Object.fromEntries(long)));
  assert.equal(three.pages, 3);
  assert.equal(sha256(three.bytes), "870c651e194e5b472df2e29caa772db26ebd1283ccd47036563f1d21fff7e865");
});

test("a chip mounts the image, reads each string and goes on writing", () => {
  const { nvs } = partitionTableFor(4 << 20);
  const long = "x".repeat(STRING_MAX);
  const { bytes } = nvsImage(nvs.size, "xs-ota-cfg", strings({ long, empty: "", word: "é" }));
  const chip = FlashChip.inMemory(4 << 20);
  chip.program(nvs.address, bytes);
  const settings = new Nvs(chip, nvs, "xs-ota-cfg");
  const read = (key: string): string => Buffer.from(settings.getString(key)!).toString();
  assert.deepEqual([read("long"), read("empty"), read("word")], [long, "", "é"]);
  for (let round = 0; round < 500; round++) new Nvs(chip, nvs, "xs-ota", settings).setNumber("n", round);
  assert.deepEqual([read("long"), read("word")], [long, "é"]);
});

test("what NVS can not hold is refused: keys, strings, the whole", () => {
  const image = (entries: Readonly<Record<string, string>>) => () => nvsImage(SIZE, "xs-ota-cfg", strings(entries));
  assert.throws(image({ abcdefghijklmnop: "1" }), /"abcdefghijklmnop" is no key of 1 to 15 characters/);
  assert.throws(image({ "a b": "1" }), /is no key/);
  assert.throws(image({ key: "x".repeat(STRING_MAX + 1) }), /key: 4000 bytes, NVS takes at most 3999/);
  assert.throws(image({ key: "a\0b" }), /a zero byte/);
  const full = "x".repeat(STRING_MAX);
  assert.throws(image({ a: full, b: full, c: full }), /nvs has 16384 bytes, of which 12288 can be filled/);
  assert.throws(() => nvsImage(SIZE, "a-long-namespace", new Map()), /is no namespace of 1 to 15 characters/);
});
