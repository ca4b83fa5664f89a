/**
 * What mcconfig makes of an app's manifests, by its own rules (the SDK's tools/mcmanifest.js, parseManifest,
 * parseBuild, mergePlatform): the `build` of a manifest before what it includes, everything else after it; of one
 * platform only the most particular section. What lies in an SDK that is not there stays unread, and is listed.
 */
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { stripComments } from "jsonc-parser";
import { fileReason } from "../board/config/file-errors";
import { parseJson } from "../board/config/text-file";
import { listOf, platformSection } from "./manifest";
import type { GitInclude, Include, Manifest, Section } from "./manifest";

export interface BuildValue {
  readonly value: string;
  /** The manifest that says so. */
  readonly from: string;
}

export interface Project {
  readonly platform: string;
  /** Variables of `build`, the last value of each; `lost`: what was said before and does not count. */
  readonly build: ReadonlyMap<string, BuildValue & { readonly lost: readonly BuildValue[] }>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly creation: Readonly<Record<string, unknown>>;
  readonly defines: Readonly<Record<string, unknown>>;
  /** Paths of each module, in the order in which they are read. "~" are those that are taken out. */
  readonly modules: ReadonlyMap<string, readonly string[]>;
  /** Every manifest that was read. */
  readonly manifests: readonly string[];
  /** Includes that lie in an SDK, or a repository, that is not here. */
  readonly unread: readonly string[];
  /** Manifests that are missing or are not JSON: mcconfig would stop here. */
  readonly broken: readonly string[];
  /** Manifests with comments, which mcconfig does not read. */
  readonly commented: readonly string[];
  /** What the manifests themselves say against this platform. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly git: readonly GitInclude[];
}

export interface ProjectOptions {
  /** As mcconfig's -p: "esp32/esp32c3". */
  readonly platform: string;
  /** The SDK's folder. */
  readonly moddable: string | undefined;
  /** The checkout of this library, which stands in for a clone of it. */
  readonly library: string;
  /** Texts in place of files, by absolute path. */
  readonly texts?: ReadonlyMap<string, string>;
}

type Bag = Record<string, unknown>;

export function readProject(app: string, options: ProjectOptions): Project {
  const reader = new Reader(options);
  const path = join(app, "manifest.json");
  reader.readFile(path, undefined);
  return reader.merge();
}

class Reader {
  readonly #options: ProjectOptions;
  readonly #environment: Record<string, string>;
  readonly #build = new Map<string, BuildValue & { lost: BuildValue[] }>();
  readonly #order: { readonly manifest: Manifest; readonly folder: string }[] = [];
  readonly #already = new Set<string>();
  readonly #unread: string[] = [];
  readonly #broken: string[] = [];
  readonly #commented: string[] = [];
  readonly #git: GitInclude[] = [];

