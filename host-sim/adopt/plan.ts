/** What adopting an app changes, worked out before anything is written. */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { examineApp } from "../doctor/app";
import { STACK_LEAST, commentsIn } from "../doctor/app-rules";
import { inWords } from "../doctor/finding";
import { smallestSlot, tableFindings } from "../doctor/table-rules";
import { partitionsOfCsv } from "../../hal/model-chip/partitions";
import { isFile, readProject } from "../moddable/project";
import { FOLDER, INCLUDE, baseOf, manifestOf } from "./base";
import type { Base, Network } from "./base";
import { filesOf } from "./files";
import type { Library } from "./files";
import { dataOf, definedData, layoutFor } from "./layout";
import type { ManifestText } from "./manifest-edit";

export interface Wanted {
  /** Absolute. */
  readonly app: string;
  readonly platform: string;
  readonly product: string;
  readonly version: string;
  readonly moddable: string | undefined;
  readonly library: Library;
  /** Bytes; default: what the board's settings say. */
  readonly flashSize?: number;
  readonly network?: Network;
  /** A partitions.csv. */
  readonly table?: string;
  readonly config: Readonly<Record<string, string>>;
  /** A build of the app, to see whether it fits. */
  readonly image?: string;
  /** Write files anew that were changed by hand. */
  readonly replace?: boolean;
}

export interface Change {
  /** Below the app. */
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string;
}

export interface Plan {
  readonly changes: readonly Change[];
  /** Files of ours that were changed by hand, and stay. */
  readonly kept: readonly string[];
  /** One line each, for people. */
  readonly notes: readonly string[];
}

const FLASH_MAX = 128 << 20;
/** Throws one line, with the figures, where the app can not be made updatable. Writes nothing. */
export function planOf(wanted: Wanted): Plan {
  const { app, platform, moddable, library } = wanted;
  const { path, own, bare } = manifestOf(app);
  const options = { platform, moddable, library: library.folder };
  const base = baseOf(app, bare.text, options);
  const flashSize = wanted.flashSize ?? base.flashSize;
  const table = tableFor(wanted, base, flashSize);
  fits(wanted, table);
  const network = wanted.network ?? base.network;
  const made = filesOf(app, base, { flashSize, network, table, config: wanted.config, library });
  const before = own.text;
  setIdentity(own, wanted, base);
  const kept: string[] = [];
  const texts = new Map<string, string>();
  for (const [name, text] of made) {
    const at = join(app, name);
    const present = isFile(at) ? readFileSync(at, "utf8") : undefined;
    const keep = present !== undefined && present !== text && wanted.replace !== true;
    if (keep) kept.push(name);
    texts.set(at, keep ? present : text);
  }
  place(own, { app, path, texts, options });
  texts.set(path, own.text);
  prove(wanted, texts);
  const changes = [...texts].flatMap(([at, after]): Change[] => {
    const present = at === path ? before : isFile(at) ? readFileSync(at, "utf8") : undefined;
    return present === after ? [] : [{ path: at.slice(app.length + 1), before: present, after }];
  });
  return { changes, kept, notes: notesOf(wanted, base, network, flashSize) };
}

/** Only what is missing or different, in the user's own manifest: product and version are raised there. */
function setIdentity(manifest: ManifestText, { product, version }: Wanted, { stack }: Base): void {
  const { defines, creation } = manifest.value;
  const xsota = (defines?.["xsota"] ?? {}) as Readonly<Record<string, unknown>>;
  if (xsota["product"] !== product) manifest.set(["defines", "xsota", "product"], product);
  if (xsota["version"] !== version) manifest.set(["defines", "xsota", "version"], version);
  // The app's own number is read after ours.
  if (typeof creation?.["stack"] === "number" && stack !== undefined && stack < STACK_LEAST)
    manifest.set(["creation", "stack"], 1024);
}

interface Place {
  readonly app: string;
  readonly path: string;
  readonly texts: ReadonlyMap<string, string>;
  readonly options: { readonly platform: string; readonly moddable: string | undefined; readonly library: string };
}

