/**
 * An app includes the library by git, as docs/guide/2-own-app.md and docs/ESP32.md show. The SDK clones the last commit of
 * this repository: no file that git does not hold, and no package of npm, is in that clone.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { buildForChip } from "./chip-build";
import { ROOT, build, warnings } from "./harness";
import { wholeUpdate } from "./whole-update";

/** No tag of this repository. */
const TAG = "git-include-check";

// Outside the repository: the app finds no file of it by a path.
const folder = mkdtempSync(join(tmpdir(), "xs-ota-git-include-"));
after(() => rmSync(folder, { recursive: true }));
const [bare, app, out] = [join(folder, "xs-ota.git"), join(folder, "thermostat"), join(folder, "out")] as const;

function git(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("git", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
}

git("clone", "--quiet", "--bare", ROOT, bare);
git("-C", bare, "tag", TAG, "HEAD");
mkdirSync(app);
for (const name of ["main.ts", "pump.ts"]) cpSync(join(ROOT, "examples", "minimal", name), join(app, name));

/** The include by git that a document shows, with the clone's URL and tag in place of those that it names. */
function included(document: string): object {
  const text = readFileSync(join(ROOT, "docs", document), "utf8");
  const shown = /^ *(\{\s*"git":[^]*?"manifest":\s*(?:"[^"]*"|\{[^{}]*\})\s*\})/m.exec(text)?.[1];
  assert.ok(shown !== undefined, `docs/${document} shows no include by git`);
  return { ...(JSON.parse(shown) as object), git: pathToFileURL(bare).href, tag: TAG };
}

function writeManifest(document: string): void {
  const manifest = {
    include: ["$(MODDABLE)/examples/manifest_base.json", included(document)],
    creation: { stack: 1024 },
    defines: { xsota: { product: "thermostat", version: "1.4.0" }, xs: { abortHook: 1 } },
    modules: { "*": ["./main", "./pump"] },
  };
  writeFileSync(join(app, "manifest.json"), JSON.stringify(manifest));
}

/** What the SDK has cloned. */
function clone(): string {
  const found = readdirSync(out, { recursive: true, encoding: "utf8" }).find((name) => basename(name) === TAG);
  if (found === undefined) throw new Error(`no clone in ${out}`);
  return join(out, found);
}

test("the simulator: the app builds from the tag alone, and updates itself", async () => {
  writeManifest("guide/2-own-app.md");
  const { path, output } = build(app, out);
  assert.deepEqual(warnings(output), []);
  assert.ok(existsSync(join(clone(), "src", "vendor", "mqtt-packet.js")));
  assert.ok(!existsSync(join(clone(), "node_modules")));
  await wholeUpdate(path, "thermostat");
});

for (const platform of ["esp32", "esp32/esp32c3"] as const) {
  test(`${platform}: every module of the app becomes byte-code, is preloaded and linked`, () => {
    writeManifest("ESP32.md");
    const { linked, output, partitions } = buildForChip(app, platform, out);
    assert.deepEqual(warnings(output), []);
    const text = readFileSync(linked, "utf8");
    for (const module of ["xs-ota", "xs-ota/hal/esp32/ota", "xs-ota/src/vendor/mqtt-packet"])
      assert.ok(text.includes(`"${module}"`), module);
    const table = readFileSync(join(ROOT, "hal", "esp32", "partitions-4mb.csv"), "utf8");
    assert.equal(readFileSync(partitions, "utf8"), table);
    assert.ok(!existsSync(join(clone(), "node_modules")));
  });
}
