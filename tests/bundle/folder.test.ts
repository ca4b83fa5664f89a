/** `xs-ota bundle`: the folder that it writes stands in for the library's manifests. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as externalMqtt from "../../hal/moddable/external-mqtt";
import { writeBundle } from "../../host-sim/bundle/write-bundle";
import * as agent from "../../src/index";
import * as staticFiles from "../../src/platforms/static/dialect";
import * as tencent from "../../src/platforms/tencent/dialect";
import { modulesOf } from "../esp32/manifest-tree";
import { temporaryFolder } from "../kit/folder";
import { xsOtaError } from "../kit/xs-ota";

const CHOICE = { platforms: ["static", "tencent"], without: ["recorder", "tls"], network: "wifi", minify: false };
/** What apps import, and what the sources export under that name. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "xs-ota": Object.keys(agent),
  "xs-ota/external-mqtt": Object.keys(externalMqtt),
  // Of the chip and of the simulator, neither of which Node has.
  "xs-ota/moddable": ["powerOn"],
  "xs-ota/static": Object.keys(staticFiles),
  "xs-ota/tencent": Object.keys(tencent),
};

/** What a module for an app exports. */
const exportsOf = (text: string): string[] =>
  /export \{ ([^}]*) \}/
    .exec(text)![1]!
    .split(", ")
    .map((each) => each.split(" as ").at(-1)!)
    .sort();

/** Texts by path. */
const filesBelow = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => statSync(join(folder, name)).isFile())
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );

test("the same names with the same exports and declarations; the same bytes again", async (t) => {
  const folder = join(temporaryFolder(t), "xs-ota");
  await writeBundle(folder, CHOICE);
  for (const platform of ["esp32", "lin"]) {
    const modules = modulesOf(join(folder, "manifest.json"), platform);
    const names = [...modules.keys()].filter((name) => name.startsWith("xs-ota") && name !== "xs-ota/bundle");
    assert.deepEqual(names.sort(), Object.keys(NAMES), platform);
    for (const [name, exports] of Object.entries(NAMES)) {
      const [script, declaration] = [".js", ".d.ts"].map((end) =>
        modules.get(name)!.find((file) => file.endsWith(end))!,
      );
      assert.deepEqual(exportsOf(readFileSync(script!, "utf8")), [...exports].sort(), `${platform}: ${name}`);
      const from = /from "(.*)"/.exec(readFileSync(declaration!, "utf8"))![1]!;
      assert.ok(existsSync(join(folder, platform === "esp32" ? platform : "simulator", `${from}.d.ts`)), from);
    }
    const natives = [...modules].filter(([, files]) => files.some((file) => file.endsWith(".c")));
    assert.ok(natives.length >= 3, `${platform}: ${natives.length} C sources`);
  }
  const bundle = readFileSync(join(folder, "esp32", "bundle.js"), "utf8");
  assert.match(
    bundle,
    /^\/\/ xs-ota [\d.]+, .*platforms static, tencent; without recorder, tls; network wifi; not minified\n/,
  );
  assert.match(bundle, /mqtt-packet [\d.]+ \(MIT\)/);
  assert.match(bundle, /this firmware was built without TLS/);
  const first = filesBelow(folder);
  for (const [name, text] of first) assert.ok(!text.includes(process.cwd()), `${name} names a folder of this machine`);
  await writeBundle(folder, CHOICE);
  assert.deepEqual([...filesBelow(folder)], [...first]);
});

test("a folder that holds something else is left alone; a wrong name is told with those that there are", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "main.js"), "");
  await assert.rejects(writeBundle(folder, CHOICE), /holds other files/);
  assert.deepEqual(readdirSync(folder), ["main.js"]);
  for (const [flags, told] of [
    [["--platforms", "tencent,azure"], /of hawkbit, static, tencent, thingsboard, thingspanel; not "azure"/],
    [["--without", "wifi"], /of containers, external-mqtt, modules, recorder, signatures, tls; not "wifi"/],
    [["--network", "lora"], /Allowed choices are wifi, ethernet, none, own/],
  ] as const) {
    const { code, stderr } = await xsOtaError("bundle", "--out", join(folder, "new"), ...flags);
    assert.equal(code, 1);
    assert.match(stderr, told);
  }
});
