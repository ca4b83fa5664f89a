/** `xs-ota adopt`: an app of somebody else becomes updatable, and loses nothing. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { partitionsOfCsv } from "../../hal/model-chip/partitions";
import { carryOut, planOf } from "../../host-sim/adopt/plan";
import type { Wanted } from "../../host-sim/adopt/plan";
import { createKeyFile } from "../../host-sim/cli/signing/keys";
import { writeWhole } from "../../host-sim/cli/whole-file";
import { ROOT, lines, standInSdk, write } from "../doctor/apps";
import { temporaryFolder } from "../kit/folder";
import { xsOta, xsOtaError } from "../kit/xs-ota";

/** Comments, odd spaces, an order of its own. */
const COMMENTED = `{
    // the lamp of hall 7
    "modules": { "*": "./main" },
    "config": {"ssid": "",   "led": 4}, /* pin */
    "include": [
        "$(MODDABLE)/examples/manifest_base.json", // the base

        "./extra.json"
    ]
}
`;
const USUAL = COMMENTED.replace("// the lamp of hall 7", "").replace(" // the base", "").replace(" /* pin */", "");
const FORMS: Readonly<Record<string, string>> = {
  "comments and spaces": COMMENTED,
  "tabs, and one include":
    '{\n\t"include": "$(MODDABLE)/examples/manifest_base.json",\n\t"modules": { "*": "./main" }\n}\n',
  "one line": '{"include":["$(MODDABLE)/examples/manifest_base.json"],"modules":{"*":"./main"}}',
  "ends of lines of Windows": COMMENTED.replaceAll("\n", "\r\n"),
  "defines of its own":
    '{\n  "include": ["$(MODDABLE)/examples/manifest_base.json"],\n  "defines": {\n    "spi": {"cs": 4},\n    "xs": { "mods": 0 }\n  },\n  "modules": {"*": "./main"}\n}',
  "no include": '{ "modules": { "*": "./main" }, "creation": { "stack": 256 } }',
};

interface Scene {
  readonly app: string;
  readonly sdk: string;
  wanted(more?: Partial<Wanted>): Wanted;
}

function scene(t: TestContext, manifest: string): Scene {
  const folder = temporaryFolder(t);
  const [app, sdk] = [join(folder, "lamp"), standInSdk(join(folder, "sdk"))];
  write(join(app, "manifest.json"), manifest);
  write(join(app, "main.js"), "trace(1);\n");
  write(join(app, "extra.json"), "{}");
  const usual = {
    app,
    platform: "esp32",
    product: "lamp",
    version: "1.0.0",
    moddable: sdk,
    library: { folder: ROOT },
    config: {},
  };
  return { app, sdk, wanted: (more = {}) => ({ ...usual, ...more }) };
}

const adopt = (wanted: Wanted): ReturnType<typeof planOf> => {
  const plan = planOf(wanted);
  carryOut(wanted.app, plan, writeWhole);
  return plan;
};
const manifestIn = (app: string): string => readFileSync(join(app, "manifest.json"), "utf8");
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

