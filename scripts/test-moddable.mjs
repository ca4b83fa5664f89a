/**
 * `npm run test:moddable`: what can be checked only with the Moddable SDK. Builds the firmware for the Linux simulator
 * as a user would, runs it without a window and takes it through updates, power cuts and rollbacks. A few minutes, most
 * of them for mcconfig.
 *
 *     MODDABLE=... node scripts/test-moddable.mjs [part of a file's name ...]
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const FOLDER = join(ROOT, "tests", "moddable");
const { MODDABLE } = process.env;

function missing() {
  if (process.platform !== "linux") return "runs on Linux only: elsewhere use mcconfig -d -m and look";
  if (!MODDABLE)
    return "MODDABLE is not set: it names the folder of the Moddable SDK (docs/guide/1-first-board.md says how to get it)";
  const mcconfig = join(MODDABLE, "build", "bin", "lin", "release", "mcconfig");
  return existsSync(mcconfig) ? undefined : `${mcconfig} is not there: build the SDK's tools first`;
}

const problem = missing();
if (problem !== undefined) {
  console.error(`error: ${problem}`);
  process.exit(1);
}
const parts = process.argv.slice(2);
const files = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".check.ts") && (parts.length === 0 || parts.some((part) => file.includes(part))))
  .map((file) => join(FOLDER, file));
if (files.length === 0) {
  console.error("error: no check matches");
  process.exit(1);
}
// From scratch: what was built before must not hide what is missing now.
rmSync(join(ROOT, "build", "moddable"), { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  ["--import", "tsx", "--test", "--test-concurrency=1", "--test-reporter=spec", ...files],
  { cwd: ROOT, stdio: "inherit" },
);
process.exitCode = status ?? 1;
