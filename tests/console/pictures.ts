import assert from "node:assert/strict";
import type { Page } from "playwright-core";

/**
 * Pictures of a page in light, dark and at the width of a phone: FOLDER/NAME-KIND.png. Fails where something is wider
 * than the window.
 */
export async function takePictures(page: Page, folder: string, name: string): Promise<void> {
  for (const [kind, colorScheme, width] of [
    ["light", "light", 1280],
    ["dark", "dark", 1280],
    ["phone", "light", 390],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 860 });
    // After two frames everything that reacts to the size has done so.
    await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))");
    await page.screenshot({ path: `${folder}${name}-${kind}.png`, fullPage: true });
    const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
    assert.ok(wide <= width, `${name} at ${width}: ${wide} wide`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 860 });
}
