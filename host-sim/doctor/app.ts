/** An app's folder: what mcconfig will build from its manifests, and whether devices with that could be updated. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { partitionsOfCsv } from "../../hal/model-chip/partitions";
import type { Partition } from "../../hal/model-chip/partitions";
import { configure } from "../moddable/mcconfig";
import { isFile, readProject } from "../moddable/project";
import type { Project } from "../moddable/project";
import { KINDS, mergedSettings } from "../moddable/sdkconfig";
import type { Kind, Setting } from "../moddable/sdkconfig";
import { SUPPORTED, WITHOUT_PROVIDER, targetOf } from "../moddable/targets";
import { manifestFindings } from "./app-rules";
import { lostFindings, passedOverFindings } from "./build-rules";
import { wrong } from "./finding";
import type { Finding, Verdict } from "./finding";
import { flashSizeIn, settingsFindings } from "./settings-rules";
import { tableFindings } from "./table-rules";

export interface AppOptions {
  readonly app: string;
  /** As mcconfig's -p. */
  readonly platform: string;
  readonly moddable: string | undefined;
  /** The checkout of this library. */
  readonly library: string;
  /** Texts in place of files, by absolute path; mcconfig, which reads files, is not asked then. */
  readonly texts?: ReadonlyMap<string, string>;
}

const FLASH_MAX = 128 << 20;

export function examineApp(options: AppOptions): Verdict {
  const { platform, moddable } = options;
  const project = readProject(options.app, options);
  const facts = [
    moddable === undefined
      ? `${platform}, by mcconfig's documented rules: without MODDABLE the SDK's own manifests and settings can not be read`
      : `${platform}, by the manifests of the app and of ${moddable}`,
  ];
  if (project.broken.length > 0)
    return {
      facts,
      findings: project.broken.map((each) => wrong(each, "mcconfig stops here", "mend the manifest, or its path")),
    };
  const target = targetOf(project);
  const findings = [...platformFindings(project, target), ...manifestFindings(project)];
  if (target === undefined || !SUPPORTED.includes(target)) return { facts, findings };
  const releases = settingsOf(options, project, target, findings);
  tableFacts(options, project, target, releases, findings, facts);
  findings.push(...lostFindings(project, options));
  if (options.texts === undefined) facts.push(...proof(options, releases, findings));
  return { facts: facts.map((fact) => short(fact, options.app)), findings: shortened(findings, options.app) };
}

function platformFindings({ platform, errors, warnings }: Project, target: string | undefined): Finding[] {
  const found = errors.map((each) =>
    wrong(`a manifest refuses ${platform}: ${each}`, "it does not build", "another platform"),
  );
  if (WITHOUT_PROVIDER.includes(platform))
    found.push(
      wrong(
        `${platform} has no host/provider in SDK 8.2.3`,
        "mcconfig fails",
        "another board, or a provider of your own",
      ),
    );
  if (target === undefined)
    found.push(
      wrong(
        `which chip ${platform} has is not known here`,
        "its settings and its flash can not be told",
        "set MODDABLE to the folder of the SDK",
      ),
    );
  else if (!SUPPORTED.includes(target))
    found.push(
      wrong(
        `${platform} is an ${target}`,
        "there is no overlay for this chip: nothing keeps its updates safe",
        `a board with ${SUPPORTED.join(", ")}`,
      ),
    );
  for (const warning of warnings.filter((each) => each.startsWith("xs-ota:")))
    found.push(
      wrong(
        `manifest_overlay.json is not for ${platform}`,
        `mcconfig builds with the board's own settings, without rollback and watchdog (${warning})`,
        "a board.json as the last include, or xs-ota adopt",
      ),
    );
  return found;
}

/** Findings of the three kinds of build, once where all have them. Returns the settings of a release. */
function settingsOf(
  { moddable, texts }: AppOptions,
  project: Project,
  target: string,
  findings: Finding[],
): ReadonlyMap<string, Setting> {
  const folder = project.build.get("SDKCONFIGPATH")?.value;
  const given = { target, moddable, folder, ...(texts === undefined ? {} : { texts }) };
  const each = KINDS.map((kind) => {
    const settings = mergedSettings(kind, given);
    return { kind, settings, found: settingsFindings(settings.values, target) };
  });
  findings.push(...grouped(each));
  const release = each.find(({ kind }) => kind === "release")!.settings;
  findings.push(...passedOverFindings(each.flatMap(({ settings }) => settings.passedOver)));
  return release.values;
}

/** One line for what more than one kind of build has. */
function grouped(each: readonly { readonly kind: Kind; readonly found: readonly Finding[] }[]): Finding[] {
  const told = new Map<string, { finding: Finding; kinds: Kind[]; files: Set<string> }>();
  for (const { kind, found } of each) {
    for (const finding of found) {
      const known = told.get(finding.what) ?? { finding, kinds: [], files: new Set() };
      told.set(finding.what, known);
      known.kinds.push(kind);
      if (finding.where !== undefined) known.files.add(finding.where);
    }
  }
  return [...told.values()].map(({ finding, kinds, files }) => {
    const builds = kinds.length === KINDS.length ? [] : [`${kinds.join(" and ")} builds`];
    const where = [...builds, ...files].join(", ");
    return { ...finding, ...(where === "" ? {} : { where }) };
  });
}

