/** `xs-ota doctor` of a build folder, and of a real board's flash. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { buildImage } from "../../hal/model-chip/build-image";
import { partitionsOfCsv, tableOfPartitions } from "../../hal/model-chip/partitions";
import { examineBuild } from "../../host-sim/doctor/build";
import { examineDump } from "../../host-sim/doctor/dump";
import { inWords } from "../../host-sim/doctor/finding";
import { partitionTableFor } from "../../host-sim/board/partition-tables";
import { boardWithDump, bootloader } from "../kit/flash-dump";
import { temporaryFolder } from "../kit/folder";
import { xsOta, xsOtaError } from "../kit/xs-ota";
import { ROOT } from "./apps";

const image = (size: number, chip = 5, custom?: Uint8Array): Uint8Array =>
  buildImage({
    chip,
    version: "1.4.0",
    product: "thermostat",
    payload: Buffer.from("app"),
    size,
    ...(custom && { custom }),
  });

/** A right build for an ESP32-C3 with 4 MB. */
function build(t: TestContext): string {
  const folder = join(temporaryFolder(t), "build");
  mkdirSync(folder);
  writeFileSync(join(folder, "bootloader.bin"), bootloader(5, 4));
  writeFileSync(join(folder, "partition-table.bin"), partitionTableFor(4 << 20).toBinary());
  writeFileSync(join(folder, "xs_esp32.bin"), image(1_400_000));
  const overlay = readFileSync(join(ROOT, "hal/esp32/sdkconfig/esp32c3/sdkconfig.defaults"), "utf8");
  writeFileSync(join(folder, "sdkconfig"), `${overlay}CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\n`);
  return folder;
}

test("a right build passes without a word, with product, version, chip and room", async (t) => {
  const folder = build(t);
  const { code, stdout, stderr } = await xsOta("doctor", folder);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(
    stdout,
    `bootloader for ESP32-C3, flash of 4 MB\nxs_esp32.bin: 1400000 bytes, 31 % of the slot are free\nfirmware 1.4.0, product thermostat, not signed\n${folder}: can be updated safely\n`,
  );
  const json = JSON.parse((await xsOta("doctor", folder, "--json")).stdout) as { safe: boolean; findings: unknown[] };
  assert.deepEqual([json.safe, json.findings], [true, []]);
});

const put = (name: string, bytes: Uint8Array) => (folder: string) => writeFileSync(join(folder, name), bytes);
const add = (line: string) => (folder: string) => appendFileSync(join(folder, "sdkconfig"), `${line}\n`);
const csv = (text: string): Uint8Array => tableOfPartitions(partitionsOfCsv(text, 16 << 20));
const damaged = Buffer.from(image(50_000));
damaged[30_000]! ^= 1;

const BUILDS: readonly (readonly [string, (folder: string) => void, RegExp])[] = [
  ["no bootloader", (folder) => rmSync(join(folder, "bootloader.bin")), /bootloader\.bin is missing/],
  ["no table", (folder) => rmSync(join(folder, "partition-table.bin")), /partition-table\.bin is missing/],
  ["no app", (folder) => rmSync(join(folder, "xs_esp32.bin")), /xs_esp32\.bin is missing/],
  [
    "no sdkconfig",
    (folder) => rmSync(join(folder, "sdkconfig")),
    /no sdkconfig in the folder: whether the bootloader rolls back/,
  ],
  ["no rollback", add("CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=n"), /ROLLBACK_ENABLE is n/],
  ["no validation", add("CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS=y"), /SKIP_VALIDATE_ALWAYS is y/],
  ["no watchdog", add("CONFIG_ESP_TASK_WDT_EN=n"), /TASK_WDT_EN is n/],
  [
    "an app for another chip",
    put("xs_esp32.bin", image(50_000, 9)),
    /xs_esp32\.bin is for ESP32-S3, the bootloader for ESP32-C3/,
  ],
  [
    "an app that is larger than its slot",
    put("xs_esp32.bin", image(0x1f0000 + 16)),
    /has 2031632 bytes, ota_0 2031616: 16 too many/,
  ],
  ["a damaged app", put("xs_esp32.bin", damaged), /xs_esp32\.bin: ESP image: checksum/],
  [
    "somebody else's app",
    put("xs_esp32.bin", image(50_000, 5, new Uint8Array(80))),
    /xs_esp32\.bin has no firmware block/,
  ],
  [
    "text in place of the bootloader",
    put("bootloader.bin", Buffer.from("hello ".repeat(10))),
    /bootloader\.bin: not an ESP image/,
  ],
  [
    "a stock table",
    put("partition-table.bin", csv("nvs,data,nvs,0x9000,0x6000\nfactory,app,factory,0x10000,0x3F0000")),
    /has one app partition \(factory of 4032 KB\)/,
  ],
  [
    "a table of 8 MB",
    put("partition-table.bin", partitionTableFor(8 << 20).toBinary()),
    /reaches to 0x800000, the flash is 4 MB/,
  ],
  [
    "rubbish for a table",
    put("partition-table.bin", randomBytes(0xc00)),
    /partition-table\.bin: no partition table: no app is found/,
  ],
];

