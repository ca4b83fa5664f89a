/** What an app is before it is adopted, or again: its project without our folder, its chip, flash, table and network. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { partitionsOfCsv } from "../../hal/model-chip/partitions";
import type { Partition } from "../../hal/model-chip/partitions";
import { flashSizeIn } from "../doctor/settings-rules";
import { smallestSlot, tableFindings } from "../doctor/table-rules";
import { isFile, readProject } from "../moddable/project";
import type { Project, ProjectOptions } from "../moddable/project";
import { KINDS, filesFor, mergedSettings } from "../moddable/sdkconfig";
import { PLAIN, SUPPORTED, WITHOUT_PROVIDER, targetOf } from "../moddable/targets";
import { ManifestText } from "./manifest-edit";

/** Our folder in the app, and what its manifest includes. */
export const FOLDER = "ota";
export const INCLUDE = "./ota/manifest.json";
const FLASH_MAX = 128 << 20;

export type Network = "wifi" | "ethernet" | "none";

export interface Base {
  readonly project: Project;
  /** IDF_TARGET. */
  readonly target: string;
  /** Files of the settings that the app has now, by their names. */
  readonly settings: ReadonlyMap<string, string>;
  /** Bytes, as the settings say. */
  readonly flashSize: number;
  /** The app's own table, where it has two slots and is kept. */
  readonly ownTable: string | undefined;
  /** A table of the app's own that has no two slots. */
  readonly singleTable: readonly Partition[] | undefined;
  readonly network: Network;
  /** Slots of stack; undefined where no manifest that is here says. */
  readonly stack: number | undefined;
}

/** The manifest of the app without our include. Throws one line where it is no manifest. */
export function manifestOf(app: string): {
  readonly path: string;
  readonly own: ManifestText;
  readonly bare: ManifestText;
} {
  const path = join(app, "manifest.json");
  if (!isFile(path))
    throw new Error(
      isFile(join(app, "package.json"))
        ? `${app} is a package for mcpack: only apps with a manifest.json can be adopted`
        : `${app} is no Moddable app: it has no manifest.json`,
    );
  const text = readFileSync(path, "utf8");
  try {
    const [own, bare] = [new ManifestText(text), new ManifestText(text)];
    bare.exclude(["include"], INCLUDE);
    for (const name of Object.keys(bare.value.platforms ?? {})) bare.exclude(["platforms", name, "include"], INCLUDE);
    return { path, own, bare };
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Throws one line, with the figures, where the app can not be made updatable on this platform. */
export function baseOf(app: string, bare: string, options: Omit<ProjectOptions, "texts">): Base {
  const { platform, moddable } = options;
  if (WITHOUT_PROVIDER.includes(platform))
    throw new Error(`${platform} can not be built with SDK 8.2.3: it has no host/provider for this board`);
  const project = readProject(app, { ...options, texts: new Map([[join(app, "manifest.json"), bare]]) });
  const [broken] = project.broken;
  if (broken !== undefined) throw new Error(`${broken}: mcconfig would stop here`);
  if (project.errors.length > 0) throw new Error(`a manifest refuses ${platform}: ${project.errors[0]!}`);
  const target = chipOfPlatform(project, moddable);
  const folder = project.build.get("SDKCONFIGPATH")?.value;
  const settings = new Map<string, string>();
  for (const name of folder === undefined ? [] : filesFor("instrument")) {
    const path = join(folder!, name);
    if (isFile(path)) settings.set(name, readFileSync(path, "utf8"));
  }
  const values = KINDS.map((kind) => mergedSettings(kind, { target, moddable, folder }).values);
  const flashSize = flashSizeIn(values[1]!);
  if (flashSize === undefined) throw new Error(`the settings of ${platform} name no flash size`);
  const { stack } = project.creation as { readonly stack?: unknown };
  return {
    project,
    target,
    settings,
    flashSize,
    ...tablesOf(app, project, flashSize),
    network: networkOf(app, bare, options),
    stack: typeof stack === "number" ? stack : undefined,
  };
}

function chipOfPlatform(project: Project, moddable: string | undefined): string {
  const { platform } = project;
  if (moddable === undefined && PLAIN[platform] === undefined)
    throw new Error(
      `${platform} has settings of its own in the SDK, which has to be there: set MODDABLE (without it: ${Object.keys(PLAIN).join(", ")})`,
    );
  const target = targetOf(project);
  if (target === undefined || !SUPPORTED.includes(target))
    throw new Error(`${platform} is an ${target ?? "unknown chip"}: updates are kept safe on ${SUPPORTED.join(", ")}`);
  return target;
}

/** A table that the app itself names, not the SDK for its board. */
function tablesOf(
  app: string,
  project: Project,
  flashSize: number,
): { readonly ownTable: string | undefined; readonly singleTable: readonly Partition[] | undefined } {
  const named = project.build.get("PARTITIONS_FILE");
  if (named === undefined || !named.from.startsWith(`${app}/`)) return { ownTable: undefined, singleTable: undefined };
  if (!isFile(named.value)) throw new Error(`PARTITIONS_FILE is ${named.value}, which is not there`);
  const text = readFileSync(named.value, "utf8");
  const partitions = partitionsOfCsv(text, FLASH_MAX);
  const good = tableFindings(partitions, flashSize).every(({ level }) => level === "note");
  return good && smallestSlot(partitions) !== undefined
    ? { ownTable: text, singleTable: undefined }
    : { ownTable: undefined, singleTable: partitions };
}

/**
 * Apps that bring the network up themselves keep doing so. Many boards of the SDK have its modules without the app's
 * asking: the platform without its board tells.
 */
function networkOf(app: string, bare: string, options: Omit<ProjectOptions, "texts">): Network {
  const platform = options.platform.split("/", 1)[0]!;
  const texts = new Map([[join(app, "manifest.json"), bare]]);
  const { modules, unread } = readProject(app, { ...options, platform, texts });
  const own = ["setup/network", "wifi", "embedded:network/interface/wifi", "embedded:network/interface/ethernet"];
  const included = unread.some((path) => /\/(manifest_net|wifi\/manifest|ethernet\/manifest)\w*\.json$/.test(path));
  return included || own.some((name) => modules.has(name)) ? "none" : "wifi";
}