  constructor(options: ProjectOptions) {
    this.#options = options;
    const { platform, moddable } = options;
    const [name = "", sub] = platform.split("/");
    this.#environment = { PLATFORM: name, FULLPLATFORM: platform, ...(sub === undefined ? {} : { SUBPLATFORM: sub }) };
    if (moddable === undefined) return;
    this.#environment["MODDABLE"] = moddable;
    this.#environment["BUILD_SIMULATOR"] = join(moddable, "build", "simulators");
    if (sub !== undefined)
      this.#environment["SUBPLATFORMMANIFEST"] = join(
        join(moddable, "build", "devices", name),
        join("targets", sub, "manifest.json"),
      );
  }

  /** `from`: the manifest that includes it; undefined for the app's own. */
  readFile(path: string, from: string | undefined): void {
    if (this.#already.has(path)) return;
    this.#already.add(path);
    try {
      const text = this.#options.texts?.get(path) ?? readFileSync(path, "utf8");
      const bare = stripComments(text, " ");
      if (bare !== text) this.#commented.push(path);
      this.#read(parseJson(bare) as Manifest, path, dirname(path));
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      const reason = (error as NodeJS.ErrnoException).code === undefined ? (error as Error).message : fileReason(error);
      this.#broken.push(from === undefined ? `${path}: ${reason}` : `${path}: ${reason} (included by ${from})`);
    }
  }

  #read(manifest: Manifest, path: string, folder: string): void {
    this.#assign(manifest, path, folder);
    const section = platformSection(manifest, this.#options.platform);
    if (section !== undefined) this.#assign(section, path, folder);
    for (const include of [...listOf(manifest.include), ...listOf(section?.include)])
      this.#include(include, path, folder);
    this.#order.push({ manifest, folder });
  }

  #include(include: Include, from: string, folder: string): void {
    if (typeof include !== "string") return this.#includeGit(include, from);
    const path = this.#resolve(include);
    if (path === undefined) return void this.#unread.push(include);
    this.readFile(resolve(folder, path), from);
  }

  /** A clone of this library is this checkout; any other is not here. */
  #includeGit(include: GitInclude, from: string): void {
    const { git, manifest = "manifest.json" } = include;
    this.#git.push(include);
    const { library } = this.#options;
    if (!/(^|[/:])xs-ota(\.git)?$/.test(git) && !isOurs(manifest, library)) return void this.#unread.push(git);
    if (typeof manifest === "string") this.readFile(join(library, manifest), from);
    else this.#read(manifest, `${basename(from)} (git)`, library);
  }

  #assign({ build }: Section, from: string, folder: string): void {
    for (const [named, given] of Object.entries(build ?? {})) {
      if (typeof given !== "string") continue;
      const name = named.replace(/ \?=$/, "");
      const text = this.#resolve(given);
      const value = text?.startsWith("./") === true ? resolve(folder, text) : (text ?? given);
      const before = this.#build.get(name);
      // What hangs on a variable that is not known is not known either.
      if (text === undefined) delete this.#environment[name];
      else this.#environment[name] = value;
      this.#build.set(name, {
        value,
        from,
        lost: before === undefined ? [] : [...before.lost, { value: before.value, from: before.from }],
      });
    }
  }

  /** Undefined where a variable is not known: the SDK is not here. */
  #resolve(text: string): string | undefined {
    let known = true;
    const resolved = text.replace(/\$\(([^)]+)\)/g, (_, name: string) => {
      const value = this.#environment[name] ?? process.env[name];
      if (value === undefined) known = false;
      return value ?? "";
    });
    return known ? resolved : undefined;
  }

  merge(): Project {
    const all = { config: {} as Bag, creation: {} as Bag, defines: {} as Bag };
    const modules = new Map<string, string[]>();
    const [errors, warnings]: [string[], string[]] = [[], []];
    for (const { manifest, folder } of this.#order) {
      for (const section of [manifest, platformSection(manifest, this.#options.platform)]) {
        if (section === undefined) continue;
        for (const part of ["config", "creation", "defines"] as const) mergeInto(all[part], section[part] ?? {});
        for (const [name, targets] of Object.entries(section.modules ?? {}))
          modules.set(name, [...(modules.get(name) ?? []), ...this.#sources(targets, folder)]);
        if (section.error !== undefined) errors.push(section.error);
        if (section.warning !== undefined) warnings.push(section.warning);
      }
    }
    return {
      platform: this.#options.platform,
      build: this.#build,
      ...all,
      modules,
      manifests: [...this.#already],
      unread: this.#unread,
      broken: this.#broken,
      commented: this.#commented,
      errors,
      warnings,
      git: this.#git,
    };
  }

  #sources(targets: unknown, folder: string): string[] {
    return listOf(targets as string | readonly string[])
      .filter((target) => typeof target === "string")
      .flatMap((target) => {
        const path = this.#resolve(target);
        return path === undefined ? [] : [resolve(folder, path)];
      });
  }
}

/** A manifest in the place of a path, all of whose includes are files of this library. */
function isOurs(manifest: string | Manifest, library: string): boolean {
  if (typeof manifest === "string") return false;
  const includes = listOf(manifest.include);
  return includes.length > 0 && includes.every((path) => typeof path === "string" && isFile(join(library, path)));
}

/** Tool.mergeProperties: objects are merged, anything else is replaced. */
function mergeInto(target: Bag, source: Readonly<Bag>): void {
  for (const [name, value] of Object.entries(source)) {
    const before = target[name];
    if (isObject(before) && isObject(value)) mergeInto(before, value);
    else target[name] = isObject(value) ? structuredClone(value) : value;
  }
}

function isObject(value: unknown): value is Bag {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
