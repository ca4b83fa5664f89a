/** The command starts from its bundle as long as that is made of today's sources. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { bundledCommand } from "../../host-sim/bin/bundle.mjs";

/** Seconds since 1970 at which the bundle was made. */
const MADE = 1_700_000_000;

/** A project with a bundle of two sources. */
function project(t: TestContext): { readonly root: string; touch(file: string, seconds: number): void } {
  const root = mkdtempSync(join(tmpdir(), "xs-ota-bundle-"));
  t.after(() => rmSync(root, { recursive: true }));
  const touch = (file: string, seconds: number): void => utimesSync(join(root, file), seconds, seconds);
  mkdirSync(join(root, "build/command"), { recursive: true });
  writeFileSync(join(root, "build/command/sources.json"), JSON.stringify(["a.ts", "b.ts"]));
  for (const file of ["a.ts", "b.ts"]) {
    writeFileSync(join(root, file), "");
    touch(file, MADE - 10);
  }
  touch("build/command/sources.json", MADE);
  return { root, touch };
}

test("a bundle that is newer than its sources is what starts", (t) => {
  const { root } = project(t);
  assert.equal(bundledCommand(root), pathToFileURL(join(root, "build/command/host-sim/cli/main.mjs")).href);
});

test("a source that was changed since: the sources are what starts", (t) => {
  const { root, touch } = project(t);
  touch("b.ts", MADE + 1);
  assert.equal(bundledCommand(root), undefined);
});

test("a source that is gone, a bundle that was cut short, no bundle: the sources are what starts", (t) => {
  const { root } = project(t);
  rmSync(join(root, "b.ts"));
  assert.equal(bundledCommand(root), undefined);
  writeFileSync(join(root, "build/command/sources.json"), "[");
  assert.equal(bundledCommand(root), undefined);
  rmSync(join(root, "build"), { recursive: true });
  assert.equal(bundledCommand(root), undefined);
});
