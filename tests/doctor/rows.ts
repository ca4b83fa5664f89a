/** Apps that are made wrong on purpose, and what doctor has to say of each. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { temporaryFolder } from "../kit/folder";
import { addBoard, documented, lines, newApp, standInSdk } from "./apps";
import type { Manifest } from "./apps";

export interface Scene {
  readonly app: string;
  readonly sdk: string;
}

/** `change`: of the manifest. `then`: of the app's folder. */
export function scene(t: TestContext, change: (manifest: Manifest) => void = () => undefined): Scene {
  const folder = temporaryFolder(t);
  const manifest = documented();
  change(manifest);
  return { app: newApp(folder, manifest), sdk: standInSdk(join(folder, "sdk")) };
}

export function forBoard(manifest: Manifest): void {
  manifest.include[3] = "./board.json";
}

export type Row = readonly [
  what: string,
  platform: string,
  make: (t: TestContext) => Scene,
  message: RegExp,
  wrongs?: number,
];
export const plain = (change: (manifest: Manifest) => void) => (t: TestContext) => scene(t, change);
/** A board whose settings or table are made wrong. */
export const board = (make: (app: string) => void, change?: (manifest: Manifest) => void) => (t: TestContext) => {
  const made = scene(t, (manifest) => {
    forBoard(manifest);
    change?.(manifest);
  });
  addBoard(made.app, "esp32s3", 8);
  make(made.app);
  return made;
};
export const setting = (line: string) => board((app) => addBoard(app, "esp32s3", 8, `${line}\n`));
export const table = (csv: string) => board((app) => writeFileSync(join(app, "table.csv"), csv));
export const HEAD = "nvs,data,nvs,0x9000,0x4000\notadata,data,ota,0xd000,0x2000\n";
export const SLOTS = "ota_0,app,ota_0,0x10000,0x3F0000\nota_1,app,ota_1,0x400000,0x3F0000\n";

export function namesEach(rows: readonly Row[]): void {
  for (const [what, platform, make, message, wrongs = 1] of rows) {
    test(`doctor names it: ${what}`, (t) => {
      const { app, sdk } = make(t);
      const found = lines(app, platform, sdk);
      assert.ok(
        found.some((line) => message.test(line)),
        `${what}:\n${found.join("\n")}`,
      );
      const told = found.filter((line) => line.startsWith("wrong: "));
      assert.equal(told.length, wrongs, `${what}:\n${told.join("\n")}`);
      for (const line of found) assert.match(line, /^(wrong|note): [^\n]+: [^\n]+\. Fix: [^\n]+$/);
    });
  }
}
