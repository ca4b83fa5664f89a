import { build } from "esbuild";
import { readFile, readdir } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

export interface ConsoleFile {
  readonly type: string;
  readonly text: string;
}

const WEB = fileURLToPath(new URL("web/", import.meta.url));

let files: Promise<ReadonlyMap<string, ConsoleFile>> | undefined;

/**
 * The console's files by path, made from their sources at the first call, in a fraction of a second and without a
 * network.
 */
export function consoleFiles(): Promise<ReadonlyMap<string, ConsoleFile>> {
  files ??= make();
  return files;
}

async function make(): Promise<ReadonlyMap<string, ConsoleFile>> {
  const { outputFiles, metafile } = await build({
    entryPoints: [`${WEB}main.tsx`, `${WEB}style.css`],
    // Not the current folder, whose tsconfig.json is somebody else's.
    absWorkingDir: WEB,
    outdir: "console",
    bundle: true,
    // What is imported on demand is a file of its own: the flasher, and its code for each chip.
    splitting: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "silent",
  });
  const [html, icon] = await Promise.all(["index.html", "icon.svg"].map((name) => readFile(WEB + name, "utf8")));
  return new Map([
    ["/", { type: "text/html; charset=utf-8", text: html! }],
    ...outputFiles.map(({ path, text }) => [`/console/${basename(path)}`, { type: typeOf(path), text }] as const),
    ["/console/icon.svg", { type: "image/svg+xml", text: icon! }],
    [
      "/console/licences.txt",
      { type: "text/plain; charset=utf-8", text: await licences(Object.keys(metafile.inputs)) },
    ],
  ]);
}

function typeOf(path: string): string {
  return `text/${path.endsWith(".css") ? "css" : "javascript"}; charset=utf-8`;
}

/** The licences of the packages of which something is in the bundle. `inputs`: paths relative to WEB. */
async function licences(inputs: readonly string[]): Promise<string> {
  // Of a package that lies bundled in src/vendor too.
  const paths = inputs.map((path) => path.replace(/src\/vendor\/([\w-]+)\.js$/, "node_modules/$1"));
  const packages = new Set(paths.flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0] ?? []));
  const texts = [...packages].sort().map(async (folder) => {
    const names = await readdir(WEB + folder);
    const { name, version, license } = JSON.parse(await readFile(`${WEB}${folder}/package.json`, "utf8")) as Package;
    const file = names.find((each) => /^licen[cs]e/i.test(each));
    const text = file === undefined ? "" : `\n${await readFile(`${WEB}${folder}/${file}`, "utf8")}`;
    return `${name} ${version}: ${license}\n${text}`;
  });
  return (await Promise.all(texts)).join(`\n${"=".repeat(80)}\n\n`);
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}
