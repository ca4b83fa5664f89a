/**
 * Apps exactly as docs/ESP32.md gives them, for the chips and for boards with an sdkconfig of their own: what updates
 * depend on is in the merged sdkconfig, so is what the board needs, and the partition table has two slots. Manifests
 * and commands are read from the document.
 */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { buildForChip, configureForChip, includesOf, settingsOf } from "./chip-build";
import type { ChipProject } from "./chip-build";
import { APP, BOARD_APP, OUTER, SIZE, addBoard, newApp } from "./document-apps";
import type { Target } from "./document-apps";
import { BUILD, ROOT, warnings } from "./harness";

const PORT = join(ROOT, "hal", "esp32");

const READY: readonly Target[] = [
  ["esp32", "esp32", 4],
  ["esp32/esp32c3", "esp32c3", 4],
  ["esp32/esp32c3_cdc", "esp32c3", 4],
  ["esp32/esp32c6", "esp32c6", 4],
  ["esp32/esp32c6_cdc", "esp32c6", 4],
  ["esp32/esp32s3", "esp32s3", 4],
  ["esp32/esp32s3_cdc", "esp32s3", 4],
];
const BOARDS: readonly Target[] = [
  ["esp32/esp32s3_usb", "esp32s3", 4],
  ["esp32/lolin_c3mini", "esp32c3", 4],
  ["esp32/m5stack_core2", "esp32", 16],
  ["esp32/m5stick_cplus", "esp32", 4],
  ["esp32/moddable_six", "esp32s3", 8],
];
/** With another flash size than that of the ready table, so that a board.json without effect is noticed. */
const RESIZED: readonly Target[] = READY.map(([platform, chip]) => [platform, chip, 8]);

function assertSafe(project: ChipProject, [, chip, flash]: Target): void {
  const merged = settingsOf(project.sdkconfig);
  assert.equal(merged.get("CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE"), "y");
  assert.equal(merged.get("CONFIG_ESP_TASK_WDT_EN"), "y");
  for (const [name, value] of merged)
    assert.ok(!name.startsWith("CONFIG_BOOTLOADER_SKIP_VALIDATE") || value === "n", name);
  for (const [name, value] of settingsOf(join(PORT, "sdkconfig", chip, "sdkconfig.defaults")))
    assert.equal(merged.get(name), value, name);
  const sizes = [...merged].filter(([name, value]) => /^CONFIG_ESPTOOLPY_FLASHSIZE_\d+MB$/.test(name) && value === "y");
  assert.deepEqual(sizes, [[`CONFIG_ESPTOOLPY_FLASHSIZE_${flash}MB`, "y"]]);
  const table = readFileSync(project.partitions, "utf8");
  assert.equal(table, readFileSync(join(PORT, `partitions-${flash}mb.csv`), "utf8"));
  assert.equal(PartitionTable.fromCsv(table, flash << 20).slots.length, 2);
  assert.deepEqual(includesOf(project).missing, []);
}

/** What an app without xs-ota gets for this board is in effect, but for what the overlay sets, and the flash size. */
function assertKept(project: ChipProject, [platform, chip]: Target): void {
  const bare = newApp(
    `${basename(platform)}-bare`,
    JSON.stringify({ include: "$(MODDABLE)/examples/manifest_base.json", modules: { "*": "./main" } }),
  );
  const merged = settingsOf(project.sdkconfig);
  const overlay = settingsOf(join(PORT, "sdkconfig", chip, "sdkconfig.defaults"));
  for (const [name, value] of settingsOf(configureForChip(bare, platform, join(BUILD, "boards")).sdkconfig)) {
    if (!overlay.has(name) && !name.startsWith("CONFIG_ESPTOOLPY_FLASHSIZE"))
      assert.equal(merged.get(name), value, name);
  }
}

for (const target of BOARDS) {
  const [platform] = target;
  for (const [name, kind, manifest] of [
    ["root", "the firmware at the root", OUTER],
    ["own", "an app of one's own", BOARD_APP],
  ] as const) {
    test(`${platform}: ${kind} with a board.json`, () => {
      const app = newApp(`${basename(platform)}-${name}`, manifest);
      addBoard(app, target);
      const project = configureForChip(app, platform, join(BUILD, "boards"));
      assertSafe(project, target);
      assertKept(project, target);
    });
  }
}

for (const target of RESIZED) {
  const [platform, , flash] = target;
  test(`${platform}: the firmware at the root with a board.json for ${flash} MB`, () => {
    const app = newApp(`${basename(platform)}-resized`, OUTER);
    addBoard(app, target);
    for (const file of readdirSync(join(app, "sdkconfig"))) appendFileSync(join(app, "sdkconfig", file), SIZE);
    const project = configureForChip(app, platform, join(BUILD, "boards"));
    assertSafe(project, target);
    assertKept(project, target);
  });
}

for (const target of READY) {
  const [platform] = target;
  test(`${platform}: an app of one's own with the overlay`, () => {
    assertSafe(configureForChip(newApp(`${basename(platform)}-own`, APP), platform, join(BUILD, "boards")), target);
  });
}

test("esp32/moddable_six: the modules of an app of one's own compile and link", () => {
  const app = newApp("moddable_six-linked", BOARD_APP);
  addBoard(app, ["esp32/moddable_six", "esp32s3", 8]);
  const { output, linked } = buildForChip(app, "esp32/moddable_six", join(BUILD, "boards"));
  assert.deepEqual(warnings(output), []);
  assert.ok(readFileSync(linked, "utf8").includes('"xs-ota/hal/esp32/ota"'));
});

test("esp32/lolin_c3mini: the firmware at the root without a board.json does not compile", () => {
  const project = configureForChip(
    newApp("lolin_c3mini-alone", JSON.stringify({ include: "./xs-ota/manifest.json" })),
    "esp32/lolin_c3mini",
    join(BUILD, "boards"),
  );
  assert.throws(() => includesOf(project), /xs-ota: the sdkconfig lacks rollback/);
});
