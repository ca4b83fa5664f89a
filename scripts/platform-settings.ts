/**
 * The tables of platform settings in docs/PLATFORMS.md, made from the settings that each platform's folder describes.
 *
 *     node --import tsx scripts/platform-settings.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PLATFORMS } from "../src/platforms/index";
import type { AnyPlatform, Setting } from "../src/platforms/platform";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const DOCUMENT = join(ROOT, "docs", "PLATFORMS.md");

/** Where a platform of the list has its settings. */
const sourceOf = (name: string): string => readFileSync(join(ROOT, "src", "platforms", name, "dialect.ts"), "utf8");

/** The comment above each entry of a table of settings, by the entry's name. */
function meanings(source: string): Map<string, string> {
  const entries = [...source.matchAll(/\/\*\* ((?:(?!\*\/)[^])*) \*\/\s*\{\s*name: "(\w+)"/g)];
  return new Map(entries.map(([, comment = "", name = ""]) => [name, comment.replace(/\s*\n\s*\* ?/g, " ")]));
}

function needed({ required = false, when, oneOf }: Setting): string {
  if (when !== undefined) return `with \`${when}\``;
  if (!required) return "no";
  return oneOf === undefined ? "yes" : `yes; on a chip default \`${oneOf[0]}\``;
}

/**
 * The table of one platform, in Markdown. `source`: the text of the module that describes its settings. Throws where a
 * setting has no comment.
 */
export function settingsTable(platform: AnyPlatform, source: string): string {
  const texts = meanings(source);
  const rows = platform.settings().map((setting) => {
    const { name, json = name, nvs = name, oneOf } = setting;
    const meaning = texts.get(name);
    if (meaning === undefined) throw new Error(`${platform.name}: setting ${name} has no comment above it`);
    const values = oneOf === undefined ? "" : `${oneOf.map((value) => `\`${value}\``).join(", ")}. `;
    return `| \`${json}\` | \`${nvs}\` | ${needed(setting)} | ${values}${meaning} |`;
  });
  return ["| device.json | on a chip | needed | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

/** docs/PLATFORMS.md with the tables as they have to be. */
export function withTables(document: string): string {
  return PLATFORMS.reduce((text, platform) => {
    const [begin, end] = [`<!-- settings of ${platform.name}: generated -->`, `<!-- end of ${platform.name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/PLATFORMS.md has no marks for ${platform.name}`);
    const table = settingsTable(platform, sourceOf(platform.name));
    return `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`;
  }, document);
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  writeFileSync(DOCUMENT, withTables(readFileSync(DOCUMENT, "utf8")));
