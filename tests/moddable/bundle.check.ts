/**
 * The minified bundle of the library, whole: what its private members are renamed to is looked at by the TypeScript
 * compiler, and the agent in it goes through updates with power cuts. Here and not in `npm test`, for the seconds.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { bundleModules } from "../../host-sim/bundle/javascript";
import { readLibrary } from "../../host-sim/bundle/library-manifests";
import { withShortNames } from "../../host-sim/bundle/short-names";
import type * as Library from "../../src/index";
import type * as Tencent from "../../src/platforms/tencent/dialect";
import { SCENARIOS } from "../editions/scenarios";
import { searchScenario } from "../editions/search-editions";
import { AgentDevice } from "../powercut/simulation/agent-device";
import { POLICY } from "../powercut/simulation/job-device";
import { TENCENT_DEVICE } from "../powercut/simulation/platforms";
import { ROOT } from "./harness";

const folder = mkdtempSync(join(tmpdir(), "xs-ota-bundle-"));
after(() => rmSync(folder, { recursive: true }));

test("the sources with short names are as well typed as without", () => {
  const files = ["src", "hal"].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|js|json)$/.test(name))
      .map((name) => join(top, name)),
  );
  const texts = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));
  const sources = new Map([...texts].filter(([file]) => /(?<!\.d)\.ts$/.test(file)));
  const renamed = withShortNames(sources);
  assert.ok(
    [...renamed].filter(([file, text]) => text !== sources.get(file)).length > 40,
    "files with private members",
  );
  for (const [file, text] of texts) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), renamed.get(file) ?? text);
  }
  for (const name of ["tsconfig.json", "node_modules"]) symlinkSync(join(ROOT, name), join(folder, name));
  const project = join(folder, "both.json");
  writeFileSync(project, JSON.stringify({ extends: "./hal/tsconfig.json", include: ["src/**/*.ts", "hal/**/*.ts"] }));
  const { status, stdout } = spawnSync(join(ROOT, "node_modules", ".bin", "tsc"), ["-p", project], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout);
});

test("the agent of the bundle goes through updates with power cuts", async () => {
  const manifest = join(ROOT, "src", "platforms", "tencent", "manifest.json");
  const names = ["xs-ota", "xs-ota/tencent"] as const;
  const { code, names: exported } = await bundleModules({
    modules: readLibrary([manifest], "esp32").scripts,
    names,
    minify: true,
  });
  const path = join(folder, "bundle.mjs");
  writeFileSync(path, code);
  const bundle = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  const OtaAgent = bundle[exported.get("xs-ota")!.get("OtaAgent")!] as typeof Library.OtaAgent;
  const Platform = bundle[exported.get("xs-ota/tencent")!.get("TencentPlatform")!] as typeof Tencent.TencentPlatform;
  for (const scenario of SCENARIOS) {
    const { violations, cuts } = searchScenario(
      scenario,
      (surroundings) =>
        new AgentDevice(surroundings, undefined, (options) => {
          const platform = new Platform(TENCENT_DEVICE, new NodeCrypto(() => 0.5));
          return new OtaAgent({ ...options, policy: { ...POLICY, allowDowngrade: true }, platform });
        }),
      { densities: [{ positions: 1, small: 2, subsets: 1, unstable: 1 }], part: { index: 0, of: 9 } },
    );
    assert.deepEqual(violations, []);
    assert.ok(cuts >= 30, `${cuts} cuts`);
  }
});