function tableFacts(
  { moddable, texts }: AppOptions,
  project: Project,
  target: string,
  settings: ReadonlyMap<string, Setting>,
  findings: Finding[],
  facts: string[],
): void {
  const flashSize = flashSizeIn(settings);
  const named = project.build.get("PARTITIONS_FILE") ?? project.build.get("PARTITIONS_FILE_FOR_TARGET");
  const path =
    named?.value ??
    (moddable === undefined
      ? undefined
      : join(moddable, "build", "devices", "esp32", `xsProj-${target}`, "partitions.csv"));
  const autosplit = (project.defines["ota"] as { readonly autosplit?: unknown } | undefined)?.autosplit;
  const text =
    path === undefined ? SDK_TABLE : (texts?.get(path) ?? (isFile(path) ? readFileSync(path, "utf8") : undefined));
  if (text === undefined)
    return void findings.push(
      wrong(
        `PARTITIONS_FILE is ${path!}, which is not there`,
        "mcconfig stops, or builds with another table",
        "name the table by ./ and its path from the manifest",
      ),
    );
  try {
    const partitions = split(partitionsOfCsv(text, FLASH_MAX), Boolean(autosplit));
    findings.push(...tableFindings(partitions, flashSize));
    facts.push(
      `partition table: ${path ?? "the SDK's"}; flash ${flashSize === undefined ? "not known" : `${flashSize >> 20} MB`}`,
    );
  } catch (error) {
    findings.push(
      wrong(`${path ?? "the SDK's table"}: ${(error as Error).message}`, "ESP-IDF does not build it", "mend the line"),
    );
  }
}

/** xsProj-*'s table in SDK 8.2.3. */
const SDK_TABLE = "nvs,data,nvs,0x9000,0x6000\nphy_init,data,phy,0xf000,0x1000\nfactory,app,factory,0x10000,0x3F0000\n";

/** mcconfig divides a factory partition where `defines.ota.autosplit` asks for it (mcmanifest.js). */
function split(partitions: readonly Partition[], wanted: boolean): readonly Partition[] {
  const factory = partitions.find(({ type, subtype }) => type === 0 && subtype === 0);
  if (!wanted || factory === undefined || partitions.some(({ type, subtype }) => type === 0 && subtype >= 0x10))
    return partitions;
  const size = factory.size - 0x2000;
  const half = Math.floor((size >> 1) / 0x10000) * 0x10000;
  return [
    ...partitions.filter((each) => each !== factory),
    { ...factory, label: "ota_0", subtype: 0x10, size: half },
    { ...factory, label: "ota_1", subtype: 0x11, address: factory.address + half, size: size - half },
    { label: "otadata", type: 1, subtype: 0, address: factory.address + size, size: 0x2000 },
  ];
}

/** Compares with what mcconfig itself merges. */
function proof(
  { app, platform, moddable }: AppOptions,
  settings: ReadonlyMap<string, Setting>,
  findings: Finding[],
): string[] {
  if (moddable === undefined) return [];
  try {
    const configured = configure(app, platform, moddable);
    if (configured === undefined) return ["mcconfig is not built in this SDK: by its rules alone"];
    const lines = linesOf(configured.sdkconfig);
    // Those of Bluetooth come from defines.ble, after the files.
    const files = [...settings].filter(([name]) => !name.startsWith("CONFIG_BT"));
    const other = files.filter(([name, { value }]) => lines.has(name) && lines.get(name) !== value);
    if (other.length === 0) return [`mcconfig itself merges the same ${lines.size} settings`];
    const [name, { value }] = other[0]!;
    findings.push(
      wrong(
        `mcconfig makes ${name} ${lines.get(name)}, and not ${value}`,
        "this tool reads the manifests otherwise than the SDK: do not rely on its verdict",
        "report it, with the app's manifests",
      ),
    );
  } catch (error) {
    findings.push(wrong((error as Error).message, "the app does not build", "see what mcconfig says"));
  }
  return [];
}

function linesOf(sdkconfig: string): Map<string, string> {
  const found = [...sdkconfig.matchAll(/^(CONFIG_\w+)=(.*?)\r?$/gm)];
  return new Map(found.map(([, name = "", value = ""]) => [name, value === "" ? "n" : value]));
}

function shortened(findings: readonly Finding[], app: string): Finding[] {
  return findings.map((finding) => ({
    ...finding,
    what: short(finding.what, app),
    consequence: short(finding.consequence, app),
    ...(finding.where === undefined ? {} : { where: short(finding.where, app) }),
  }));
}

/** Paths below the app as the user writes them. */
function short(text: string, app: string): string {
  return text.replaceAll(`${app}/`, "");
}
