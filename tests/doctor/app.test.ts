/** `xs-ota doctor APP`: each misconfiguration that docs/ESP32.md warns of, made on purpose, and the right ones. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, addBoard, lines, write } from "./apps";
import { HEAD, SLOTS, board, forBoard, namesEach, plain, scene } from "./rows";

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

namesEach([
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
    "an include that is not there",
    "esp32",
    plain((m) => m.include.push("./none.json")),
    /none\.json: there is no such file or folder \(included by .*manifest\.json\): mcconfig stops here/,
  ],
]);
