/**
 * Measures the agent on the Moddable SDK engine and writes the tables into docs/MODDABLE.md. Needs MODDABLE, Linux and
 * some minutes. With CC="gcc -m32" (and the 32-bit headers and libraries of libc and glib) sizes are those of a chip.
 *
 *     MODDABLE=... node scripts/moddable-ram.mjs [ram | flash]
 */
import { spawnSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
process.exitCode =
  spawnSync(process.execPath, ["--import", "tsx", "tests/moddable/ram-report.ts", ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: "inherit",
  }).status ?? 1;
