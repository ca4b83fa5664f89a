/** What an app says about its build, and mcconfig does not hear. */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Project } from "../moddable/project";
import { filesFor } from "../moddable/sdkconfig";
import { wrong } from "./finding";
import type { Finding } from "./finding";
import { RULES } from "./settings-rules";

const VARIABLES = ["SDKCONFIGPATH", "PARTITIONS_FILE"] as const;
const LAST = "put it into a manifest of its own (board.json), as the last include of the app's manifest";

interface Places {
  readonly app: string;
  readonly library: string;
  /** Texts in place of files. */
  readonly texts?: ReadonlyMap<string, string>;
}

function isThere(path: string, { texts = new Map() }: Places): boolean {
  return existsSync(path) || [...texts.keys()].some((each) => each === path || each.startsWith(`${path}/`));
}

/** What an include says after the app itself wins, without a message. */
export function lostFindings(project: Project, places: Places): Finding[] {
  const found: Finding[] = [];
  for (const name of VARIABLES) {
    const variable = project.build.get(name);
    if (variable === undefined) continue;
    const own = variable.lost.findLast(({ from, value }) => isApps(from, places) && value !== variable.value);
    if (own !== undefined && !isApps(variable.from, places))
      found.push(
        wrong(
          `${name} of ${basename(own.from)} is lost: ${variable.from} is read later`,
          `the build uses ${variable.value}, not ${own.value}`,
          LAST,
        ),
      );
    found.push(...pathFindings(name, variable.value, variable.from, places));
  }
  const folder = project.build.get("SDKCONFIGPATH")?.value;
  if (folder !== undefined && existsSync(folder)) found.push(...folderFindings(project, folder));
  return found;
}

/** A manifest of the app itself: below its folder, and not of the library, which may lie there too. */
function isApps(path: string, { app, library }: Places): boolean {
  if (!path.startsWith(`${app}/`)) return false;
  const real = existsSync(path) ? realpathSync(path) : path;
  return !["src", "hal", "firmware"].some((folder) => real.startsWith(join(library, folder, "/")));
}

function pathFindings(name: string, value: string, from: string, places: Places): Finding[] {
  if (value.startsWith("../") || (!value.startsWith("/") && !/^[A-Za-z]:/.test(value)))
    return [
      wrong(
        `${name} is ${value} in ${basename(from)}`,
        "mcconfig makes only a path that begins with ./ one from the manifest's folder; this one is from wherever it is started",
        `begin it with ./, in a manifest above the folder`,
      ),
    ];
  if (!isThere(value, places))
    return name === "SDKCONFIGPATH"
      ? [
          wrong(
            `SDKCONFIGPATH is ${value}, which is not there (${basename(from)})`,
            "mcconfig builds with the SDK's settings and says nothing: no rollback, no watchdog",
            "mend the path",
          ),
        ]
      : [];
  return [];
}

/** Files in the folder that mcconfig does not read. */
function folderFindings(project: Project, folder: string): Finding[] {
  const read = filesFor("instrument");
  const names = readdirSync(folder);
  const found = names
    .filter((name) => name.startsWith("sdkconfig") && !read.includes(name))
    .map((name) =>
      wrong(
        `${join(basename(folder), name)} is not read`,
        `mcconfig reads ${read.join(", ")} and nothing else`,
        "rename it, or move its lines",
      ),
    );
  if (!names.some((name) => read.includes(name)))
    found.push(
      wrong(
        `${folder} has no sdkconfig.defaults`,
        "mcconfig builds with the SDK's settings",
        "add the overlay of the chip",
      ),
    );
  const table = project.build.get("PARTITIONS_FILE")?.value;
  if (names.includes("partitions.csv") && (table === undefined || dirname(table) !== folder) && isOwn(project, folder))
    found.push(
      wrong(
        `${join(basename(folder), "partitions.csv")} is not looked for`,
        `the build uses ${table ?? "the SDK's table"}`,
        "PARTITIONS_FILE in the same build names it",
      ),
    );
  return found;
}

/** The SDK's boards have tables beside their settings, which PARTITIONS_FILE_FOR_TARGET names. */
function isOwn(project: Project, folder: string): boolean {
  const target = project.build.get("PARTITIONS_FILE_FOR_TARGET")?.value;
  return target === undefined || dirname(target) !== folder;
}

/** "# CONFIG_X is not set", where updates depend on X. */
export function passedOverFindings(lines: readonly { readonly name: string; readonly from: string }[]): Finding[] {
  const seen = new Set<string>();
  return lines.flatMap(({ name, from }) => {
    const key = `${name} ${from}`;
    if (seen.has(key) || !RULES.some((rule) => rule.name === name)) return [];
    seen.add(key);
    return [
      wrong(
        `"# ${name} is not set" in ${from}`,
        "mcconfig passes over lines that begin with #: it does nothing",
        `write ${name}=n`,
      ),
    ];
  });
}
