/**
 * What can be said of manifests, partition tables and sdkconfig overlays without the SDK: that they fit together, and
 * keep updates safe.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { ERASE_BLOCK_WORST } from "../../src/constants";
import { PartitionTable } from "../../hal/model-chip/partitions";
import {
  ROOT,
  filesOf,
  imports,
  isOurs,
  list,
  manifestFiles,
  modulesOf,
  platformSection,
  preloadManifests,
  preloadOf,
  readManifest,
  sections,
  withoutManifests,
} from "./manifest-tree";

const MANIFEST = join(ROOT, "manifest.json");
const FIRMWARE = join(ROOT, "hal", "esp32", "manifest_firmware.json");
const OVERLAY = join(ROOT, "hal", "esp32", "manifest_overlay.json");
const PLATFORMS = ["esp32", "esp32/esp32c3", "esp32/esp32c6", "esp32/esp32s3"] as const;
const CHIPS: Readonly<Record<string, string>> = {
  esp32: "esp32",
  "esp32/esp32c3": "esp32c3",
  "esp32/esp32c6": "esp32c6",
  "esp32/esp32s3": "esp32s3",
};
const MB = 1 << 20;
/** Made by `npm ci`. */
const MADE = join(ROOT, "build");

const shown = (path: string): string => relative(ROOT, path);

test("every path that a manifest names is there", () => {
  for (const path of manifestFiles()) {
    const here = dirname(path);
    for (const section of sections(readManifest(path))) {
      for (const include of list(section.include))
        if (isOurs(include)) assert.ok(existsSync(resolve(here, include)), `${shown(path)}: include ${include}`);
      for (const [name, targets] of Object.entries(section.modules ?? {})) {
        for (const target of list(targets)) {
          const file = resolve(here, target);
          if (isOurs(target) && !file.startsWith(MADE))
            assert.ok(filesOf(file).length > 0, `${shown(path)}: module ${name}: ${target}`);
        }
      }
      for (const [name, value] of Object.entries(section.build ?? {}))
        if (isOurs(value)) assert.ok(existsSync(resolve(here, value)), `${shown(path)}: ${name}`);
    }
  }
});

test("no manifest has the name of a module: mcconfig would take it for one", () => {
  for (const platform of [...PLATFORMS, "lin"]) {
    for (const [module, files] of modulesOf(MANIFEST, platform)) {
      const others = files.filter((file) => !/\.(ts|js|c|h|d\.ts)$/.test(file));
      assert.deepEqual(others.map(shown), [], module);
    }
  }
});

test("our modules import only modules of the manifest and of the SDK, whatever is left out", () => {
  const sdk = /^(embedded:|mc\/|ssl\/|commodetto\/|piu\/)/;
  const known = new Set([
    "timer",
    "time",
    "crypt",
    "curve",
    "ecp",
    "ecdsa",
    "modular",
    "pkcs8",
    "net",
    "Resource",
    "file",
    "instrumentation",
  ]);
  const without = withoutManifests();
  const apps = [[], ...without.map((path) => [path]), without].flatMap((more) =>
    [...PLATFORMS, "lin"].map((platform) => ({ platform, more })),
  );
  for (const { platform, more } of apps) {
    const modules = modulesOf([MANIFEST, ...more], platform);
    for (const [name, files] of modules) {
      for (const file of files.filter((each) => each.endsWith(".ts") && !each.endsWith(".d.ts"))) {
        for (const specifier of imports(file)) {
          if (specifier.startsWith(".")) {
            const wanted = join(dirname(name), specifier);
            assert.ok(
              modules.has(wanted),
              `${platform}: ${shown(file)} imports ${specifier}, and there is no module ${wanted}`,
            );
          } else {
            assert.ok(
              modules.has(specifier) || sdk.test(specifier) || known.has(specifier),
              `${platform}: ${shown(file)} imports ${specifier}`,
            );
          }
        }
      }
    }
  }
});

test("every module of the port is in its manifest", () => {
  const apps = [MANIFEST, [MANIFEST, ...withoutManifests()]];
  const files = new Set(apps.flatMap((app) => [...modulesOf(app, "esp32").values()].flat()));
  const others = ["manifest_ethernet.json", "manifest_none.json"].flatMap((name) => {
    const { modules } = readManifest(join(ROOT, "hal", "esp32", name));
    return Object.values(modules ?? {}).flatMap((target) => filesOf(resolve(ROOT, "hal", "esp32", String(target))));
  });
  for (const file of readdirSync(join(ROOT, "hal", "esp32"), { recursive: true, encoding: "utf8" })) {
    const path = join(ROOT, "hal", "esp32", file);
    // bring-up.ts holds nothing but types.
    if (!/\.(ts|c)$/.test(file) || file.endsWith("bring-up.ts")) continue;
    assert.ok(files.has(path) || others.includes(path), `${file} is in no manifest`);
  }
});

test("the manifests name in preload each module of theirs that runs and keeps no closure: `npm run preload` writes them", () => {
  for (const path of preloadManifests())
    assert.deepEqual(list(readManifest(path).preload), preloadOf(path), shown(path));
});

