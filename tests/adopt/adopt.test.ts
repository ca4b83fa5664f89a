/** `xs-ota adopt`: an app of somebody else becomes updatable, and loses nothing. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { partitionsOfCsv } from "../../hal/model-chip/partitions";
import { planOf } from "../../host-sim/adopt/plan";
import { ROOT, lines, write } from "../doctor/apps";
import { COMMENTED, USUAL, FORMS, scene, adopt, manifestIn } from "./scene";

/** Without what JSON puts between values: commas, brackets and spaces may move when something is added. */
const tokens = (text: string): string[] => text.match(/"[^"]*"|\/\/[^\r\n]*|\/\*.*?\*\/|[0-9]+/g) ?? [];

for (const [form, text] of Object.entries(FORMS)) {
  test(`a manifest with ${form}: updatable afterwards, nothing of it lost, twice is the same as once`, (t) => {
    const { app, sdk, wanted } = scene(t, text);
    const { changes, kept } = adopt(wanted());
    assert.deepEqual(kept, []);
    assert.deepEqual(changes.map(({ path }) => path).sort(), [
      "manifest.json",
      ...["board.json", "manifest.json", "partitions.csv", "sdkconfig/sdkconfig.defaults"].map((name) => `ota/${name}`),
      ...["sdkconfig/sdkconfig.defaults.release", "sdkconfig/sdkconfig.inst", "setup.js"].map((name) => `ota/${name}`),
    ]);
    const told = lines(app, "esp32", sdk);
    assert.ok(
      told.length === 0 ||
        (text.includes("//") && told.join().startsWith("wrong: manifest.json has comments: mcconfig")),
      told.join("\n"),
    );
    const after = tokens(manifestIn(app));
    for (const token of tokens(text)) {
      const at = after.indexOf(token === "256" ? "1024" : token);
      assert.ok(at >= 0, token);
      after.splice(at, 1);
    }
    assert.deepEqual(
      after.sort(),
      [
        '"./ota/manifest.json"',
        '"1.0.0"',
        '"defines"',
        '"include"',
        '"lamp"',
        '"product"',
        '"version"',
        '"xsota"',
      ].filter((token) => after.includes(token)),
    );
    assert.equal(manifestIn(app).includes("\r\n"), text.includes("\r\n"));
    assert.ok(!text.includes("\r\n") || !/[^\r]\n/.test(manifestIn(app)));
    const once = readdirSync(app, { recursive: true, encoding: "utf8" }).sort();
    assert.deepEqual(planOf(wanted()).changes, []);
    assert.deepEqual(readdirSync(app, { recursive: true, encoding: "utf8" }).sort(), once);
  });
}

test("comments keep their lines, order and indentation", (t) => {
  const { app, wanted } = scene(t, COMMENTED);
  adopt(wanted());
  assert.equal(
    manifestIn(app),
    COMMENTED.replace(
      '        "./extra.json"\n    ]\n}',
      '        "./extra.json",\n        "./ota/manifest.json"\n    ],\n    "defines": {\n        "xsota": {\n            "product": "lamp",\n            "version": "1.0.0"\n        }\n    }\n}',
    ),
  );
});

