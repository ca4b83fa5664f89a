/**
 * Bundles the simulated board for Moddable's desktop simulator: an ES module that mcconfig can take, with stand-ins for what it uses of
 * Node. See hal/moddable-sim/chip/chip.ts.
 *
 *     node scripts/build-simulated-chip.mjs [folder]
 */
import { build } from "esbuild";
import { copyFile, mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const CHIP = join(ROOT, "hal", "moddable-sim", "chip");

/** Writes bundle and declarations; returns the path of the bundle. */
export async function buildSimulatedChip(folder = join(ROOT, "build", "vendor")) {
  const { outputFiles } = await build({
    entryPoints: [join(CHIP, "chip.ts")],
    // Comments name files: the same ones wherever this is run.
    absWorkingDir: ROOT,
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    inject: [join(CHIP, "stand-ins", "buffer.js")],
    alias: { "node:crypto": join(CHIP, "stand-ins", "crypto.js"), "node:fs": join(CHIP, "stand-ins", "fs.js") },
    external: ["crypt"],
    loader: { ".csv": "text" },
    logLevel: "silent",
  });
  await mkdir(folder, { recursive: true });
  const path = join(folder, "simulated-chip.js");
  // Whole or not at all: others may be reading the file, or writing it too.
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, outputFiles[0].text);
  await rename(draft, path);
  await copyFile(join(CHIP, "simulated-chip.d.ts"), join(folder, "simulated-chip.d.ts"));
  return path;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  console.log(await buildSimulatedChip(process.argv[2]));
