/** The module that adopt gives to an app: the agent starts, and the app after it, whatever the settings are. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { filesOf } from "../../host-sim/adopt/files";
import { baseOf, manifestOf } from "../../host-sim/adopt/base";
import { ROOT, write } from "../doctor/apps";
import { temporaryFolder } from "../kit/folder";

interface Played {
  readonly agents: Readonly<Record<string, unknown>>[];
  readonly log: string[];
  /** Settings of the device. */
  readonly settings: Readonly<Record<string, string>>;
  readonly unconfirmed: boolean;
  start?: (device: object) => unknown;
}

/** The modules that it imports, played. */
const STAND_INS: Readonly<Record<string, string>> = {
  "mc/config": 'export default { mqttHost: "built.in" };',
  "xs-ota":
    "export default class { constructor(options) { globalThis.played.agents.push(options); } }\nexport const isUnconfirmed = () => globalThis.played.unconfirmed;",
  "xs-ota/moddable":
    "export const powerOn = (main, { trust }) => { globalThis.played.program = main({ ports: { boot: { running() {} } }, setting: (key) => globalThis.played.settings[key] }); void trust; };",
  "firmware/roots": "export const rootsOf = () => ({ roots: [] });",
  "firmware/settings":
    'export const readSettings = (lookup) => { if (lookup("platform") === undefined) throw new Error("platform: is missing"); return { name: "line-1", platform: lookup("platform"), broker: lookup("mqttHost") }; };',
};

async function play(t: TestContext, played: Played): Promise<boolean> {
  const folder = temporaryFolder(t);
  write(join(folder, "manifest.json"), { include: [], modules: {} });
  const { bare } = manifestOf(folder);
  const base = baseOf(folder, bare.text, { platform: "esp32", moddable: undefined, library: ROOT });
  const choices = { flashSize: 4 << 20, network: "wifi", table: "", config: {}, library: { folder: ROOT } } as const;
  writeFileSync(join(folder, "setup.js"), filesOf(folder, base, choices).get("ota/setup.js")!);
  const { outputFiles } = await build({
    entryPoints: [join(folder, "setup.js")],
    bundle: true,
    write: false,
    format: "esm",
    plugins: [
      {
        name: "stand-ins",
        setup(builder) {
          builder.onResolve({ filter: /^[a-z]/ }, ({ path }) =>
            path in STAND_INS ? { path, namespace: "played" } : null,
          );
          builder.onLoad({ filter: /./, namespace: "played" }, ({ path }) => ({ contents: STAND_INS[path]! }));
        },
      },
    ],
  });
  const bundle = join(folder, "bundle.mjs");
  writeFileSync(bundle, outputFiles[0]!.contents);
  Object.assign(globalThis, { played, trace: (line: string) => played.log.push(line) });
  const { default: setup } = (await import(pathToFileURL(bundle).href)) as { default: (done: () => void) => void };
  let done = false;
  setup(() => (done = true));
  return done;
}

test("the agent gets the device's settings before those that are built in; then the app starts", async (t) => {
  const played: Played = { agents: [], log: [], settings: { platform: "tencent" }, unconfirmed: false };
  assert.equal(await play(t, played), true);
  const [{ onNotice, ports, ...options }] = played.agents as [Record<string, unknown>];
  assert.deepEqual(options, { platform: "tencent", broker: "built.in" });
  assert.ok(ports !== undefined);
  (onNotice as (notice: object) => void)({ event: "idle" });
  assert.deepEqual(played.log, ['{"event":"idle"}\n']);
});

test("without settings the app starts all the same, with one line; on trial such firmware is rolled back", async (t) => {
  const played: Played = { agents: [], log: [], settings: {}, unconfirmed: false };
  assert.equal(await play(t, played), true);
  assert.deepEqual([played.agents, played.log], [[], ["xs-ota: setting platform: is missing\n"]]);
  await assert.rejects(play(t, { ...played, unconfirmed: true }), /platform: is missing/);
});