test("a board keeps its own settings, and each kind of build gets the overlay after them", (t) => {
  const { app, sdk, wanted } = scene(t, FORMS["one line"]!);
  adopt(wanted({ platform: "esp32/lamp" }));
  assert.deepEqual(lines(app, "esp32/lamp", sdk), []);
  const text = (name: string): string => readFileSync(join(app, "ota/sdkconfig", name), "utf8");
  assert.match(text("sdkconfig.defaults"), /^CONFIG_ESPTOOLPY_FLASHSIZE_4MB=n\n[^]*CONFIG_SPIRAM=y\n\n# ESP32-S3/);
  assert.match(text("sdkconfig.defaults.release"), /^CONFIG_ESP_TASK_WDT_EN=n\n\n[^]*CONFIG_ESP_TASK_WDT_EN=y\n/);
  assert.equal(
    readFileSync(join(app, "ota/partitions.csv"), "utf8"),
    readFileSync(join(ROOT, "hal/esp32/partitions-8mb.csv"), "utf8"),
  );
  adopt(wanted({ platform: "esp32/lamp", flashSize: 16 << 20, replace: true }));
  assert.deepEqual(lines(app, "esp32/lamp", sdk), []);
  assert.match(text("sdkconfig.inst"), /CONFIG_ESPTOOLPY_FLASHSIZE_8MB=n\nCONFIG_ESPTOOLPY_FLASHSIZE_16MB=y\n$/);
});

test("without the SDK the plain chips are adopted by the documented rules, which is told; a board needs the SDK", (t) => {
  for (const platform of ["esp32", "esp32/nodemcu", "esp32/esp32c3", "esp32/esp32c6_cdc", "esp32/esp32s3"]) {
    const { app, wanted } = scene(t, USUAL);
    const { notes } = adopt(wanted({ moddable: undefined, platform }));
    assert.match(notes[0]!, /by mcconfig's documented rules: MODDABLE is not set/);
    assert.deepEqual(lines(app, platform, undefined), [], platform);
  }
  const { wanted } = scene(t, USUAL);
  assert.throws(
    () => planOf(wanted({ moddable: undefined, platform: "esp32/lamp" })),
    /esp32\/lamp has settings of its own in the SDK.*set MODDABLE/,
  );
});

test("an app that brings its own network keeps it; one with a table of two slots keeps that", (t) => {
  const table =
    "nvs,data,nvs,0x9000,0x4000\notadata,data,ota,0xd000,0x2000\nota_0,app,ota_0,0x10000,0x100000\nota_1,app,ota_1,0x110000,0x100000\nsongs,data,0x40,0x210000,0x100000\n";
  const manifest = {
    include: ["$(MODDABLE)/examples/manifest_base.json", "./net.json"],
    build: { PARTITIONS_FILE: "./table.csv" },
    modules: { "*": "./main" },
  };
  const { app, sdk, wanted } = scene(t, JSON.stringify(manifest, null, 2));
  write(join(app, "net.json"), { modules: { "setup/network": "./net" } });
  write(join(app, "table.csv"), table);
  adopt(wanted());
  assert.match(readFileSync(join(app, "ota/manifest.json"), "utf8"), /manifest_none\.json/);
  assert.equal(readFileSync(join(app, "ota/partitions.csv"), "utf8"), table);
  assert.deepEqual(
    lines(app, "esp32", sdk).filter((line) => line.startsWith("wrong")),
    [],
  );
});

test("data partitions of the app, and those that mcconfig would cut for mods and files, stay beside two equal slots", (t) => {
  const manifest = {
    include: "$(MODDABLE)/examples/manifest_base.json",
    build: { PARTITIONS_FILE: "./own.csv" },
    defines: { XS_MODS: 1, file: { partition: "#storage" } },
    modules: { "*": "./main" },
  };
  const { app, sdk, wanted } = scene(t, JSON.stringify(manifest, null, "\t"));
  write(
    join(app, "own.csv"),
    "nvs,data,nvs,0x9000,0x6000\nfactory,app,factory,0x10000,0x200000\nphy_init,data,phy,0xf000,0x1000\nsongs,data,1,0x210000,0x81000\n",
  );
  adopt(wanted());
  assert.deepEqual(lines(app, "esp32", sdk), []);
  const partitions = partitionsOfCsv(readFileSync(join(app, "ota/partitions.csv"), "utf8"), 4 << 20);
  assert.deepEqual(
    partitions.slice(3).map(({ label, address, size }) => [label, address, size]),
    [
      ["ota_0", 0x10000, 0x180000],
      ["ota_1", 0x190000, 0x180000],
      ["songs", 0x310000, 0x81000],
      ["xs", 0x3a0000, 0x40000],
      ["storage", 0x3e0000, 0x10000],
    ],
  );
});

test("an include of a platform's section that would undo the settings is followed, not lost against", (t) => {
  const manifest = {
    include: "$(MODDABLE)/examples/manifest_base.json",
    modules: { "*": "./main" },
    platforms: { esp32: { include: ["./board-of-mine.json"] } },
  };
  const { app, sdk, wanted } = scene(t, JSON.stringify(manifest, null, "\t"));
  write(join(app, "board-of-mine.json"), { build: { SDKCONFIGPATH: "./mine" } });
  write(join(app, "mine/sdkconfig.defaults"), "CONFIG_SPIRAM=y\n");
  adopt(wanted());
  assert.match(manifestIn(app), /"\.\/board-of-mine\.json",\n\t+"\.\/ota\/manifest\.json"/);
  assert.match(readFileSync(join(app, "ota/sdkconfig/sdkconfig.defaults"), "utf8"), /^CONFIG_SPIRAM=y\n/);
  assert.deepEqual(lines(app, "esp32", sdk), []);
  assert.deepEqual(planOf(wanted()).changes, []);
});

test("files that were changed by hand stay, and are told; --replace writes them anew", (t) => {
  const { app, wanted } = scene(t, USUAL);
  adopt(wanted());
  const setup = join(app, "ota/setup.js");
  writeFileSync(setup, `${readFileSync(setup, "utf8")}// mine\n`);
  const again = adopt(wanted());
  assert.deepEqual([again.changes, again.kept], [[], ["ota/setup.js"]]);
  assert.match(readFileSync(setup, "utf8"), /\/\/ mine/);
  assert.deepEqual(
    adopt(wanted({ replace: true })).changes.map(({ path }) => path),
    ["ota/setup.js"],
  );
  assert.doesNotMatch(readFileSync(setup, "utf8"), /\/\/ mine/);
});
