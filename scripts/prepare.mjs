/**
 * What `npm ci` leaves behind it: the `xs-ota` command for npx, the simulated board's chip for Moddable's simulator, and the XS engine of the simulated board.
 */
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSimulatedChip } from "./build-simulated-chip.mjs";
import { buildXsEngine } from "../host-sim/board/xs-engine.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * A link where npx looks first. For a `bin` entry of the project's own package.json npx would install the project into its cache at each
 * call, which takes a second and stays broken when the folder was removed and cloned anew.
 */
function linkCommand() {
  const folder = join(ROOT, "node_modules", ".bin");
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, "xs-ota"), { force: true });
  symlinkSync(join("..", "..", "host-sim", "bin", "xs-ota.mjs"), join(folder, "xs-ota"));
}

try {
  linkCommand();
  await buildSimulatedChip();
  buildXsEngine((line) => console.error(line));
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
