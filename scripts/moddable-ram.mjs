/**
 * Measures the agent on the Moddable SDK engine and writes the tables into docs/MODDABLE.md and docs/PLATFORMS.md. Needs MODDABLE, Linux and
 * some minutes. With CC="gcc -m32" (and the 32-bit headers and libraries of libc and glib) sizes are those of a chip.
 *
 *     MODDABLE=... node scripts/moddable-ram.mjs [ram | expand | flash | prices | edition | small | platforms | platforms-ram ... | least]
 *
 * "prices": what each feature takes of the flash. "edition": the flash beside version 0.1.0. "small": what `xs-ota bundle` saves. "platforms": the flash of each platform alone, and
 * "platforms-ram" its RAM, in docs/PLATFORMS.md.
 * "least" finds the least heap for an update instead, and writes bench/least-heap.json.
 */
import { spawnSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const words = process.argv.slice(2);
const report = words[0] === "least" ? ["tests/moddable/least-heap.ts"] : ["tests/moddable/ram-report.ts", ...words];
process.exitCode =
  spawnSync(process.execPath, ["--import", "tsx", ...report], {
    cwd: ROOT,
    stdio: "inherit",
  }).status ?? 1;
