/** Boards of the SDK: their chips, where its manifests are not there to be read. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Project } from "./project";

/** Targets without settings of their own beside the chip (SDK 8.2.3): hal/esp32/manifest_overlay.json names them. */
export const PLAIN: Readonly<Record<string, string>> = {
  esp32: "esp32",
  "esp32/nodemcu": "esp32",
  "esp32/esp32c3": "esp32c3",
  "esp32/esp32c3_cdc": "esp32c3",
  "esp32/esp32c6": "esp32c6",
  "esp32/esp32c6_cdc": "esp32c6",
  "esp32/esp32s3": "esp32s3",
  "esp32/esp32s3_cdc": "esp32s3",
};
/** mcconfig fails for these: SDK 8.2.3 has no host/provider for them. */
export const WITHOUT_PROVIDER: readonly string[] = [
  "esp32/esp32_st7789",
  "esp32/lilygo_t5s",
  "esp32/moddable_display_2",
  "esp32/moddable_zero",
  "esp32/oddwires",
];
/** IDF_TARGETs that this library has an overlay for. */
export const SUPPORTED: readonly string[] = ["esp32", "esp32c3", "esp32c6", "esp32s3"];

/** IDF_TARGET of a platform; undefined where it takes the SDK to tell. */
export function targetOf({ build, platform, unread }: Project): string | undefined {
  const named = build.get("ESP32_SUBCLASS")?.value;
  if (named !== undefined) return named;
  if (PLAIN[platform] !== undefined) return PLAIN[platform];
  // The SDK's default, where its manifests were read.
  return unread.length === 0 ? "esp32" : undefined;
}

/** The SDK that the environment names. Throws one line where it names none. */
export function moddableFolder(): string | undefined {
  const folder = process.env["MODDABLE"];
  if (folder === undefined || folder === "") return undefined;
  if (!existsSync(join(folder, "examples", "manifest_base.json")))
    throw new Error(`MODDABLE names ${folder}, which is no Moddable SDK`);
  return folder;
}