test("the preloaded modules keep no state of their own", () => {
  for (const platform of PLATFORMS) {
    for (const files of modulesOf(MANIFEST, platform).values()) {
      for (const file of files.filter(
        (each) => each.endsWith(".ts") && !each.endsWith(".d.ts") && !each.startsWith(MADE),
      )) {
        assert.doesNotMatch(readFileSync(file, "utf8"), /^(export )?(let|var) /m, shown(file));
      }
    }
  }
});

test("nothing that runs on XS asks for what XS lacks", () => {
  for (const files of modulesOf(MANIFEST, "esp32").values()) {
    for (const file of files.filter((each) => each.endsWith(".ts") && !each.startsWith(MADE))) {
      const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      assert.doesNotMatch(
        text,
        /\b(TextEncoder|TextDecoder|Buffer\.|setTimeout|setInterval|structuredClone|process\.)/,
        shown(file),
      );
    }
  }
});

for (const [size, name] of [
  [4, "partitions-4mb.csv"],
  [8, "partitions-8mb.csv"],
  [16, "partitions-16mb.csv"],
] as const) {
  test(`${name}: two equal slots, as large as they can be, nothing overlaps`, () => {
    const table = PartitionTable.fromCsv(readFileSync(join(ROOT, "hal", "esp32", name), "utf8"), size * MB);
    const [a, b] = table.slots;
    assert.equal(a.size, b.size);
    assert.equal(a.address % 0x10000, 0);
    assert.equal(b.address % 0x10000, 0);
    assert.ok(a.size + 0x10000 > (size * MB - 0x10000) / 2 - 0x10000, "room is left unused");
    assert.ok(
      !table.partitions.some(({ label }) => label === "factory"),
      "a factory app would be what a lost otadata falls back to",
    );
  });
}

for (const platform of PLATFORMS) {
  test(`${platform}: the overlay keeps updates safe and leaves the flash size to the board`, () => {
    const build = platformSection(readManifest(OVERLAY), platform)?.build ?? {};
    const folder = resolve(dirname(OVERLAY), build["SDKCONFIGPATH"] ?? "");
    assert.equal(basename(folder), CHIPS[platform]);
    const lines = readFileSync(join(folder, "sdkconfig.defaults"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    const settings = new Map(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    assert.equal(settings.size, lines.length, "a setting is given twice");
    for (const name of [
      "BOOTLOADER_APP_ROLLBACK_ENABLE",
      "BOOTLOADER_WDT_ENABLE",
      "ESP_TASK_WDT_EN",
      "ESP_TASK_WDT_INIT",
      "ESP_TASK_WDT_PANIC",
      "ESP_SYSTEM_PANIC_PRINT_REBOOT",
      "PARTITION_TABLE_CUSTOM",
    ])
      assert.equal(settings.get(`CONFIG_${name}`), "y", name);
    for (const name of [
      "BOOTLOADER_SKIP_VALIDATE_ALWAYS",
      "BOOTLOADER_SKIP_VALIDATE_ON_POWER_ON",
      "BOOTLOADER_SKIP_VALIDATE_IN_DEEP_SLEEP",
      "ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0",
      "ESP_SYSTEM_PANIC_GDBSTUB",
    ])
      assert.equal(settings.get(`CONFIG_${name}`), "n", name);
    const watchdog = Number(settings.get("CONFIG_ESP_TASK_WDT_TIMEOUT_S"));
    assert.ok(watchdog <= 30 && watchdog * 1000 >= 4 * ERASE_BLOCK_WORST, "flash may stop everything for so long");
    for (const line of lines) assert.match(line, /^CONFIG_[A-Z0-9_]+=(y|n|\d+)$/);
    assert.equal(build["PARTITIONS_FILE"], "./partitions-4mb.csv", "4 MB is the SDK's default");
    for (const name of settings.keys()) assert.doesNotMatch(name, /FLASHSIZE/);
  });
}

test("the firmware names itself, records what aborts it, and leaves the light of a C3 board alone", () => {
  const { defines, config } = readManifest(FIRMWARE);
  const block = defines?.["xsota"] as { product?: string; version?: string };
  assert.match(block.product ?? "", /^[\x21-\x7e]{1,31}$/);
  assert.match(block.version ?? "", /^\d+\.\d+\.\d+/);
  assert.equal(
    block.version,
    (JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string }).version,
  );
  assert.deepEqual(defines?.["xs"], { abortHook: 1 });
  assert.deepEqual(config?.["led"], { rainbow: false });
});

test("where the port joins Wi-Fi, the SDK's own joining, which tries once and may never start the app, is out", () => {
  assert.equal(
    readManifest(join(ROOT, "hal", "esp32", "manifest_wifi.json")).modules?.["~"],
    "$(BUILD)/devices/esp32/setup/network",
  );
});

test("the port includes what the SDK's C sources need to compile: io has the listener for lwIP's TCP, pins/digital has modGPIO.h for io's SPI", () => {
  const includes = list(readManifest(join(ROOT, "hal", "esp32", "manifest.json")).include);
  for (const manifest of ["io", "pins/digital"])
    assert.ok(includes.includes(`$(MODDABLE)/modules/${manifest}/manifest.json`), manifest);
});
