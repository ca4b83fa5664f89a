/** `xs-ota inspect flash.bin`: what esptool has read out of a real board, in words. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildImage } from "../../hal/model-chip/build-image";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { Nvs } from "../../hal/model-chip/nvs";
import { partitionsOfCsv, tableOfPartitions } from "../../hal/model-chip/partitions";
import { describeDump } from "../../host-sim/dump/describe-dump";
import { isFlash } from "../../host-sim/dump/table";
import { inspectDump } from "../../host-sim/cli/inspect";
import { report } from "../../host-sim/cli/inspect-words";
import { createKeyFile, readPrivateKey } from "../../host-sim/cli/signing/keys";
import { signFirmware } from "../../host-sim/cli/signing/firmware-file";
import { RECORDS } from "../../src/job/records";
import { FaultRecord, LAST_RUN } from "../../hal/moddable/fault-record";
import { boardWithDump } from "../kit/flash-dump";
import { temporaryFolder } from "../kit/folder";
import { xsOta } from "../kit/xs-ota";

const SECRET = "c2VjcmV0c2VjcmV0";
const words = (bytes: Uint8Array): string => report(inspectDump(bytes, "flash.bin"));
const refusal = (bytes: Uint8Array): string => {
  try {
    inspectDump(bytes, "flash.bin");
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

test("a dump tells partitions, slots, boot entries, trial, records and the last fault, and no secret", async (t) => {
  const { board, dump } = boardWithDump();
  const settings = board.ports.space("xs-ota-cfg");
  settings.setString("deviceName", Buffer.from("line-7-0042"));
  settings.setString("deviceSecret", Buffer.from(SECRET));
  board.ports.store.setNumber(RECORDS.awakeSeconds.key, 77);
  const faults = new FaultRecord(board.ports.space(LAST_RUN));
  faults.begin("power-on");
  faults.record("1.4.0", "unhandled exception", new Error("out\nof range"));
  const path = join(temporaryFolder(t), "flash.bin");
  writeFileSync(path, dump());
  const { code, stdout, stderr } = await xsOta("inspect", path);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^flash: 4 MB, ESP32-C3\n\npartitions\n {2}nvs +0x9000 +16 KB\n/);
  assert.match(stdout, /\n {2}0: ota_0, sequence 1, valid, decides\n/);
  assert.match(stdout, /\n {2}trial: none, ota_0 is confirmed\n/);
  assert.match(stdout, /\n {2}ota_0: 1\.4\.0 of thermostat, 40000 bytes, boots; no signature behind it\n/);
  assert.match(stdout, /\n {2}ota_1: no firmware, does not boot: not an ESP image: it begins with 0xff.*erased flash/);
  assert.match(stdout, /\n {2}awake +77 \(0x4d\)\n/);
  assert.match(stdout, /\n {2}last fault: 1\.4\.0: unhandled exception: Error: out of range\n/);
  assert.match(stdout, /\n {2}deviceName {2}11 bytes\n {2}deviceSecret {2}16 bytes\n/);
  const json = (await xsOta("inspect", path, "--json")).stdout;
  assert.equal((JSON.parse(json) as { chip: string }).chip, "ESP32-C3");
  for (const shown of [stdout, json]) assert.ok(!shown.includes(SECRET) && !shown.includes("line-7"));
});

test("a dump of 16 MB, of a board on trial with signed firmware in its second slot", (t) => {
  const key = join(temporaryFolder(t), "key.pem");
  createKeyFile(key);
  const { board, dump } = boardWithDump({ chip: 9, megabytes: 16 });
  const image = signFirmware(
    buildImage({ chip: 9, version: "1.5.0", product: "thermostat", payload: Buffer.from("new"), size: 30_009 }),
    readPrivateKey(key),
  );
  for (let at = 0; at < image.length; at += 4096) board.ports.flash.write(at, image.subarray(at, at + 4096));
  board.ports.boot.activate();
  assert.match(words(dump()), /trial: ota_1 has been activated and starts on trial next\n/);
  board.powerOn("software");
  const text = words(dump());
  assert.match(text, /^flash: 16 MB, ESP32-S3\n/);
  assert.match(text, /ota_1: 1\.5\.0 of thermostat, [0-9]+ bytes, boots; signed, key [0-9a-f]{8}\.\.\.\n/);
  assert.match(text, /trial: ota_1 is on trial and not confirmed: the next start rolls back\n/);
  assert.match(text, /bootloader: rolls back\n/);
});

test("a dump that is cut off says what it lacks, wherever it ends", () => {
  const bytes = boardWithDump().dump();
  const half = words(bytes.subarray(0, 0x1a000));
  assert.match(half, /note: the dump is cut off: it has 106496 bytes, the partition table reaches to 4194304/);
  assert.match(half, /\n {2}ota_1 +0x200000 +1984 KB {2}not in this dump\n/);
  assert.match(half, /\n {2}ota_0: 1\.4\.0 of thermostat, 40000 bytes, boots;/, "its image is within the dump");
  assert.match(
    words(bytes.subarray(0, 0x12000)),
    /ota_0: 1\.4\.0 of thermostat, does not boot: .*; the dump ends within/,
  );
  assert.match(words(bytes.subarray(0, 0xa800)), /note: nvs is not whole in this dump/);
  assert.match(words(bytes.subarray(0, 0xd800)), /note: otadata is not in this dump/);
  assert.match(refusal(bytes.subarray(0, 0x8400)), /ends at 0x8400, before the end of the partition table at 0x8000/);
  for (let length = 0; length < 0x12000; length += 1021) {
    const cut = bytes.subarray(0, length);
    assert.ok(refusal(cut) === "" || refusal(cut).startsWith("flash.bin: the dump ends"), String(length));
  }
});

test("noise of flash encryption, an empty chip, a foreign offset: one line each", () => {
  const bytes = boardWithDump().dump();
  const noise = randomBytes(4 << 20);
  assert.ok(isFlash(noise));
  assert.match(refusal(noise), /^flash\.bin: no partition table and no bootloader, only noise: as flash encryption/);
  assert.match(refusal(Buffer.alloc(4 << 20, 0xff)), /the whole dump is erased/);
  const shifted = Buffer.concat([bytes.subarray(0, 0x8000), Buffer.alloc(0x8000, 0xff), bytes.subarray(0x8000)]);
  assert.match(refusal(shifted.subarray(0, 4 << 20)), /no partition table at 0x8000, but one at 0x10000/);
  const blank = Buffer.from(bytes).fill(0xff, 0x8000, 0x9000);
  assert.match(refusal(blank), /no partition table: 0x8000 is erased \(0xff\), although there is a bootloader/);
  const damaged = Buffer.from(bytes);
  damaged[0x8004]! ^= 1;
  assert.match(refusal(damaged), /MD5 does not match: the dump or the flash is damaged/);
});

test("NVS that is encrypted or damaged is told from a blank one", () => {
  const { board, dump } = boardWithDump();
  board.ports.store.setNumber("awake", 1);
  const bytes = dump();
  const noisy = Buffer.from(bytes);
  noisy.set(randomBytes(0x4000), 0x9000);
  assert.match(
    words(noisy),
    /note: nvs can not be read: none of its 4 pages is one of NVS \(encrypted, or damaged\)\n/,
  );
  const half = Buffer.from(bytes);
  half.set(randomBytes(0x1000), 0xc000);
  assert.match(words(half), /note: 1 of the 4 pages of nvs can not be read/);
  assert.match(words(half), /\n {2}awake +1 \(0x1\)\n/);
  assert.match(words(Buffer.from(bytes).fill(0xff, 0x9000, 0xd000)), /note: nvs is blank/);
});

test("a layout with one app, and one with three slots, are described as they are", () => {
  const single = describeDump(withTable("nvs,data,nvs,0x9000,0x6000\nfactory,app,factory,0x10000,1M", 2));
  assert.deepEqual(
    [single.slots.length, single.otherApps.map(({ label }) => label), single.boot],
    [0, ["factory"], []],
  );
  assert.match(single.notes.join("\n"), /no otadata partition: the bootloader always starts the same app/);
  const three = describeDump(
    withTable(
      "nvs,data,nvs,0x9000,0x4000\notadata,data,ota,0xd000,0x2000\nota_0,app,ota_0,0x10000,64K\nota_1,app,ota_1,,64K\nota_2,app,ota_2,,64K",
      1,
    ),
  );
  assert.deepEqual(
    three.slots.map(({ label }) => label),
    ["ota_0", "ota_1", "ota_2"],
  );
});

test("a table without MD5, as Moddable's builds have it, is read; rubbish behind it is not", () => {
  const bytes = boardWithDump().dump();
  const md5 = 0x8000 + 6 * 32;
  assert.deepEqual(bytes.subarray(md5, md5 + 2), Buffer.from([0xeb, 0xeb]));
  const bare = Buffer.from(bytes).fill(0xff, md5, md5 + 32);
  assert.match(words(bare), /ota_0: 1\.4\.0 of thermostat, 40000 bytes, boots/);
  bare[md5 + 9] = 0;
  assert.match(refusal(bare), /rubbish behind its last entry: the dump or the flash is damaged/);
});

test("whatever is damaged in a dump, it is described or refused by one line", () => {
  const { board, dump } = boardWithDump();
  board.ports.space("xs-ota-cfg").setString("deviceSecret", Buffer.from(SECRET));
  board.ports.store.setNumber("awake", 1);
  const bytes = dump();
  const table = 0x8000 + 6 * 32;
  const bare = Buffer.from(bytes.subarray(0, 0x20000)).fill(0xff, table, table + 32);
  let refused = 0;
  for (let round = 0; round < 400; round++) {
    const copy = Buffer.from(bare);
    // Bytes of table, NVS and boot entries, by the round's own digest.
    const noise = createHash("sha256").update(`round ${round}`).digest();
    const from = [0x8000, 0x8000, 0x9000, 0xd000][round % 4]!;
    for (let index = 0; index < 8; index++)
      copy[from + (noise.readUInt16LE(index * 2) % (from === 0x8000 ? 0xc0 : 0x1000))] = noise[16 + index]!;
    const why = refusal(copy);
    if (why !== "") refused++;
    assert.match(why, /^[^\n]*$/);
    assert.ok(!why.includes(SECRET));
  }
  assert.ok(refused > 50 && refused < 350, String(refused));
});

test("a firmware file of exactly 1 MiB is firmware, not flash", () => {
  assert.equal(isFlash(buildImage({ version: "1", payload: Buffer.from("x"), size: 1 << 20 })), false);
});

/** Flash of `megabytes` with this table and nothing else but an NVS. */
function withTable(csv: string, megabytes: number): Uint8Array {
  const partitions = partitionsOfCsv(csv, megabytes << 20);
  const chip = FlashChip.inMemory(megabytes << 20);
  chip.program(0x8000, tableOfPartitions(partitions));
  void new Nvs(
    chip,
    partitions.find(({ label }) => label === "nvs")!,
    "xs-ota",
  );
  const bytes = new Uint8Array(chip.size);
  chip.read(0, bytes);
  return bytes;
}