test("what can not be made updatable is refused with the reason and the figures, and nothing is written", (t) => {
  const flash =
    (megabytes: number) =>
    (app: string): Partial<Wanted> => {
      void app;
      return { flashSize: megabytes << 20 };
    };
  const big = (app: string): Partial<Wanted> => {
    writeFileSync(join(app, "big.bin"), Buffer.alloc(2_100_000));
    return { image: join(app, "big.bin") };
  };
  const own = (app: string): Partial<Wanted> => {
    write(join(app, "manifest.json"), {
      include: "$(MODDABLE)/examples/manifest_base.json",
      build: { PARTITIONS_FILE: "./own.csv" },
    });
    write(
      join(app, "own.csv"),
      "nvs,data,nvs,0x9000,0x6000\nfactory,app,factory,0x10000,0x200000\nsongs,data,spiffs,0x210000,0x180000\n",
    );
    return {};
  };
  const manifest =
    (value: object | string) =>
    (app: string): Partial<Wanted> => {
      write(join(app, "manifest.json"), value);
      return {};
    };
  const rows: readonly (readonly [(app: string) => Partial<Wanted>, RegExp])[] = [
    [flash(2), /the flash has 2 MB, which is two slots of 960 KB: a firmware with the agent has at least 1323 KB/],
    [big, /big\.bin has 2100000 bytes, a slot 2031616: the app is 68384 bytes too large for half the flash/],
    [own, /two slots of 1216 KB beside songs of 1536 KB: a firmware with the agent has at least 1323 KB/],
    [manifest({ include: "./none.json" }), /none\.json: there is no such file or folder .*mcconfig would stop here/],
    [manifest('{ "include": [ }'), /manifest\.json: is not JSON \(line 1: /],
    [manifest("[]"), /manifest\.json: is no JSON object/],
    [(app) => ({ table: join(app, "main.js") }), /partition table, line 1/],
    [(app) => ({ image: join(app, "none.bin") }), /none\.bin: there is no such file/],
    [() => ({ platform: "esp32/esp32h2" }), /esp32\/esp32h2 is an esp32h2: updates are kept safe on esp32, esp32c3/],
    [() => ({ platform: "esp32/moddable_zero" }), /can not be built with SDK 8\.2\.3/],
  ];
  for (const [make, message] of rows) {
    const { app, wanted } = scene(t, USUAL);
    const wants = wanted(make(app));
    const before = readdirSync(app, { recursive: true, encoding: "utf8" }).sort();
    assert.throws(() => adopt(wants), message);
    assert.deepEqual(readdirSync(app, { recursive: true, encoding: "utf8" }).sort(), before);
  }
});

test("a run that is cut off at any file leaves the app as it builds today; the next run finishes it", (t) => {
  const { app, sdk, wanted } = scene(t, USUAL);
  const count = planOf(wanted()).changes.length;
  for (let cut = 0; cut < count; cut++) {
    let written = 0;
    const write = (path: string, bytes: Uint8Array): void => {
      if (written++ === cut) throw new Error("cut off");
      writeWhole(path, bytes);
    };
    assert.throws(() => carryOut(app, planOf(wanted({ replace: true })), write), /cut off/);
    assert.equal(manifestIn(app), USUAL, "the manifest is the last one");
    // The last one leaves all the other files.
    if (cut < count - 1) rmSync(join(app, "ota"), { recursive: true, force: true });
  }
  assert.deepEqual(
    adopt(wanted()).changes.map(({ path }) => path),
    ["manifest.json"],
  );
  assert.deepEqual(lines(app, "esp32", sdk), []);
});

test("the command: a dry run writes nothing and shows the lines; then it is done; a second run has nothing to change", async (t) => {
  const { app } = scene(t, USUAL);
  const folder = temporaryFolder(t);
  const { publicKey, flags } = {
    publicKey: join(folder, "pub.pem"),
    flags: ["--product", "lamp", "--version", "2.0.0", "--cloud", "tencent"],
  };
  writeFileSync(publicKey, createKeyFile(join(folder, "key.pem")));
  const before = manifestIn(app);
  const dry = await xsOta("adopt", app, ...flags, "--key", publicKey, "--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(
    dry.stdout,
    /\nchanged manifest\.json\n {2}- {9}"\.\/extra\.json"\n {2}- {5}\]\n {2}\+ {9}"\.\/extra\.json",\n {2}\+ {9}"\.\/ota\/manifest\.json"\n/,
  );
  assert.match(dry.stdout, /\n8 files would be changed\n$/);
  assert.equal(manifestIn(app), before);
  assert.ok(!readdirSync(app).includes("ota"));
  assert.equal((await xsOta("adopt", app, ...flags, "--key", publicKey)).code, 0);
  const { platforms } = JSON.parse(readFileSync(join(app, "ota/manifest.json"), "utf8")) as {
    platforms: { esp32: { config: Record<string, string> } };
  };
  assert.equal(platforms.esp32.config["platform"], "tencent");
  assert.match(platforms.esp32.config["signingKeys"]!, /^04[0-9a-f]{128}$/);
  const again = await xsOta("adopt", app, "--cloud", "tencent", "--key", publicKey);
  assert.match(again.stdout, /\nnothing to change\n$/, "product and version are those of the manifest");
});

test("a library of the app's own, or one by git, is what the manifest names", (t) => {
  const { app, sdk, wanted } = scene(t, USUAL);
  mkdirSync(join(app, "xs-ota"));
  for (const name of ["src", "hal", "firmware"])
    cpSync(join(ROOT, name), join(app, "xs-ota", name), { recursive: true });
  adopt(wanted({ library: { folder: join(app, "xs-ota") } }));
  assert.match(readFileSync(join(app, "ota/manifest.json"), "utf8"), /"\.\.\/xs-ota\/src\/manifest\.json"/);
  assert.deepEqual(lines(app, "esp32", sdk), []);
  rmSync(join(app, "ota"), { recursive: true });
  adopt(wanted({ library: { folder: ROOT, git: "https://example.com/ota.git", tag: "v0.1.0" } }));
  assert.match(
    readFileSync(join(app, "ota/manifest.json"), "utf8"),
    /"git": "https:\/\/example\.com\/ota\.git",\n\t+"tag": "v0\.1\.0"/,
  );
  assert.deepEqual(lines(app, "esp32", sdk), []);
});

test("options that do not fit are named, and what is missing is asked for by its flag", async (t) => {
  const { app } = scene(t, USUAL);
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [[app], /--product is needed: it goes into the firmware itself/],
    [[app, "--product", "lamp"], /--version is needed/],
    [[app, "--product", 'a"b', "--version", "1"], /A product has 1 to 31 printable characters/],
    [[app, "--product", "lamp", "--version", "1", "--tag", "v1"], /--tag needs --git/],
    [[app, "-p", "lin"], /It is esp32 or esp32\/BOARD/],
    [[join(app, "none")], /none is no folder/],
    [[join(app, "..")], /is no Moddable app: it has no manifest\.json/],
  ];
  for (const [args, message] of rows) {
    const { code, stderr } = await xsOtaError("adopt", ...args);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, message);
    assert.match(stderr, /^error: [^\n]+\n$/);
  }
});
