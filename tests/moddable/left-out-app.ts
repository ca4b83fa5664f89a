/** The firmware without features: an app that includes the firmware's manifest and those that leave something out. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { withoutManifests } from "../esp32/manifest-tree";
import { ROOT } from "./harness";

/** Makes `folder`, and returns it. Default: all that can be left out. */
export function firmwareWithout(folder: string, manifests: readonly string[] = withoutManifests()): string {
  mkdirSync(folder, { recursive: true });
  const include = [join(ROOT, "manifest.json"), ...manifests].map((path) => relative(folder, path));
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ include }));
  return folder;
}