for (const [what, make, message] of BUILDS) {
  test(`doctor names it in a build: ${what}`, (t) => {
    const folder = build(t);
    make(folder);
    const told = examineBuild(folder)
      .findings.filter(({ level }) => level === "wrong")
      .map(inWords);
    assert.equal(told.length, 1, told.join("\n"));
    assert.match(told[0]!, message);
  });
}

test("a board's flash: a right one passes, each fault of others is named", async (t) => {
  const { board, dump } = boardWithDump();
  board.ports.space("xs-ota-cfg").setString("platform", Buffer.from("tencent"));
  const bytes = dump();
  const path = join(temporaryFolder(t), "flash.bin");
  writeFileSync(path, bytes);
  const { code, stdout } = await xsOta("doctor", path);
  assert.equal(code, 0, stdout);
  assert.equal(
    stdout,
    `ESP32-C3, 4 MB\nota_0 1.4.0, ota_1 no firmware\nbootloader: not known yet\n${path}: can be updated safely\n`,
  );
  const changed = (change: (copy: Buffer) => void): string => {
    const copy = Buffer.from(bytes);
    change(copy);
    return examineDump(copy).findings.map(inWords).join("\n");
  };
  assert.match(
    changed((copy) => copy.set(randomBytes(0x4000), 0x9000)),
    /^wrong: nvs can not be read/,
  );
  assert.match(
    changed((copy) => copy.fill(0xff, 0, 0x8000)),
    /^wrong: no bootloader in the dump/,
  );
  assert.match(
    changed((copy) => (copy[0x1000]! ^= 1)),
    /^wrong: the bootloader is damaged: ESP image: checksum/,
  );
  assert.match(
    changed((copy) => (copy[0x12000]! ^= 1)),
    /wrong: no slot has firmware that boots: the device is dead/,
  );
  assert.match(
    changed((copy) => {
      copy.set(randomBytes(copy.length));
      // The first byte of an image alone is no bootloader.
      copy[0] = 0xe9;
      copy[0x1000] = 0x55;
      copy[0x2000] = 0x55;
      copy[12] = 0xaa;
    }),
    /^wrong: no partition table and no bootloader, only noise/,
  );
  assert.match(
    changed((copy) => copy.set(csv("nvs,data,nvs,0x9000,0x6000\nfactory,app,factory,0x10000,1M"), 0x8000)),
    /has one app partition/,
  );
  assert.match(examineDump(bytes.subarray(0, 0x20000)).findings.map(inWords).join("\n"), /^wrong: the dump is cut off/);
});

test("firmware that was rolled back, and what the last run died of, are notes: such a board takes updates", () => {
  const { board, dump } = boardWithDump();
  const next = buildImage({
    chip: 5,
    version: "1.5.0",
    product: "thermostat",
    payload: Buffer.from("new"),
    size: 30_000,
  });
  for (let at = 0; at < next.length; at += 4096) board.ports.flash.write(at, next.subarray(at, at + 4096));
  board.ports.boot.activate();
  board.powerOn("software");
  board.powerOn("watchdog");
  board.ports.space("xs-ota-run").setBytes("fault", Buffer.from("1.5.0: out of memory"));
  const { facts, findings } = examineDump(dump());
  assert.deepEqual(
    findings.map(({ level, what }) => `${level}: ${what}`),
    [
      "note: ota_1 (1.5.0) was rolled back (aborted)",
      "note: the last run died: 1.5.0: out of memory",
      "note: no platform among the settings in NVS",
    ],
  );
  assert.ok(facts.includes("bootloader: rolls back"));
});

test("what is neither an app, a build nor a flash is refused by one line", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "fw.bin"), image(50_000));
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [[join(folder, "none")], /there is no such file or folder/],
    [[folder], /is no app \(manifest\.json\) and no build \(bootloader\.bin/],
    [[join(folder, "fw.bin")], /is no dump of a flash: of a firmware file, xs-ota inspect tells/],
    [[ROOT, "-p", "lin"], /platform lin: esp32 or esp32\/BOARD is expected/],
  ];
  for (const [args, message] of rows) {
    const { code, stderr } = await xsOtaError("doctor", ...args);
    assert.equal(code, 1);
    assert.match(stderr, message);
  }
});
