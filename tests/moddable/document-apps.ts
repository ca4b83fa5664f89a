/** Apps with the commands and manifests that docs/ESP32.md gives, read from the document. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { ChipPlatform } from "./chip-build";
import { BUILD, ROOT, moddable } from "./harness";

/** Platform, chip, flash in MB. */
export type Target = readonly [ChipPlatform, string, number];

const DOCUMENT = readFileSync(join(ROOT, "docs", "ESP32.md"), "utf8");

/** The blocks of code in the section of this heading. */
function blocks(heading: string): string[] {
  const section = DOCUMENT.split(/^(?=#)/m).find((text) => text.startsWith(`${heading}\n`));
  assert.ok(section !== undefined, `docs/ESP32.md has no section "${heading}"`);
  return [...section.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replace(/^ {4}/gm, ""));
}

const SECTION = blocks("### A board, or another flash size");
const [COMMANDS = "", , BOARD = ""] = SECTION;
/** Manifest of an app around the firmware at the root, for a board. */
export const OUTER = SECTION[1] ?? "";
/** Lines of an sdkconfig for another flash size. */
export const SIZE = SECTION[3] ?? "";
/** Manifest of an app of one's own, for a chip. */
export const [APP = ""] = blocks("## In your own firmware");
/** For a board. */
export const BOARD_APP = replaced(APP, "./xs-ota/hal/esp32/manifest_overlay.json", "./board.json");

function replaced(text: string, from: string, to: string): string {
  assert.ok(text.includes(from), `docs/ESP32.md no longer says "${from}" here`);
  return text.replaceAll(from, to);
}

/** An app beside this repository, which it finds in `xs-ota`. */
export function newApp(name: string, manifest: string): string {
  const app = join(BUILD, name);
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  symlinkSync(ROOT, join(app, "xs-ota"));
  writeFileSync(join(app, "manifest.json"), manifest);
  writeFileSync(join(app, "main.js"), 'import { powerOn } from "xs-ota/moddable";\ntrace(typeof powerOn);\n');
  return app;
}

/**
 * Makes sdkconfig and board.json with the document's commands and manifest, for another board than the one that it
 * names.
 */
export function addBoard(app: string, [platform, chip, flash]: Target): void {
  const commands = replaced(replaced(COMMANDS, "moddable_six", basename(platform)), "esp32s3", chip);
  spawnSync("sh", ["-c", commands], { cwd: app, env: { ...process.env, MODDABLE: moddable() } });
  writeFileSync(join(app, "board.json"), replaced(BOARD, "8mb", `${flash}mb`));
}
