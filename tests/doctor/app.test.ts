/** `xs-ota doctor APP`: each misconfiguration that docs/ESP32.md warns of, made on purpose, and the right ones. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { temporaryFolder } from "../kit/folder";
import { ROOT, addBoard, documented, lines, newApp, standInSdk, write } from "./apps";
import type { Manifest } from "./apps";

interface Scene {
  readonly app: string;
  readonly sdk: string;
}

/** `change`: of the manifest. `then`: of the app's folder. */
function scene(t: TestContext, change: (manifest: Manifest) => void = () => undefined): Scene {
  const folder = temporaryFolder(t);
  const manifest = documented();
  change(manifest);
  return { app: newApp(folder, manifest), sdk: standInSdk(join(folder, "sdk")) };
}

function forBoard(manifest: Manifest): void {
  manifest.include[3] = "./board.json";
}

const CHIPS = ["esp32", "esp32/nodemcu", "esp32/esp32c3", "esp32/esp32c3_cdc", "esp32/esp32c6", "esp32/esp32s3"];

test("right ones pass without a word: the chips with the overlay, a board with its board.json, with the SDK and without", (t) => {
  for (const platform of CHIPS) {
    const { app, sdk } = scene(t);
    assert.deepEqual(lines(app, platform, sdk), [], platform);
    assert.deepEqual(lines(app, platform, undefined), [], platform);
  }
  const { app, sdk } = scene(t, forBoard);
  addBoard(app, "esp32s3", 8);
  assert.deepEqual(lines(app, "esp32/lamp", sdk), []);
  assert.deepEqual(lines(ROOT, "esp32/esp32c3", undefined), [], "the firmware at the root");
  const git = scene(t, (manifest) => {
    const inner = ["./src/manifest.json", "./hal/esp32/manifest_wifi.json", "./hal/esp32/manifest_overlay.json"];
    const include = { git: "https://example.com/xs-ota.git", tag: "v0.1.0", manifest: { include: inner } };
    manifest.include = ["$(MODDABLE)/examples/manifest_base.json", include as unknown as string];
  });
  assert.deepEqual(lines(git.app, "esp32", git.sdk), []);
});

type Row = readonly [what: string, platform: string, make: (t: TestContext) => Scene, message: RegExp, wrongs?: number];
const plain = (change: (manifest: Manifest) => void) => (t: TestContext) => scene(t, change);
/** A board whose settings or table are made wrong. */
const board = (make: (app: string) => void, change?: (manifest: Manifest) => void) => (t: TestContext) => {
  const made = scene(t, (manifest) => {
    forBoard(manifest);
    change?.(manifest);
  });
  addBoard(made.app, "esp32s3", 8);
  make(made.app);
  return made;
};
const setting = (line: string) => board((app) => addBoard(app, "esp32s3", 8, `${line}\n`));
const table = (csv: string) => board((app) => writeFileSync(join(app, "table.csv"), csv));
const HEAD = "nvs,data,nvs,0x9000,0x4000\notadata,data,ota,0xd000,0x2000\n";
const SLOTS = "ota_0,app,ota_0,0x10000,0x3F0000\nota_1,app,ota_1,0x400000,0x3F0000\n";

