/**
 * For each chip the firmware's manifests resolve, all its modules compile, preload and link, table and overlay arrive
 * as intended, and each C source finds the headers of the SDK and of this repository. No C is compiled: that needs
 * ESP-IDF's headers.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { buildForChip, includesOf, settingsOf } from "./chip-build";
import type { ChipPlatform } from "./chip-build";
import { BUILD, ROOT, warnings } from "./harness";
import { firmwareWithout } from "./left-out-app";

const ESP32 = join(ROOT, "hal", "esp32");

function checked(context: TestContext, folder: string, platform: ChipPlatform): string {
  const build = buildForChip(folder, platform, join(BUILD, "chips"));
  const { output, linked, partitions, sdkconfig } = build;
  assert.deepEqual(warnings(output), []);
  // A preloaded module that calls native code while it is loaded.
  assert.doesNotMatch(output, /unavailable function/);
  assert.equal(readFileSync(partitions, "utf8"), readFileSync(join(ESP32, "partitions-4mb.csv"), "utf8"));
  const merged = settingsOf(sdkconfig);
  assert.equal(merged.get("CONFIG_ESPTOOLPY_FLASHSIZE_4MB"), "y", "the table is for 4 MB");
  for (const [name, value] of settingsOf(join(ESP32, "sdkconfig", basename(platform), "sdkconfig.defaults")))
    assert.equal(merged.get(name), value, name);
  const { sources, missing, foreign } = includesOf(build);
  assert.deepEqual(missing, []);
  context.diagnostic(
    `${sources} C sources preprocessed, none compiled; ${foreign.length} headers that they include are not of the SDK and were not looked for`,
  );
  return readFileSync(linked, "utf8");
}

for (const platform of ["esp32", "esp32/esp32c3", "esp32/esp32c6", "esp32/esp32s3"] as const) {
  test(`${platform}: byte-code, preload, partition table, sdkconfig, headers of the C sources`, (context) => {
    const linked = checked(context, ROOT, platform);
    for (const module of [
      "xs-ota/src/agent/agent",
      "xs-ota/hal/esp32/ota",
      "xs-ota/hal/esp32/build-facts",
      "xs-ota/hal/moddable/start-up",
      "xs-ota/hal/moddable/tls-session",
      "embedded:network/interface/wifi",
    ])
      assert.ok(linked.includes(`"${module}"`), module);
    assert.ok(!linked.includes("simulated"), "nothing of the simulator");
    assert.ok(!linked.includes('"setup/network"'), "the SDK's own joining is out");
  });
}

/** The ESP32's own Ethernet, with the PHY of an ESP32-Ethernet-Kit. */
const ETHERNET = { internal: { phy: { address: 1, reset: 5, IP101: 1 }, mac: { MDC: 23, MDIO: 18 } } };

for (const [name, platform, modules, defines] of [
  ["ethernet", "esp32", ["xs-ota/network", "embedded:network/interface/ethernet"], { ethernet: ETHERNET }],
  ["none", "esp32/esp32c3", ["xs-ota/network"], {}],
] as const) {
  test(`the network as docs/ESP32.md replaces it: ${name}`, (context) => {
    const app = join(BUILD, `network-${name}`);
    mkdirSync(app, { recursive: true });
    const path = (file: string): string => relative(app, join(ROOT, file));
    const manifest = {
      include: [path("manifest.json"), path(`hal/esp32/manifest_${name}.json`)],
      modules: { "~": path("hal/esp32/network/wifi") },
      defines,
    };
    writeFileSync(join(app, "manifest.json"), JSON.stringify(manifest));
    const linked = checked(context, app, platform);
    for (const module of modules) assert.ok(linked.includes(`"${module}"`), module);
    assert.ok(!/\bjoin(s|ed)?\b.*ssid/i.test(linked), "nothing asks for an SSID");
  });
}

test("esp32/esp32c3: an app without all that can be left out links, and nothing of that is in it", (context) => {
  const linked = checked(context, firmwareWithout(join(BUILD, "without")), "esp32/esp32c3");
  for (const module of ["safe-tls", "crypto"]) assert.ok(linked.includes(`"xs-ota/hal/moddable/${module}"`), module);
  assert.doesNotMatch(
    linked,
    /"(ssl\/\w+|xs-ota\/(hal\/moddable\/(tls-session|external-mqtt)|src\/(x509\/certificate|recorder\/\w+|signature\/check|modules\/partition-installer|job\/expanding)))"/,
  );
  assert.doesNotMatch(linked, /xs_ota_expander/);
});
