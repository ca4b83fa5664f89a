/** Apps for boards of a small stand-in for the SDK, and the lines that doctor has for them. */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { examineApp } from "../../host-sim/doctor/app";
import { inWords } from "../../host-sim/doctor/finding";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** Settings of the SDK's kind: what an app without an overlay gets. */
const SDK_SETTINGS =
  "CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS=y\nCONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\nCONFIG_PARTITION_TABLE_CUSTOM=y\n# CONFIG_ESP_TASK_WDT_EN is not set\n";
const SDK_TABLE = "nvs, data, nvs, 0x9000, 0x6000\nfactory, app, factory, 0x10000, 0x3F0000\n";

export function write(path: string, text: string | object): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof text === "string" ? text : JSON.stringify(text, null, "\t"));
}

/** The folders of an SDK that an app's manifests lead to. `lamp` is a board with 8 MB and an sdkconfig of its own. */
export function standInSdk(folder: string): string {
  const esp32 = join(folder, "build", "devices", "esp32");
  write(join(folder, "examples", "manifest_base.json"), {
    build: { BUILD: "$(MODDABLE)/build", MODULES: "$(MODDABLE)/modules" },
    creation: { stack: 256 },
    platforms: { esp32: { include: "$(BUILD)/devices/esp32/manifest.json" } },
  });
  write(join(esp32, "manifest.json"), { platforms: { "esp32/*": { include: "$(SUBPLATFORMMANIFEST)" }, esp32: {} } });
  for (const target of ["esp32", "esp32c3", "esp32c6", "esp32s3", "esp32h2"]) {
    write(join(esp32, `xsProj-${target}`, "sdkconfig.defaults"), SDK_SETTINGS);
    write(join(esp32, `xsProj-${target}`, "sdkconfig.inst"), "CONFIG_ESP_SYSTEM_PANIC_GDBSTUB=y\n");
    write(join(esp32, `xsProj-${target}`, "partitions.csv"), SDK_TABLE);
    for (const name of [target, `${target}_cdc`])
      write(join(esp32, "targets", name, "manifest.json"), { build: { ESP32_SUBCLASS: target } });
  }
  write(join(esp32, "targets", "nodemcu", "manifest.json"), {});
  const lamp = join(esp32, "targets", "lamp");
  write(join(lamp, "manifest.json"), {
    build: {
      ESP32_SUBCLASS: "esp32s3",
      SDKCONFIGPATH: "./sdkconfig",
      PARTITIONS_FILE_FOR_TARGET: "./sdkconfig/partitions.csv",
    },
    creation: { stack: 512 },
  });
  write(
    join(lamp, "sdkconfig", "sdkconfig.defaults"),
    "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=n\nCONFIG_ESPTOOLPY_FLASHSIZE_8MB=y\nCONFIG_SPIRAM=y\n",
  );
  write(join(lamp, "sdkconfig", "sdkconfig.defaults.release"), "CONFIG_ESP_TASK_WDT_EN=n\n");
  write(join(lamp, "sdkconfig", "partitions.csv"), SDK_TABLE.replace("0x3F0000", "0x7F0000"));
  // Whatever else of the SDK the library includes is empty here.
  for (const path of includedOfTheSdk()) if (!existsSync(join(folder, path))) write(join(folder, path), {});
  return folder;
}

function includedOfTheSdk(): string[] {
  const manifests = ["src", "hal"].flatMap((name) =>
    readdirSync(join(ROOT, name), { recursive: true, encoding: "utf8" })
      .filter((path) => /manifest[^/]*\.json$/.test(path))
      .map((path) => readFileSync(join(ROOT, name, path), "utf8")),
  );
  return manifests.flatMap((text) =>
    [...text.matchAll(/"\$\((MODDABLE|MODULES|CRYPT)\)([^"]+\.json)"/g)].map(([, variable = "", path = ""]) => {
      const roots: Readonly<Record<string, string>> = { MODDABLE: "", MODULES: "modules", CRYPT: "modules/crypt" };
      return join(roots[variable]!, path);
    }),
  );
}

export interface Manifest {
  include: string[];
  defines: Record<string, Record<string, unknown>>;
  modules: Record<string, unknown>;
  [key: string]: unknown;
}

/** The manifest that docs/ESP32.md gives to an app of one's own. */
export function documented(): Manifest {
  return {
    include: [
      "$(MODDABLE)/examples/manifest_base.json",
      "./xs-ota/src/manifest.json",
      "./xs-ota/hal/esp32/manifest_wifi.json",
      "./xs-ota/hal/esp32/manifest_overlay.json",
    ],
    creation: { stack: 1024 },
    defines: { xsota: { product: "thermostat", version: "1.4.0" }, xs: { abortHook: 1 } },
    modules: { "*": "./main" },
  };
}

/** An app of these manifests, with the library beside it. `write` puts further files into it. */
export function newApp(folder: string, manifest: object | string): string {
  const app = join(folder, "app");
  mkdirSync(app, { recursive: true });
  symlinkSync(ROOT, join(app, "xs-ota"));
  write(join(app, "manifest.json"), manifest);
  write(join(app, "main.js"), "trace(1);\n");
  return app;
}

/** With a folder of settings and a table for `chip` and 4 or 8 MB, as docs/ESP32.md has it for a board. */
export function addBoard(app: string, chip: string, megabytes: number, more = ""): void {
  const overlay = readFileSync(join(ROOT, "hal", "esp32", "sdkconfig", chip, "sdkconfig.defaults"), "utf8");
  const size =
    megabytes === 4 ? "" : `\nCONFIG_ESPTOOLPY_FLASHSIZE_4MB=n\nCONFIG_ESPTOOLPY_FLASHSIZE_${megabytes}MB=y\n`;
  for (const name of ["sdkconfig.defaults", "sdkconfig.defaults.release", "sdkconfig.inst"])
    write(join(app, "sdkconfig", name), overlay + size + more);
  cpSync(join(ROOT, "hal", "esp32", `partitions-${megabytes}mb.csv`), join(app, "table.csv"));
  write(join(app, "board.json"), { build: { SDKCONFIGPATH: "./sdkconfig", PARTITIONS_FILE: "./table.csv" } });
}

/** The lines for an app. */
export function lines(app: string, platform: string, moddable: string | undefined): string[] {
  return examineApp({ app, platform, moddable, library: ROOT }).findings.map(inWords);
}
