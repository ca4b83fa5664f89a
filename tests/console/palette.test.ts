/** The console's colours: stated once, for both themes, and legible in both. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const STYLES = fileURLToPath(new URL("../../host-sim/cloud/console/web/styles/", import.meta.url));
const PALETTE = "palette.css";
type Theme = "light" | "dark";

/** Roles with their colours, six hexadecimal digits. */
function palette(): Map<string, Record<Theme, string>> {
  const colours = new Map<string, Record<Theme, string>>();
  const css = readFileSync(STYLES + PALETTE, "utf8");
  for (const [, role, value] of css.matchAll(/--([\w-]+): ([^;]+);/g)) {
    assert.ok(!colours.has(role!), `${role} is stated twice`);
    const [light = "", dark = light] = value!.match(/#[0-9a-f]{6}/g) ?? [];
    colours.set(role!, { light, dark });
  }
  return colours;
}

/** Relative luminance and contrast ratio as in WCAG 2.2. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}

test("colours are stated in the palette alone, and each one once", () => {
  palette();
  for (const file of readdirSync(STYLES)) {
    if (file === PALETTE) continue;
    const css = readFileSync(STYLES + file, "utf8").replace(/^[^{}]*\{/gm, "{");
    assert.doesNotMatch(css, /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(|prefers-color-scheme|data-theme/i, file);
  }
});

test("text has a contrast of 4.5 to 1 in both themes, edges of fields and bars have 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11)", () => {
  const colours = palette();
  const grounds = ["paper", "ground", "raised"];
  const pairs: readonly (readonly [string, readonly string[], number])[] = [
    ["ink", [...grounds, "plain-wash", "accent-wash"], 4.5],
    ["soft", [...grounds, "plain-wash"], 4.5],
    ["accent", [...grounds, "accent-wash"], 4.5],
    ["accent-ink", ["accent"], 4.5],
    ["good", [...grounds, "good-wash"], 4.5],
    ["bad", [...grounds, "bad-wash"], 4.5],
    ["busy", [...grounds, "busy-wash"], 4.5],
    ["edge", grounds, 3],
    ["logo-ink", ["logo"], 4.5],
  ];
  for (const theme of ["light", "dark"] as const)
    for (const [front, backs, least] of pairs)
      for (const back of backs) {
        const ratio = contrast(colours.get(front)![theme], colours.get(back)![theme]);
        assert.ok(ratio >= least, `${front} on ${back}, ${theme}: ${ratio.toFixed(2)}`);
      }
});