const WRONG: readonly Row[] = [
  [
    "the library is not included",
    "esp32",
    plain((m) => m.include.splice(1, 2)),
    /the app does not include xs-ota: it takes no updates/,
  ],
  [
    "no product",
    "esp32",
    plain((m) => delete m.defines["xsota"]!["product"]),
    /xsota\.product is missing: .*does not compile/,
  ],
  ["no version", "esp32", plain((m) => delete m.defines["xsota"]!["version"]), /xsota\.version is missing/],
  [
    "a comma in the version",
    "esp32",
    plain((m) => (m.defines["xsota"]!["version"] = "1,4")),
    /version is "1,4": the firmware block/,
  ],
  [
    "a product of 32 characters",
    "esp32",
    plain((m) => (m.defines["xsota"]!["product"] = "x".repeat(32))),
    /product is "x{32}"/,
  ],
  [
    "a security floor that is no number",
    "esp32",
    plain((m) => (m.defines["xsota"]!["securityFloor"] = "2")),
    /securityFloor is "2"/,
  ],
  [
    "nothing brings the network up",
    "esp32",
    plain((m) => m.include.splice(2, 1)),
    /no module xs-ota\/network: the build stops/,
  ],
  [
    "two networks",
    "esp32",
    plain((m) => m.include.splice(3, 0, "./xs-ota/hal/esp32/manifest_ethernet.json")),
    /two modules are xs-ota\/network/,
  ],
  [
    "a stack that a handshake overflows",
    "esp32",
    plain((m) => (m["creation"] = { stack: 384 })),
    /creation\.stack is 384 slots: a TLS handshake takes 448/,
  ],
  [
    "no overlay",
    "esp32",
    plain((m) => m.include.splice(3, 1)),
    /ROLLBACK_ENABLE is n \(by default\): .*crashes for ever/,
    5,
  ],
  [
    "no overlay: validation",
    "esp32",
    plain((m) => m.include.splice(3, 1)),
    /SKIP_VALIDATE_ALWAYS is y .*sdkconfig\.defaults\): the bootloader starts an image without/,
    5,
  ],
  [
    "no overlay: table",
    "esp32",
    plain((m) => m.include.splice(3, 1)),
    /has one app partition \(factory of 4032 KB\): there is nowhere/,
    5,
  ],
  ["the overlay for a board", "esp32/lamp", plain(() => undefined), /manifest_overlay\.json is not for esp32\/lamp/, 6],
  [
    "a chip without an overlay",
    "esp32/esp32h2",
    plain(() => undefined),
    /esp32\/esp32h2 is an esp32h2: there is no overlay/,
    2,
  ],
  [
    "a board that the SDK can not build",
    "esp32/moddable_zero",
    (t) => {
      const made = scene(t);
      write(join(made.sdk, "build/devices/esp32/targets/moddable_zero/manifest.json"), {
        build: { ESP32_SUBCLASS: "esp32s2" },
      });
      return made;
    },
    /has no host\/provider in SDK 8\.2\.3: mcconfig fails/,
    3,
  ],
  [
    "build beside the include",
    "esp32",
    (t) => {
      const made = scene(t, (m) => (m["build"] = { SDKCONFIGPATH: "./sdkconfig", PARTITIONS_FILE: "./table.csv" }));
      addBoard(made.app, "esp32", 8);
      return made;
    },
    /SDKCONFIGPATH of manifest\.json is lost: .*manifest_overlay\.json is read later: the build uses/,
    2,
  ],
  [
    "build beside the include: table",
    "esp32",
    (t) => {
      const made = scene(t, (m) => (m["build"] = { PARTITIONS_FILE: "./table.csv" }));
      addBoard(made.app, "esp32", 8);
      return made;
    },
    /PARTITIONS_FILE of manifest\.json is lost/,
  ],
  [
    "board.json before the last include",
    "esp32",
    (t) => {
      const made = scene(t, (m) => m.include.splice(3, 0, "./board.json"));
      addBoard(made.app, "esp32", 8);
      return made;
    },
    /SDKCONFIGPATH of board\.json is lost/,
    2,
  ],
  [
    "a release that undoes the watchdog",
    "esp32/lamp",
    board((app) => appendFileSync(join(app, "sdkconfig/sdkconfig.defaults.release"), "CONFIG_ESP_TASK_WDT_EN=n\n")),
    /TASK_WDT_EN is n \(release builds, sdkconfig\/sdkconfig\.defaults\.release\): firmware that hangs/,
  ],
  [
    "a comment in place of a setting",
    "esp32/lamp",
    board((app) =>
      appendFileSync(
        join(app, "sdkconfig/sdkconfig.defaults"),
        "# CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0 is not set\n",
      ),
    ),
    /"# CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0 is not set" in sdkconfig\/sdkconfig\.defaults: mcconfig passes over/,
  ],
  [
    "a table that nobody names",
    "esp32/lamp",
    board((app) => {
      writeFileSync(join(app, "sdkconfig/partitions.csv"), HEAD + SLOTS);
      write(join(app, "board.json"), { build: { SDKCONFIGPATH: "./sdkconfig" } });
    }),
    /sdkconfig\/partitions\.csv is not looked for/,
    2,
  ],
  [
    "a folder that is not there",
    "esp32/lamp",
    board((app) => rmSync(join(app, "sdkconfig"), { recursive: true })),
    /which is not there \(board\.json\): mcconfig builds with the SDK's settings/,
    6,
  ],
  [
    "an empty folder",
    "esp32/lamp",
    board((app) => {
      rmSync(join(app, "sdkconfig"), { recursive: true });
      mkdirSync(join(app, "sdkconfig"));
    }),
    /sdkconfig has no sdkconfig\.defaults/,
    6,
  ],
  [
    "a path that begins with ../",
    "esp32/lamp",
    board((app) =>
      write(join(app, "board.json"), { build: { SDKCONFIGPATH: "../app/sdkconfig", PARTITIONS_FILE: "./table.csv" } }),
    ),
    /SDKCONFIGPATH is \.\.\/app\/sdkconfig in board\.json: mcconfig makes only/,
    6,
  ],
  [
    "a settings file of another name",
    "esp32/lamp",
    board((app) => write(join(app, "sdkconfig/sdkconfig.release"), "CONFIG_X=y\n")),
    /sdkconfig\/sdkconfig\.release is not read/,
  ],
  [
    "a table file that is not there",
    "esp32/lamp",
    board((app) => rmSync(join(app, "table.csv"))),
    /PARTITIONS_FILE is table\.csv, which is not there/,
  ],
  [
    "flash of two sizes, of which the last counts",
    "esp32/lamp",
    setting("CONFIG_ESPTOOLPY_FLASHSIZE_2MB=y"),
    /reaches to 0x800000, the flash is 2 MB/,
  ],
  [
    "flash of no size",
    "esp32/lamp",
    setting("CONFIG_ESPTOOLPY_FLASHSIZE_8MB=n"),
    /no CONFIG_ESPTOOLPY_FLASHSIZE_\.\.MB is set/,
  ],
  [
    "flash that is too small for the table",
    "esp32/lamp",
    setting("CONFIG_ESPTOOLPY_FLASHSIZE_8MB=n\nCONFIG_ESPTOOLPY_FLASHSIZE_4MB=y"),
    /reaches to 0x800000, the flash is 4 MB/,
  ],
  [
    "rollback off",
    "esp32/lamp",
    setting("CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=n"),
    /ROLLBACK_ENABLE is n \(sdkconfig/,
  ],
  [
    "no check at power-on",
    "esp32/lamp",
    setting("CONFIG_BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON=y"),
    /ON_POWER_ON is y .*: the bootloader starts an image without checking/,
  ],
  [
    "no check after deep sleep",
    "esp32/lamp",
    setting("CONFIG_BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP=y"),
    /IN_DEEP_SLEEP is y/,
  ],
  [
    "a bootloader without a watchdog",
    "esp32/lamp",
    setting("CONFIG_BOOTLOADER_WDT_ENABLE=n"),
    /BOOTLOADER_WDT_ENABLE is n/,
  ],
  [
    "a watchdog that only prints",
    "esp32/lamp",
    setting("CONFIG_ESP_TASK_WDT_PANIC=n"),
    /WDT_PANIC is n .*: firmware that hangs is never reset/,
  ],
  ["a watchdog that is not started", "esp32/lamp", setting("CONFIG_ESP_TASK_WDT_INIT=n"), /WDT_INIT is n/],
  [
    "a watchdog of 2 seconds",
    "esp32/lamp",
    setting("CONFIG_ESP_TASK_WDT_TIMEOUT_S=2"),
    /TIMEOUT_S is 2 .*: the erase of a block/,
  ],
  [
    "a watchdog on idle tasks",
    "esp32/lamp",
    setting("CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1=y"),
    /IDLE_TASK_CPU1 is y .*: JavaScript that is busy/,
  ],
  [
    "a debugger after a panic",
    "esp32/lamp",
    setting("CONFIG_ESP_SYSTEM_PANIC_GDBSTUB=y"),
    /GDBSTUB is y .*: a panic ends in a device that waits/,
  ],
  ["a halt after a panic", "esp32/lamp", setting("CONFIG_ESP_SYSTEM_PANIC_PRINT_HALT=y"), /PRINT_HALT is y/],
  [
    "ESP-IDF's own table",
    "esp32/lamp",
    setting("CONFIG_PARTITION_TABLE_CUSTOM=n"),
    /TABLE_CUSTOM is n .*: ESP-IDF builds a table of its own/,
  ],
  ["a table elsewhere", "esp32/lamp", setting("CONFIG_PARTITION_TABLE_OFFSET=0x10000"), /TABLE_OFFSET is 0x10000/],
  [
    "no otadata",
    "esp32/lamp",
    table(HEAD.split("\n")[0]! + "\n" + SLOTS),
    /no otadata partition: the bootloader always starts the same slot/,
  ],
  ["otadata of one sector", "esp32/lamp", table(HEAD.replace("0x2000", "0x1000") + SLOTS), /otadata has 4096 bytes/],
  ["no nvs", "esp32/lamp", table(HEAD.split("\n")[1]! + "\n" + SLOTS), /no nvs partition: no checkpoint/],
  [
    "nvs of two pages",
    "esp32/lamp",
    table(HEAD.replace("0x4000", "0x2000") + SLOTS),
    /nvs has 8192 bytes: NVS needs three pages/,
  ],
  ["one slot", "esp32/lamp", table(HEAD + SLOTS.split("\n")[0]!), /has one app partition \(ota_0 of 4032 KB\)/],
  [
    "a slot out of line",
    "esp32/lamp",
    table(HEAD + SLOTS.replace("0x400000", "0x401000")),
    /ota_1 at 0x401000: an app must begin at a multiple of 0x10000/,
  ],
  [
    "slots that overlap",
    "esp32/lamp",
    table(HEAD + SLOTS.replace("0x400000", "0x3f0000")),
    /ota_1 at 0x3f0000 overlaps ota_0/,
  ],
  ["a line that is no partition", "esp32/lamp", table("nvs;data"), /table\.csv: partition table, line 1/],
  [
    "an include that is not there",
    "esp32",
    plain((m) => m.include.push("./none.json")),
    /none\.json: there is no such file or folder \(included by .*manifest\.json\): mcconfig stops here/,
  ],
];

for (const [what, platform, make, message, wrongs = 1] of WRONG) {
  test(`doctor names it: ${what}`, (t) => {
    const { app, sdk } = make(t);
    const found = lines(app, platform, sdk);
    assert.ok(
      found.some((line) => message.test(line)),
      `${what}:\n${found.join("\n")}`,
    );
    const told = found.filter((line) => line.startsWith("wrong: "));
    assert.equal(told.length, wrongs, `${what}:\n${told.join("\n")}`);
    for (const line of found) assert.match(line, /^(wrong|note): [^\n]+: [^\n]+\. Fix: [^\n]+$/);
  });
}
