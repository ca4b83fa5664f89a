/**
 * The library as one folder that an app's manifest includes in place of the library's manifests: for the chips and for
 * the simulators one bundle each, a module for each name that an app imports, C sources, declarations.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleModules } from "./javascript";
import type { Bundle } from "./javascript";
import { readLibrary } from "./library-manifests";
import type { LibraryModules } from "./library-manifests";
import { declarationsOf } from "./typings";

export const LIBRARY = resolve(fileURLToPath(new URL("../..", import.meta.url)));
/** What the modules for an app import the bundle by. */
const BUNDLE = "xs-ota/bundle";
/** Of each kind of device, mcconfig's platforms. */
const DEVICES: Readonly<Record<string, readonly string[]>> = { esp32: ["esp32"], simulator: ["lin", "mac", "win"] };
const NATIVE = "native";
const TYPES = "types";
const MANIFEST = "manifest.json";

export const NETWORKS: readonly string[] = ["wifi", "ethernet", "none", "own"];
/** The clouds, by the names of their folders. */
export const platformNames = (): string[] =>
  readdirSync(join(LIBRARY, "src", "platforms"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
const WITHOUT = /^manifest_without_(\w+)\.json$/;
/** Manifests that leave a feature out, by its name. */
const withoutManifests = (): Map<string, string> =>
  new Map(
    ["hal/moddable", "src"].flatMap((folder) =>
      readdirSync(join(LIBRARY, folder))
        .filter((file) => WITHOUT.test(file))
        .map((file) => [WITHOUT.exec(file)![1]!.replaceAll("_", "-"), join(LIBRARY, folder, file)] as const),
    ),
  );

/** The features that a manifest leaves out: one that is named after two holds what only both can do without. */
const partsOf = (name: string): string[] => name.split("-and-");

/** What `without` may name. */
export const featureNames = (): string[] => [...new Set([...withoutManifests().keys()].flatMap(partsOf))].sort();

/** The manifests by which an app leaves these features out. */
export const manifestsWithout = (features: readonly string[]): string[] =>
  [...withoutManifests()]
    .filter(([name]) => partsOf(name).every((part) => features.includes(part)))
    .map(([, path]) => path);

export interface BundleChoice {
  readonly platforms: readonly string[];
  readonly without: readonly string[];
  /** Who brings the network of a chip up: one of NETWORKS; "own" is a module of the app. */
  readonly network: string;
  readonly minify: boolean;
}

/** Bytes of each bundle. The folder is made; what an earlier bundle left in it is replaced. Throws one line. */
export async function writeBundle(out: string, choice: BundleChoice): Promise<Record<string, number>> {
  const manifest = text({
    platforms: {
      ...Object.fromEntries(
        Object.entries(DEVICES).flatMap(([device, names]) =>
          names.map((name) => [name, { include: `./${device}/${MANIFEST}` }]),
        ),
      ),
      "...": { error: "xs-ota: ESP32 and the desktop simulators only" },
    },
  });
  prepare(out, manifest);
  const sizes: Record<string, number> = {};
  const scripts = new Map<string, string>();
  const declared = new Set<string>();
  for (const [device, [platform]] of Object.entries(DEVICES)) {
    const library = readLibrary(manifestsFor(choice, device), platform!);
    const names = namesOf(library, choice);
    const bundle = await bundleModules({ modules: library.scripts, names, minify: choice.minify });
    writeModules(join(out, device), library, bundle, headOf(choice, library, bundle));
    write(join(out, device, MANIFEST), text(manifestOf(join(out, device), library, bundle)));
    copyNatives(out, library);
    for (const [name, file] of library.scripts) scripts.set(name, file);
    for (const name of names) declared.add(library.scripts.get(name)!);
    sizes[device] = Buffer.byteLength(bundle.code);
  }
  for (const [path, each] of declarationsOf([...declared], scripts, LIBRARY))
    write(join(out, TYPES, `${path}.d.ts`), each);
  write(join(out, MANIFEST), manifest);
  return sizes;
}

function prepare(out: string, manifest: string): void {
  if (!existsSync(out)) return;
  const path = join(out, MANIFEST);
  if (readdirSync(out).length > 0 && !(existsSync(path) && readFileSync(path, "utf8") === manifest))
    throw new Error(`${out} holds other files: name a new folder, or one that this command has written`);
  for (const each of [...Object.keys(DEVICES), NATIVE, TYPES])
    rmSync(join(out, each), { recursive: true, force: true });
}

function manifestsFor({ platforms, without, network }: BundleChoice, device: string): string[] {
  const at = (...parts: readonly string[]): string => join(LIBRARY, ...parts);
  const all = platforms.length === platformNames().length;
  return [
    ...(all ? [at("src", "platforms", MANIFEST)] : platforms.map((name) => at("src", "platforms", name, MANIFEST))),
    ...manifestsWithout(without),
    ...(device === "esp32" && network !== "own" ? [at("hal", "esp32", `manifest_${network}.json`)] : []),
  ];
}

/** What an app may import: the simulator's port brings all clouds, which are not wanted for that. */
function namesOf({ scripts }: LibraryModules, { platforms }: BundleChoice): string[] {
  const others = platformNames().filter((name) => !platforms.includes(name));
  return [...scripts.keys()]
    .filter((name) => /^xs-ota(\/[^/]+)?$/.test(name) && name !== "xs-ota/network")
    .filter((name) => !others.some((other) => name === `xs-ota/${other}`))
    .concat(others.length === 0 ? ["xs-ota/src/platforms/index"] : [])
    .sort();
}

const fileOf = (name: string): string => name.replace(/^xs-ota\/(src\/)?/, "").replaceAll("/", "-");

function headOf(
  { platforms, without, network, minify }: BundleChoice,
  library: LibraryModules,
  bundle: Bundle,
): string {
  const { version } = JSON.parse(readFileSync(join(LIBRARY, "package.json"), "utf8")) as { version: string };
  const parts = [
    `platforms ${platforms.join(", ")}`,
    ...(without.length === 0 ? [] : [`without ${without.join(", ")}`]),
    `network ${network}`,
    ...(minify ? [] : ["not minified"]),
  ];
  const licences = bundle.inside
    .filter((name) => name.startsWith("xs-ota/src/vendor/"))
    .map((name) => /^\/\*[^]*?\*\/\n?/.exec(readFileSync(library.scripts.get(name)!, "utf8"))?.[0] ?? "");
  return `// xs-ota ${version}, Apache-2.0, made by xs-ota bundle: ${parts.join("; ")}\n${licences.join("")}`;
}

/** The bundle; of each name for an app a module, and its declarations. */
function writeModules(folder: string, { scripts }: LibraryModules, { code, names }: Bundle, head: string): void {
  write(join(folder, "bundle.js"), head + code);
  for (const [name, exported] of names) {
    const list = [...exported].map(([of, inside]) => (of === inside ? of : `${inside} as ${of}`));
    write(join(folder, `${fileOf(name)}.js`), `export { ${list.join(", ")} } from ${JSON.stringify(BUNDLE)};\n`);
    const from = JSON.stringify(`../${TYPES}/${below(scripts.get(name)!).replace(/\.ts$/, "")}`);
    const own = exported.has("default") ? `export { default } from ${from};\n` : "";
    write(join(folder, `${fileOf(name)}.d.ts`), `export * from ${from};\n${own}`);
  }
}

function manifestOf(folder: string, library: LibraryModules, { names }: Bundle): object {
  const natives = library.natives.map((file) => `../${NATIVE}/${below(file).replace(/\.c$/, "")}`);
  const { "*": others = [], ...foreign } = library.foreign;
  const modules = {
    ...foreign,
    "*": [...natives, ...others],
    [BUNDLE]: "./bundle",
    ...Object.fromEntries([...names.keys()].map((name) => [name, `./${fileOf(name)}`])),
  };
  const rest = JSON.parse(JSON.stringify(library.rest), (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(LIBRARY) ? placed(folder, value) : value,
  ) as object;
  // As with the sources, the simulator's own modules are not preloaded; here they are in the bundle.
  const preloaded = basename(folder) === "esp32" ? [BUNDLE, ...names.keys()] : [];
  return { ...rest, include: library.includes, modules, preload: [...library.preload, ...preloaded] };
}

/** A path of this library that a manifest names, beside the C sources: what it stands for is copied there. */
function placed(folder: string, path: string): string {
  const pattern = new RegExp(`^${basename(path).replaceAll("*", ".*")}`);
  for (const file of readdirSync(dirname(path)).filter((each) => pattern.test(each)))
    copy(join(dirname(path), file), join(folder, ".."));
  return `../${NATIVE}/${below(path)}`;
}

/** C sources with the headers beside them. */
function copyNatives(out: string, { natives }: LibraryModules): void {
  for (const file of natives) copy(file, out);
  for (const folder of new Set(natives.map(dirname)))
    for (const file of readdirSync(folder)) if (file.endsWith(".h")) copy(join(folder, file), out);
}

function copy(file: string, out: string): void {
  const to = join(out, NATIVE, below(file));
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(file, to);
}

const below = (path: string): string => relative(LIBRARY, path).replaceAll("\\", "/");
const text = (value: object): string => `${JSON.stringify(value, undefined, "\t")}\n`;

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
