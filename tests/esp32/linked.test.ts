/** What an app has in its firmware: the modules of its platform's manifest, and what those import. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { ROOT, imports, modulesOf } from "./manifest-tree";

const modules = (platform: string): Map<string, string[]> =>
  modulesOf(join(ROOT, "src", "platforms", platform, "manifest.json"), "esp32");

/** What the entries of the library lead to, by imports. Throws where a module is not in the manifest. */
function reached(all: Map<string, string[]>, ...entries: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (name: string): void => {
    const files = all.get(name);
    if (found.has(name)) return;
    // Of the SDK, or of an app.
    if (files === undefined) return void assert.ok(!name.startsWith("xs-ota/src/"), `${name} is in no manifest`);
    found.add(name);
    for (const file of files.filter((each) => each.endsWith(".ts") && !each.endsWith(".d.ts")))
      for (const specifier of imports(file))
        visit(specifier.startsWith(".") ? join(dirname(name), specifier) : specifier);
  };
  for (const entry of entries) visit(entry);
  return found;
}

const isMqtt = (name: string): boolean => /mqtt|broker/.test(name);
const isPolling = (name: string): boolean => /\/poll/.test(name);

for (const platform of ["static", "hawkbit"])
  test(`an app of ${platform}, which is polled, has no MQTT in its firmware, neither linked nor imported`, () => {
    const all = modules(platform);
    assert.deepEqual([...all.keys()].filter(isMqtt), []);
    const used = reached(all, "xs-ota", `xs-ota/${platform}`, "xs-ota/moddable");
    assert.deepEqual([...used].filter(isMqtt), []);
    assert.ok(used.has("xs-ota/src/poll/poller"));
  });

for (const platform of ["tencent", "thingsboard", "thingspanel"])
  test(`an app of ${platform} has no poller in its firmware`, () => {
    const all = modules(platform);
    assert.deepEqual([...all.keys()].filter(isPolling), []);
    const used = reached(all, "xs-ota", `xs-ota/${platform}`, "xs-ota/moddable");
    assert.deepEqual([...used].filter(isPolling), []);
    assert.ok(used.has("xs-ota/src/mqtt/session"));
  });

test("no platform's firmware has another platform's modules", () => {
  for (const platform of ["static", "tencent", "thingsboard", "thingspanel"])
    for (const name of modules(platform).keys())
      assert.doesNotMatch(name, new RegExp(`^xs-ota/src/platforms/(?!${platform}/)[a-z]+/`), platform);
});
