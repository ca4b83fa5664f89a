/** For each chip the firmware's manifests resolve, all its modules compile, preload and link, and table and overlay arrive as intended. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { test } from "node:test";
import { buildForChip } from "./chip-build";
import type { ChipPlatform } from "./chip-build";
import { BUILD, ROOT, warnings } from "./harness";

const ESP32 = join(ROOT, "hal", "esp32");
const settings = (file: string): string[] => readFileSync(file, "utf8").split("\n").filter((line) => line.startsWith("CONFIG_"));

function checked(folder: string, platform: ChipPlatform): string {
  const { output, linked, partitions, sdkconfig } = buildForChip(folder, platform, join(BUILD, "chips"));
  assert.deepEqual(warnings(output), []);
  // A preloaded module that calls native code while it is loaded.
  assert.doesNotMatch(output, /unavailable function/);
  assert.equal(readFileSync(partitions, "utf8"), readFileSync(join(ESP32, "partitions-4mb.csv"), "utf8"));
  const merged = new Set(settings(sdkconfig).map((line) => line.replace(/=n$/, "=")));
  for (const line of settings(join(ESP32, "sdkconfig", basename(platform), "sdkconfig.defaults"))) assert.ok(merged.has(line.replace(/=n$/, "=")), `${line} is lost`);
  return readFileSync(linked, "utf8");
}

for (const platform of ["esp32", "esp32/esp32c3", "esp32/esp32c6", "esp32/esp32s3"] as const) {
  test(`${platform}: byte-code, preload, partition table, sdkconfig`, () => {
    const linked = checked(ROOT, platform);
    for (const module of ["xs-ota/src/agent/agent", "xs-ota/hal/esp32/ota", "xs-ota/hal/moddable/tls-session", "embedded:network/interface/wifi"]) assert.ok(linked.includes(`"${module}"`), module);
    assert.ok(!linked.includes("simulated"), "nothing of the simulator");
    assert.ok(!linked.includes('"setup/network"'), "the SDK's own joining is out");
  });
}

for (const [name, modules] of [
  ["ethernet", ["xs-ota/network", "embedded:network/interface/ethernet"]],
  ["none", ["xs-ota/network"]],
] as const) {
  test(`the network as docs/ESP32.md replaces it: ${name}`, () => {
    const app = join(BUILD, `network-${name}`);
    mkdirSync(app, { recursive: true });
    const path = (file: string): string => relative(app, join(ROOT, file));
    const manifest = { include: [path("manifest.json"), path(`hal/esp32/manifest_${name}.json`)], modules: { "~": path("hal/esp32/network/wifi") } };
    writeFileSync(join(app, "manifest.json"), JSON.stringify(manifest));
    const linked = checked(app, "esp32/esp32c3");
    for (const module of modules) assert.ok(linked.includes(`"${module}"`), module);
    assert.ok(!/\bjoin(s|ed)?\b.*ssid/i.test(linked), "nothing asks for an SSID");
  });
}
