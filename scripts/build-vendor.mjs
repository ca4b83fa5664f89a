/**
 * Bundles the libraries that run on XS: build/vendor/mqtt-packet.js and js-md5.js, each one ES module without Node, with its
 * type declarations beside it. XS can preload both (run their bodies at link time and keep the result in flash), which asks
 * for what the published packages do not quite give: no state that changes after loading, and no assignment to a property
 * that a frozen prototype has. The few lines concerned are replaced here; if a new version of a package has them in another
 * form the build stops instead of passing it on unchanged.
 *
 *     node scripts/build-vendor.mjs [folder]
 */
import { build } from "esbuild";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const VENDOR = join(ROOT, "scripts", "vendor");
const { resolve: find } = createRequire(join(ROOT, "package.json"));

/** What the bundles must not change after they were loaded, or can not do on a frozen prototype: text as published, text instead. */
const CHANGES = {
  "mqtt-packet/writeToStream.js": [
    // The packet number is made anew each time: the cache has 65,536 entries and is filled at the first packet.
    ["let writeNumber = writeNumberCached\nlet toGenerate = true\n", "const writeNumber = writeNumberGenerated\n"],
    ["  if (toGenerate) {\n    toGenerate = false\n    generateCache()\n  }\n", ""],
    [
      "  set (value) {\n    if (value) {\n      if (!numCache || Object.keys(numCache).length === 0) toGenerate = true\n      writeNumber = writeNumberCached\n    } else {\n      toGenerate = false\n      writeNumber = writeNumberGenerated\n    }\n  }\n",
      "  set () {}\n",
    ],
    // The same for packet lengths: this one grows by one entry for each length ever sent.
    ["    if (num < 16384) varByteIntCache[num] = buffer\n", ""],
  ],
  "js-md5/build/md5-lite.mjs": [
    // Where Object.prototype is frozen its toString can not be overridden by assignment.
    [
      "Md5.prototype.toString = Md5.prototype.hex;",
      "Object.defineProperty(Md5.prototype, 'toString', { value: Md5.prototype.hex, writable: true, configurable: true });",
    ],
    // One-shot digests share one block of memory; after preloading it is read-only.
    ["return new Md5(true).update(message)[outputType]();", "return new Md5().update(message)[outputType]();"],
  ],
};

/** Replaces each text that occurs exactly once; anything else is an error that names the file and the text. */
export function change(file, source, changes) {
  for (const [published, instead] of changes) {
    const parts = source.split(published);
    if (parts.length !== 2) throw new Error(`${file}: expected once, found ${parts.length - 1} times: ${JSON.stringify(published)}`);
    source = parts.join(instead);
  }
  return source;
}

/** Stand-ins for what mqtt-packet requires, as an esbuild `alias`: small modules that run on XS. */
export function vendorAliases() {
  return {
    buffer: join(VENDOR, "buffer.js"),
    bl: join(VENDOR, "bl.cjs"),
    events: join(VENDOR, "events.js"),
    debug: join(VENDOR, "debug.cjs"),
    "process-nextick-args": join(VENDOR, "process-nextick-args.js"),
  };
}

/** esbuild plugin: the changed packages and the stand-ins, for any bundle that is to run on XS. */
export function vendorPlugin() {
  return {
    name: "vendor",
    setup({ onResolve, onLoad }) {
      const aliases = { ...vendorAliases(), "js-md5": find("js-md5/build/md5-lite.mjs") };
      onResolve({ filter: new RegExp(`^(${Object.keys(aliases).join("|")})$`) }, ({ path }) => ({ path: aliases[path] }));
      for (const [file, changes] of Object.entries(CHANGES)) {
        const filter = new RegExp(`[\\\\/]node_modules[\\\\/]${file.replace(/[/.]/g, (mark) => (mark === "/" ? "[\\\\/]" : "\\."))}$`);
        onLoad({ filter }, async ({ path }) => ({ contents: change(file, await readFile(path, "utf8"), changes), loader: "js" }));
      }
    },
  };
}

const BUNDLES = {
  "mqtt-packet": 'export { generate, parser, writeToStream } from "mqtt-packet";',
  "js-md5": 'export { md5, md5 as default } from "js-md5";',
};

/** Name, version and licence of a package, for the head of what is made of it. */
async function notice(name) {
  const folder = dirname(find(`${name}/package.json`));
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const licence = await readFile(join(folder, name === "js-md5" ? "LICENSE.txt" : "LICENSE.md"), "utf8");
  return `/*\n${name} ${version} (${license}), bundled and adapted for XS by scripts/build-vendor.mjs.\n\n${licence.trim()}\n*/`;
}

/** Whole or not at all: others may be reading the file, or writing it too. */
async function write(path, contents) {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, contents);
  await rename(draft, path);
}

/** Writes both bundles and their declarations; returns the paths of the bundles. */
export async function buildVendor(folder = join(ROOT, "build", "vendor")) {
  await mkdir(folder, { recursive: true });
  const paths = [];
  for (const [name, contents] of Object.entries(BUNDLES)) {
    const result = await build({
      stdin: { contents, resolveDir: ROOT, sourcefile: `${name}.js` },
      bundle: true,
      write: false,
      format: "esm",
      platform: "neutral",
      mainFields: ["main"],
      target: "es2022",
      plugins: [vendorPlugin()],
      banner: { js: await notice(name) },
      metafile: true,
      logLevel: "silent",
    });
    const inputs = Object.keys(result.metafile.inputs);
    for (const file of Object.keys(CHANGES))
      if (file.startsWith(`${name}/`) && !inputs.some((input) => input.endsWith(`node_modules/${file}`))) throw new Error(`${file}: is no part of ${name} any more`);
    const path = join(folder, `${name}.js`);
    await write(path, result.outputFiles[0].text);
    await write(join(folder, `${name}.d.ts`), await readFile(join(VENDOR, `${name}.d.ts`), "utf8"));
    paths.push(path);
  }
  return paths;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  for (const path of await buildVendor(folder)) console.log(`${basename(path)}: ${(await readFile(path)).length} bytes`);
}
