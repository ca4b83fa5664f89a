/**
 * The tables of platform settings in docs/PLATFORMS.md, made from the settings that each platform's folder describes.
 */
import { readFileSync } from "node:fs";
import { PLATFORMS } from "../../src/platforms/index";
import type { AnyPlatform, Setting } from "../../src/platforms/platform";

/** Where a platform of the list has its settings. */
const sourceOf = (name: string): string =>
  readFileSync(new URL(`../../src/platforms/${name}/dialect.ts`, import.meta.url), "utf8");

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

/** The table of each platform of the list, by its name. */
export const platformTables: readonly { readonly name: string; render(): string }[] = PLATFORMS.map((platform) => ({
  name: platform.name,
  render: () => settingsTable(platform, sourceOf(platform.name)),
}));
