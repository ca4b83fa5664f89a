/** The manifests of this repository as mcconfig reads them, as far as they can be read without the SDK. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { keepsClosures } from "./kept-closures";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

export interface Section {
  readonly include?: string | readonly string[];
  readonly modules?: Readonly<Record<string, string | readonly string[]>>;
  readonly build?: Readonly<Record<string, string>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly defines?: Readonly<Record<string, unknown>>;
  readonly preload?: string | readonly string[];
}
export interface Manifest extends Section {
  readonly platforms?: Readonly<Record<string, Section>>;
}

export const readManifest = (path: string): Manifest => JSON.parse(readFileSync(path, "utf8")) as Manifest;

/** Every manifest of the repository. */
export function manifestFiles(): string[] {
  return ["hal", "src", "firmware", "examples"]
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((file) => join(ROOT, folder, file)),
    )
    .filter((path) => /^manifest.*\.json$/.test(basename(path)) && !path.includes("node_modules"))
    .concat(join(ROOT, "manifest.json"))
    .sort();
}

export const list = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === "string" ? [value] : value;

/** Of a manifest: itself and each of its platforms. */
export const sections = (manifest: Manifest): Section[] => [manifest, ...Object.values(manifest.platforms ?? {})];

/** mcconfig's choice among the platforms of one manifest: the most particular one that fits, and only that. */
export function platformSection(manifest: Manifest, platform: string): Section | undefined {
  const platforms = manifest.platforms ?? {};
  for (const parts = platform.split("/"); parts.length > 0; parts.pop()) {
    const name = parts.join("/");
    for (const [key, section] of Object.entries(platforms)) {
      if (key.endsWith("/*") ? name.startsWith(key.slice(0, -1)) : key === name) return section;
    }
  }
  return platforms["..."];
}

/** Paths that a manifest names beside itself; those in the SDK and in build variables are not ours to check. */
export const isOurs = (path: string): boolean => path.startsWith("./") || path.startsWith("../");

/** Files that a module path stands for: each whose name, up to its last dot, is this one; "*" for all of a folder. */
export function filesOf(path: string): string[] {
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  const name = basename(path);
  return readdirSync(folder, { withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() &&
        (name === "*" || entry.name.replace(/\.[^.]*$/, "") === name || entry.name === `${name}.d.ts`),
    )
    .map((entry) => join(folder, entry.name));
}

/** Manifests that an app includes to leave a feature out. */
export const withoutManifests = (): string[] => manifestFiles().filter((path) => /manifest_without_/.test(path));

/** All module names that an app for `platform` has of ours, with their files, starting from these manifests. */
export function modulesOf(manifests: string | readonly string[], platform: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const read = new Set<string>();
  const leftOut = new Set<string>();
  const visit = (path: string): void => {
    if (read.has(path)) return;
    read.add(path);
    const parsed = readManifest(path);
    for (const section of [parsed, platformSection(parsed, platform)]) {
      if (section === undefined) continue;
      for (const include of list(section.include)) if (isOurs(include)) visit(resolve(dirname(path), include));
      for (const [name, targets] of Object.entries(section.modules ?? {})) {
        for (const target of list(targets)) {
          if (!isOurs(target)) continue;
          for (const file of filesOf(resolve(dirname(path), target))) {
            if (name === "~") {
              leftOut.add(file);
              continue;
            }
            const stem = basename(file).replace(/(\.d)?\.[^.]*$/, "");
            const module = name === "*" ? stem : name.endsWith("/*") ? `${name.slice(0, -1)}${stem}` : name;
            found.set(module, [...(found.get(module) ?? []), file]);
          }
        }
      }
    }
  };
  for (const manifest of list(manifests)) visit(manifest);
  for (const [name, files] of found) {
    const left = files.filter((file) => !leftOut.has(file));
    if (left.length > 0) found.set(name, left);
    else found.delete(name);
  }
  return found;
}

/** Manifests of what lies in the flash of a chip; the size of the simulator is of no matter. */
export const preloadManifests = (): string[] =>
  manifestFiles().filter((path) => /^(src|hal\/(moddable|esp32))\//.test(relative(ROOT, path).replaceAll("\\", "/")));

/** Named for every port: in the simulator, whose own modules are not preloaded, nothing else would load them. */
const ROOTS = /[\\/]hal[\\/]moddable[\\/](clock|crypto|dns|fault-record|network|network-watch|start-up)\.ts$/;

/** What the `preload` of a manifest names: what it has of the SDK, and each module of ours that runs and keeps no closure. */
export function preloadOf(path: string): string[] {
  const { modules = {}, preload } = readManifest(path);
  const isModuleOfOurs = (name: string): boolean => /^(xs-ota|firmware)(\/|$)/.test(name);
  const ours = Object.entries(modules)
    .filter(([name]) => isModuleOfOurs(name))
    .flatMap(([name, targets]) =>
      list(targets)
        .flatMap((target) => filesOf(resolve(dirname(path), target)))
        .filter((file) => runs(file) && (ROOTS.test(file) || !keepsClosures(file)))
        .map((file) => name.replace("*", basename(file).replace(/\.[^.]*$/, ""))),
    );
  return [...list(preload).filter((name) => !isModuleOfOurs(name)), ...ours.sort()];
}

/** Whether anything is left of a file without its types. */
function runs(file: string): boolean {
  if (file.endsWith(".d.ts") || !/\.[jt]s$/.test(file)) return false;
  const { code } = transformSync(readFileSync(file, "utf8"), {
    loader: "ts",
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
  return code.trim() !== "" && code.trim() !== "export {};";
}

const importsOf = new Map<string, string[]>();

/** What a module imports when it runs: type imports compile to nothing. */
export function imports(file: string): string[] {
  const known = importsOf.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const found = [...text.matchAll(/^\s*(?:import|export)\s(?!type\b)(?:[^"';]*?\sfrom\s)?\s*"([^"]+)"/gm)].map(
    (match) => match[1]!,
  );
  importsOf.set(file, found);
  return found;
}
