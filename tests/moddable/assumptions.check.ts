/**
 * What this project takes for granted about the code around it, read in that code: a later SDK that does otherwise fails
 * here, by the sentence that it breaks. Moddable's sources are there in every run. ESP-IDF's are read where IDF_PATH
 * names them, and nothing is said to be checked where it does not.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Assumption } from "./assumption";
import { configureForChip, settingsOf } from "./chip-build";
import { BUILD, ROOT, moddable } from "./harness";
import { IDF_ASSUMPTIONS } from "./idf-assumptions";
import { MODDABLE_ASSUMPTIONS } from "./moddable-assumptions";

function checkEach(name: string, root: string, assumptions: readonly Assumption[]): void {
  for (const { sentence, reliedOnBy, file, holds, breaking } of assumptions) {
    test(`${name}: ${sentence}`, () => {
      assert.ok(existsSync(join(ROOT, reliedOnBy)), reliedOnBy);
      const source = readFileSync(join(root, file), "utf8");
      assert.ok(holds(source), `${file} is not so any more: "${sentence}". ${reliedOnBy} goes by it`);
      const changed = source.replace(...breaking);
      assert.notEqual(changed, source, "the change that would break it finds its place");
      assert.ok(!holds(changed), "the check looks at the place that decides");
    });
  }
}

checkEach("Moddable SDK", moddable(), MODDABLE_ASSUMPTIONS);

const idf = process.env["IDF_PATH"];
if (idf !== undefined && existsSync(join(idf, "components"))) checkEach("ESP-IDF", idf, IDF_ASSUMPTIONS);
else
  console.log(
    `NOT CHECKED: ${IDF_ASSUMPTIONS.length} assumptions about ESP-IDF, because ${idf === undefined ? "IDF_PATH is not set" : `${idf} holds no ESP-IDF`}`,
  );

/** An app with a table of its own in its manifest, beside an include of `inner`, and one that names it last. */
function tables(app: string, manifest: object): Map<string, string> {
  const folder = join(BUILD, app);
  mkdirSync(join(folder, "own"), { recursive: true });
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write("main.js", "");
  write("inner.json", JSON.stringify({ build: { SDKCONFIGPATH: "./inner" } }));
  write("last.json", JSON.stringify({ build: { SDKCONFIGPATH: "./own" } }));
  mkdirSync(join(folder, "inner"), { recursive: true });
  write("inner/sdkconfig.defaults", "CONFIG_LWIP_MAX_SOCKETS=11\n");
  write(
    "own/sdkconfig.defaults",
    "# CONFIG_LWIP_IPV6 is not set\nCONFIG_LWIP_MAX_SOCKETS=12\nCONFIG_LWIP_SO_RCVBUF=n\n",
  );
  write("manifest.json", JSON.stringify({ modules: { "*": "./main" }, ...manifest }));
  return settingsOf(configureForChip(folder, "esp32/esp32c3", join(BUILD, "assumptions")).sdkconfig);
}

const BASE = "$(MODDABLE)/examples/manifest_base.json";

test("mcconfig, run: what is included overrides the build of the manifest that includes it", () => {
  const settings = tables("assumed-inner", { include: [BASE, "./inner.json"], build: { SDKCONFIGPATH: "./own" } });
  assert.equal(settings.get("CONFIG_LWIP_MAX_SOCKETS"), "11");
});

test("mcconfig, run: of several included manifests the build of the last counts, and n unsets", () => {
  const settings = tables("assumed-last", { include: [BASE, "./inner.json", "./last.json"] });
  assert.equal(settings.get("CONFIG_LWIP_MAX_SOCKETS"), "12");
  assert.equal(settings.get("CONFIG_LWIP_SO_RCVBUF"), "n");
});
