/**
 * Examples of the SDK, adopted for chips and boards: what doctor says before and after, and that its reading of
 * manifests and sdkconfig files is mcconfig's own. One of them down to its linked byte-code.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { carryOut, planOf } from "../../host-sim/adopt/plan";
import { writeWhole } from "../../host-sim/cli/whole-file";
import { examineApp } from "../../host-sim/doctor/app";
import { inWords } from "../../host-sim/doctor/finding";
import { buildForChip } from "./chip-build";
import type { ChipPlatform } from "./chip-build";
import { BUILD, ROOT, moddable } from "./harness";

const APPS: readonly (readonly [string, ChipPlatform])[] = [
  ["examples/helloworld", "esp32"],
  ["examples/base/timers", "esp32/esp32s3"],
  ["examples/files/preference", "esp32/esp32c6"],
  ["examples/network/http/httpget", "esp32/esp32c3"],
  ["examples/network/http/httpserver", "esp32/m5stack_core2"],
  ["examples/network/mqtt/mqttbasic", "esp32/nodemcu"],
  ["examples/network/mqtt/mqttsecure", "esp32/m5stack_cores3"],
  ["examples/piu/balls", "esp32/moddable_six"],
  ["examples/piu/qrcode", "esp32/lolin_c3mini"],
  ["contributed/modClock", "esp32"],
];

function copied(path: string): string {
  const app = join(BUILD, "adopted", basename(path));
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  cpSync(join(moddable(), path), app, { recursive: true });
  return app;
}

function adopt(app: string, platform: ChipPlatform): void {
  const wanted = { app, platform, product: basename(app), version: "1.0.0", moddable: moddable(), config: {} };
  carryOut(app, planOf({ ...wanted, library: { folder: ROOT } }), writeWhole);
}

for (const [path, platform] of APPS) {
  test(`${path} on ${platform}: wrong before, adopted, safe after; mcconfig merges what doctor reads`, () => {
    const app = copied(path);
    const examine = (): ReturnType<typeof examineApp> =>
      examineApp({ app, platform, moddable: moddable(), library: ROOT });
    assert.ok(examine().findings.some(({ level }) => level === "wrong"));
    adopt(app, platform);
    const { facts, findings } = examine();
    assert.deepEqual(findings.filter(({ level }) => level === "wrong").map(inWords), []);
    assert.match(facts.join("\n"), /^mcconfig itself merges the same [0-9]+ settings$/m);
  });
}

test("an adopted app compiles and links, with the agent in front of it", () => {
  const app = copied("examples/network/mqtt/mqttbasic");
  adopt(app, "esp32/nodemcu");
  const { linked } = buildForChip(app, "esp32/nodemcu", join(BUILD, "adopted-build"));
  const modules = readFileSync(linked, "utf8");
  for (const name of ["setup/ota", "firmware/settings", "xs-ota/hal/esp32/ota", "main"])
    assert.ok(modules.includes(`"${name}"`), name);
});
