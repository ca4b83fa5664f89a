/**
 * The library's own manifests merged for one platform, as mcconfig merges them: what each includes before it, of its
 * platforms the most particular one, "~" for all of them. What lies in the SDK stays as it is written.
 */
import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { listOf, platformSection } from "../moddable/manifest";
import type { Manifest, Section } from "../moddable/manifest";

export interface LibraryModules {
  /** Files by module name, of TypeScript and JavaScript. */
  readonly scripts: ReadonlyMap<string, string>;
  /** C sources. */
  readonly natives: readonly string[];
  /** Modules of the SDK, as the manifests write them; "~" are those that are taken out. */
  readonly foreign: Readonly<Record<string, readonly string[]>>;
  /** Manifests of the SDK, as they are included. */
  readonly includes: readonly string[];
  /** Modules of the SDK that are preloaded. */
  readonly preload: readonly string[];
  /** Everything else that the manifests say, merged. */
  readonly rest: Readonly<Bag>;
}

type Bag = Record<string, unknown>;
/** Sections that are read here and not merged as they are. */
const READ: ReadonlySet<string> = new Set(["include", "modules", "preload", "platforms"]);
const SCRIPT = /(?<!\.d)\.[jt]s$/;

const isOurs = (path: string): boolean => /^\.\.?\//.test(path);

/** `manifests`: absolute paths. `platform`: as mcconfig's -p names it. Throws where one is not there. */
export function readLibrary(manifests: readonly string[], platform: string): LibraryModules {
  const sections = sectionsOf(manifests, platform);
  const out = new Set(
    sections.flatMap(({ section, folder }) => filesOf(listOf(section.modules?.["~"]) as string[], folder)),
  );
  const [scripts, natives] = [new Map<string, string>(), new Set<string>()];
  const foreign: Record<string, string[]> = {};
  const [includes, preload] = [new Set<string>(), new Set<string>()];
  const rest: Bag = {};
  for (const { section, folder } of sections) {
    for (const include of listOf(section.include) as string[]) if (!isOurs(include)) includes.add(include);
    for (const name of listOf((section as { preload?: string }).preload))
      if (!/^xs-ota(\/|$)/.test(name)) preload.add(name);
    for (const [name, value] of Object.entries(section.modules ?? {})) {
      const targets = listOf(value) as string[];
      const others = targets.filter((target) => !isOurs(target));
      if (others.length > 0) foreign[name] = [...(foreign[name] ?? []), ...others];
      if (name === "~") continue;
      for (const file of filesOf(targets, folder)) {
        if (out.has(file)) continue;
        if (file.endsWith(".c")) natives.add(file);
        else if (SCRIPT.test(file)) scripts.set(moduleName(name, file), file);
      }
    }
    merge(rest, Object.fromEntries(Object.entries(section).filter(([key]) => !READ.has(key))), folder);
  }
  return { scripts, natives: [...natives], foreign, includes: [...includes], preload: [...preload], rest };
}

interface PlacedSection {
  readonly section: Section;
  readonly folder: string;
}

function sectionsOf(manifests: readonly string[], platform: string): PlacedSection[] {
  const [found, read]: [PlacedSection[], Set<string>] = [[], new Set()];
  const visit = (path: string): void => {
    if (read.has(path)) return;
    read.add(path);
    const manifest = JSON.parse(readFileSync(path, "utf8")) as Manifest;
    const folder = dirname(path);
    const own = [manifest, platformSection(manifest, platform)].filter((section) => section !== undefined);
    for (const include of own.flatMap((section) => listOf(section.include) as string[]))
      if (isOurs(include)) visit(resolve(folder, include));
    for (const section of own) found.push({ section, folder });
  };
  for (const path of manifests) visit(path);
  return found;
}

/** The files that module paths stand for: each whose name, up to its first dot, is this one; "*" for any text. */
function filesOf(targets: readonly string[], folder: string): string[] {
  return targets.filter(isOurs).flatMap((target) => {
    const path = resolve(folder, target);
    const pattern = new RegExp(`^${basename(path).replaceAll("*", "[^.]*")}\\.`);
    return readdirSync(dirname(path))
      .filter((file) => pattern.test(file))
      .map((file) => join(dirname(path), file));
  });
}

const moduleName = (name: string, file: string): string => name.replace("*", basename(file).replace(/\.[^.]*$/, ""));

/** Objects are merged, lists are joined, anything else is replaced. Paths become absolute. */
function merge(target: Bag, source: Readonly<Bag>, folder: string): void {
  for (const [name, given] of Object.entries(source)) {
    const before = target[name];
    const value = typeof given === "string" && isOurs(given) ? resolve(folder, given) : given;
    if (Array.isArray(value)) target[name] = unique([...((before as unknown[] | undefined) ?? []), ...value]);
    else if (typeof value === "object" && value !== null) {
      const inner = (target[name] ??= {}) as Bag;
      merge(inner, value as Bag, folder);
    } else target[name] = value;
  }
}

const unique = (values: readonly unknown[]): unknown[] => [
  ...new Map(values.map((value) => [JSON.stringify(value), value])).values(),
];

export const below = (root: string, path: string): string => relative(root, path).replaceAll("\\", "/");
