/**
 * Bundles of the project's own TypeScript for Node. A program that starts from one spends a third of the time that it
 * spends with tsx, which finds and reads hundreds of files one by one.
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");
const COMMAND_ENTRY = "host-sim/cli/main.ts";
const COMMAND_FOLDER = "build/command";
/** In a command's folder: what it was made of. */
const SOURCES = "sources.json";
const OPTIONS = {
  absWorkingDir: ROOT,
  outbase: ROOT,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  sourcemap: true,
  sourcesContent: false,
  logLevel: "silent",
};

/**
 * A plugin of esbuild by which a module finds files beside its source and not beside the bundle. `read`: the text of a
 * source file.
 */
export function sourceUrls(read = (file) => readFileSync(file, "utf8")) {
  return {
    name: "source-urls",
    setup(host) {
      host.onLoad({ filter: /\.m?[jt]s$/ }, ({ path }) => ({
        // Not inside of a text.
        contents: read(path).replace(/(?<!["`])import\.meta\.url(?!["`])/g, JSON.stringify(pathToFileURL(path).href)),
        loader: path.endsWith("ts") ? "ts" : "js",
      }));
    },
  };
}

/**
 * Bundles `entries`, paths relative to the root, into `folder`, which is emptied first: each becomes a file of the same
 * path that ends in .mjs. Returns the paths of the sources. Throws with esbuild's text where a source is wrong.
 */
export async function bundle(entries, folder) {
  const { build } = await import("esbuild");
  rmSync(folder, { recursive: true, force: true });
  const { metafile } = await build({
    ...OPTIONS,
    entryPoints: entries,
    outdir: folder,
    metafile: true,
    plugins: [sourceUrls()],
  });
  return Object.keys(metafile.inputs);
}

/** Bundles the xs-ota command. */
export async function bundleCommand() {
  const folder = join(ROOT, COMMAND_FOLDER);
  const next = `${folder}.${process.pid}`;
  const sources = await bundle([COMMAND_ENTRY], next);
  writeFileSync(join(next, SOURCES), JSON.stringify(sources));
  rmSync(folder, { recursive: true, force: true });
  renameSync(next, folder);
}

/** The URL of the bundled command; undefined where there is none, or one of its sources is newer or gone. */
export function bundledCommand(root = ROOT) {
  const folder = join(root, COMMAND_FOLDER);
  try {
    const { mtimeMs } = statSync(join(folder, SOURCES));
    const sources = JSON.parse(readFileSync(join(folder, SOURCES), "utf8"));
    const newer = sources.some((file) => statSync(join(root, file)).mtimeMs > mtimeMs);
    return newer ? undefined : pathToFileURL(join(folder, COMMAND_ENTRY.replace(/ts$/, "mjs"))).href;
  } catch {
    return undefined;
  }
}
