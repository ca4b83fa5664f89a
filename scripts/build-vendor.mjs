/**
 * `npm run vendor`: bundles the libraries that run on XS into src/vendor/mqtt-packet.js and js-md5.js, each one ES
 * module without Node that XS can preload. The results are committed, because a Moddable user who includes the agent by
 * git has no npm. tests/vendor checks that this step still yields them from the locked packages. vendor/changes.mjs
 * and vendor/client.mjs hold the changes to the packages; if a new version of a package has other lines there, the build
 * stops.
 *
 *     node scripts/build-vendor.mjs [folder]
 */
import { build, transform } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { CHANGED } from "./vendor/changes.mjs";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const { resolve: find } = createRequire(join(ROOT, "package.json"));

/** Small modules in place of the packages that mqtt-packet requires, and the build of js-md5 without HMAC. */
const REPLACED = new Map([
  ...["buffer", "bl", "events"].map((name) => [name, join(ROOT, "scripts", "vendor", `${name}.js`)]),
  ["js-md5", find("js-md5/build/md5-lite.mjs")],
]);

/** esbuild plugin: the changed packages, and the replacements of what they require. */
const PLUGIN = {
  name: "vendor",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(${[...REPLACED.keys()].join("|")})$`) }, ({ path }) => ({
      path: REPLACED.get(path),
    }));
    // The agent's own UTF-8 code, which every bundle that holds the agent has anyway.
    onResolve({ filter: /\/src\/util\/utf8$/ }, () => ({ path: "../util/utf8", external: true }));
    onLoad({ filter: /[\\/]node_modules[\\/]/ }, async ({ path }) => {
      const file = path.slice(path.lastIndexOf("node_modules") + "node_modules/".length).replaceAll("\\", "/");
      const changed = CHANGED.get(file);
      if (!changed) throw new Error(`${file}: not known to scripts/vendor/changes.mjs`);
      return { contents: changed(await readFile(path, "utf8")), loader: "js" };
    });
  },
};

const BUNDLES = {
  "mqtt-packet": 'export { generate, parser } from "mqtt-packet";',
  "js-md5": 'export { md5, md5 as default } from "js-md5";',
};

/**
 * esbuild makes every top-level declaration a `var`; XS preloads constants. The second transform fails where one is
 * assigned.
 */
async function constant(code) {
  const { code: result, warnings } = await transform(code.replace(/^var (?=[\w$]+ = )/gm, "const "), {
    logLevel: "silent",
    target: "es2022",
  });
  if (warnings.length > 0) throw new Error(`not constant: ${warnings.map(({ text }) => text).join("; ")}`);
  return result;
}

/**
 * Name, version and licence of the package: the head of its bundle. The bundle holds no other package's code (see
 * PLUGIN).
 */
async function notice(name) {
  const folder = dirname(find(`${name}/package.json`));
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const licence = await readFile(join(folder, name === "js-md5" ? "LICENSE.txt" : "LICENSE.md"), "utf8");
  return `/*\n${name} ${version} (${license}), bundled and adapted for XS by scripts/build-vendor.mjs.\n\n${licence.trim()}\n*/\n`;
}

/** Writes both bundles into `folder`; returns their paths. */
export async function buildVendor(folder = join(ROOT, "src", "vendor")) {
  await mkdir(folder, { recursive: true });
  const paths = [];
  for (const [name, contents] of Object.entries(BUNDLES)) {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: ROOT, sourcefile: `${name}.js` },
      absWorkingDir: ROOT,
      bundle: true,
      write: false,
      format: "esm",
      platform: "neutral",
      mainFields: ["main"],
      target: "es2022",
      plugins: [PLUGIN],
      // Without what changes.mjs makes dead code.
      minifySyntax: name === "mqtt-packet",
      legalComments: "none",
      logLevel: "silent",
    });
    const path = join(folder, `${name}.js`);
    await writeFile(path, (await notice(name)) + (await constant(outputFiles[0].text)));
    paths.push(path);
  }
  return paths;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  for (const path of await buildVendor(folder))
    console.log(`${basename(path)}: ${(await readFile(path)).length} bytes`);
}