/** As the last include, where what follows in a platform's section does not undo it; else as the last one there. */
function place(manifest: ManifestText, { app, path, texts, options }: Place): void {
  const sections = Object.keys(manifest.value.platforms ?? {});
  const places = [["include"], ...sections.map((name) => ["platforms", name, "include"])];
  const wins = (text: string): boolean => {
    const project = readProject(app, { ...options, texts: new Map([...texts, [path, text]]) });
    return project.build.get("SDKCONFIGPATH")?.from === join(app, FOLDER, "board.json");
  };
  if (wins(manifest.text)) return;
  const before = manifest.text;
  for (const each of places) {
    manifest.text = before;
    for (const other of places) manifest.exclude(other, INCLUDE);
    manifest.include(each, INCLUDE);
    if (wins(manifest.text)) return;
  }
  throw new Error(
    "another manifest of this app sets SDKCONFIGPATH after every place for an include: take that out, or put it before the others",
  );
}

function tableFor({ table, library }: Wanted, base: Base, flashSize: number): string {
  if (table !== undefined) {
    if (!isFile(table)) throw new Error(`${table}: there is no such file`);
    const text = readFileSync(table, "utf8");
    const bad = tableFindings(partitionsOfCsv(text, FLASH_MAX), flashSize).find(({ level }) => level === "wrong");
    if (bad !== undefined) throw new Error(`${table}: ${inWords(bad)}`);
    return text;
  }
  if (base.ownTable !== undefined) return base.ownTable;
  const own = dataOf(base.singleTable ?? []);
  const more = definedData(base.project).filter(({ label }) => !own.some((each) => each.label === label));
  return layoutFor(flashSize, [...own, ...more], library.folder);
}

function fits({ image, app, platform, moddable }: Wanted, table: string): void {
  const built =
    moddable === undefined
      ? undefined
      : join(moddable, "build", "bin", ...platform.split("/"), "release", app.split("/").at(-1)!, "xs_esp32.bin");
  const path = image ?? built;
  if (path === undefined || !isFile(path)) {
    if (image !== undefined) throw new Error(`${image}: there is no such file`);
    return;
  }
  const slot = smallestSlot(partitionsOfCsv(table, FLASH_MAX))!;
  const { size } = statSync(path);
  if (size > slot.size)
    throw new Error(
      `${path} has ${size} bytes, a slot ${slot.size}: the app is ${size - slot.size} bytes too large for half the flash`,
    );
}

/** Nothing is written that doctor would not let pass. */
function prove({ app, platform, moddable, library }: Wanted, texts: ReadonlyMap<string, string>): void {
  const { findings } = examineApp({ app, platform, moddable, library: library.folder, texts });
  // Comments are the user's: told, and left alone.
  const bad = findings.find(({ level, what }) => level === "wrong" && !what.endsWith(commentsIn("")));
  if (bad !== undefined) throw new Error(`this app can not be made updatable by adopt alone: ${inWords(bad)}`);
}

function notesOf(
  { moddable, platform, config }: Wanted,
  { network: found, project }: Base,
  network: Network,
  flashSize: number,
): string[] {
  return [
    moddable === undefined
      ? "by mcconfig's documented rules: MODDABLE is not set, so the SDK's own manifests were not read"
      : `by the manifests of the app and of ${moddable}`,
    `${platform}, flash of ${flashSize >> 20} MB, network ${network}`,
    ...project.commented.map(
      (path) => `${path} has comments: they are kept, but mcconfig reads plain JSON and stops there`,
    ),
    ...(found === "none" && network === "none"
      ? [
          "the app brings the network up itself; where that is the SDK's setup/network, it joins once at the start: --network wifi joins for ever, and starts the app at once",
        ]
      : []),
    "the first flash is by cable: bootloader and partition table come with it (docs/guide/3-factory.md)",
    ...(config["platform"] === undefined
      ? ['settings are needed: xs-ota provision, or mcconfig ... platform=... (docs/SETTINGS.md, "On a chip")']
      : []),
    ...(network === "wifi" ? ["ssid and password are settings too; the SDK's setup/network is taken out"] : []),
  ];
}

/** Our files first: until the manifest names them they do nothing. `write` replaces a file by a rename. */
export function carryOut(app: string, { changes }: Plan, write: (path: string, bytes: Uint8Array) => void): void {
  for (const { path, after } of [...changes].sort(
    (a, b) => Number(a.path === "manifest.json") - Number(b.path === "manifest.json"),
  )) {
    const at = join(app, path);
    mkdirSync(dirname(at), { recursive: true });
    write(at, Buffer.from(after));
  }
}
