/**
 * The settings of ESP-IDF that mcconfig merges for a build (mcmanifest.js, generateConfigurationRules): the SDK's for the
 * chip, then the files of one folder, SDKCONFIGPATH. The last line of a name counts.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isFile } from "./project";

/** mcconfig -d, -m and -i. */
export type Kind = "debug" | "release" | "instrument";
export const KINDS: readonly Kind[] = ["debug", "release", "instrument"];

export interface Setting {
  /** "n" where it is off. */
  readonly value: string;
  /** The file that says so. */
  readonly from: string;
}

export interface Settings {
  readonly values: ReadonlyMap<string, Setting>;
  /** Lines that mcconfig passes over although they look like settings: "# CONFIG_X is not set". */
  readonly passedOver: readonly { readonly name: string; readonly from: string }[];
}

/** What SDK 8.2.3 sets for a chip, of what updates depend on, where the SDK is not there to be read. */
const DOCUMENTED: Readonly<Record<string, readonly string[]>> = {
  esp32: ["CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS=y"],
  esp32s3: ["CONFIG_ESP_SYSTEM_PANIC_GDBSTUB=y"],
};
const OF_EACH = [
  "CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y",
  "CONFIG_PARTITION_TABLE_CUSTOM=y",
  "CONFIG_ESP_TASK_WDT_EN=n",
] as const;

/** The files of `folder` that count for this kind of build. */
export function filesFor(kind: Kind): readonly string[] {
  if (kind === "debug") return ["sdkconfig.defaults"];
  const release = ["sdkconfig.defaults", "sdkconfig.defaults.release"];
  return kind === "release" ? release : [...release, "sdkconfig.inst"];
}

export interface Sources {
  /** IDF_TARGET. */
  readonly target: string;
  readonly moddable: string | undefined;
  /** SDKCONFIGPATH. */
  readonly folder: string | undefined;
  readonly texts?: ReadonlyMap<string, string>;
}

export function mergedSettings(kind: Kind, { target, moddable, folder, texts }: Sources): Settings {
  const values = new Map<string, Setting>();
  const passedOver: { name: string; from: string }[] = [];
  const put = (text: string, from: string): void => {
    for (const [name, value] of linesOf(text)) values.set(name, { value, from });
  };
  const base = moddable === undefined ? undefined : join(moddable, "build", "devices", "esp32", `xsProj-${target}`);
  if (base === undefined) put([...OF_EACH, ...(DOCUMENTED[target] ?? [])].join("\n"), "the SDK");
  else
    for (const name of filesFor(kind)) {
      const path = join(base, name);
      if (!isFile(path)) continue;
      const text = readFileSync(path, "utf8");
      // ESP-IDF reads the first file itself, with the lines that mcconfig passes over in the others.
      put(text, path);
      if (name === "sdkconfig.defaults") for (const off of notSet(text)) values.set(off, { value: "n", from: path });
    }
  if (folder === undefined || folder === base) return { values, passedOver };
  for (const name of filesFor(kind)) {
    const path = join(folder, name);
    const text = texts?.get(path) ?? (isFile(path) ? readFileSync(path, "utf8") : undefined);
    if (text === undefined) continue;
    put(text, path);
    for (const off of notSet(text)) passedOver.push({ name: off, from: path });
  }
  return { values, passedOver };
}

/** The sdkconfig of a build, which ESP-IDF or mcconfig (sdkconfig.mc) has written. */
export function readSettings(path: string): Settings {
  const text = readFileSync(path, "utf8");
  const values = new Map<string, Setting>();
  for (const off of notSet(text)) values.set(off, { value: "n", from: path });
  for (const [name, value] of linesOf(text)) values.set(name, { value, from: path });
  return { values, passedOver: [] };
}

function linesOf(text: string): (readonly [string, string])[] {
  return [...text.matchAll(/^(CONFIG_\w+)=(.*?)\r?$/gm)].map(([, name = "", value = ""]) => [
    name,
    value.trim() === "" ? "n" : value.trim(),
  ]);
}

function notSet(text: string): string[] {
  return [...text.matchAll(/^# ?(CONFIG_\w+) is not set/gm)].map(([, name = ""]) => name);
}
