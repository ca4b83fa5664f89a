/**
 * The test files, by area: an area is a folder of tests/. scripts/test-areas.json says what each may take and which
 * files are unit tests.
 */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
/** Test files that run at the same time. Some of them mind a starved machine, and CI has two cores. */
export const LANES = 3;
/**
 * Seconds: `total` for all of `npm test`, and of that for each area; "checks" are format, types and lint. `unit`: all
 * files, none, or these.
 */
export const { total, unitTotal, areas } = JSON.parse(
  readFileSync(new URL("./test-areas.json", import.meta.url), "utf8"),
);

/** Paths relative to ROOT. Node 20 takes files, not patterns, and runs them in the order of their names. */
export function testFiles() {
  return readdirSync(join(ROOT, "tests"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => join("tests", file))
    .sort();
}

export function areaOf(file) {
  return file.split(/[\\/]/)[1];
}

/** Needs no browser, no power-cut search and no process of a board or a cloud. */
export function isUnit(file) {
  const unit = areas[areaOf(file)]?.unit ?? false;
  return Array.isArray(unit) ? unit.some((name) => file.endsWith(name)) : unit;
}
