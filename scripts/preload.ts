/**
 * `npm run preload`: writes into each manifest the modules that it brings into the flash of a chip. Of a module that
 * `preload` names, xsl keeps the code of its functions; of one that is loaded because another imports it, all of its
 * byte-code. A closure that a named module makes has its byte-code copied into RAM, so modules that keep closures are not
 * named. mcconfig takes no wildcard for TypeScript in `preload`. tests/esp32/manifests.test.ts compares.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { preloadManifests, preloadOf, readManifest, ROOT } from "../tests/esp32/manifest-tree";

for (const path of preloadManifests()) {
  const preload = preloadOf(path);
  if (JSON.stringify(readManifest(path).preload ?? []) === JSON.stringify(preload)) continue;
  const text = readFileSync(path, "utf8");
  const section = `"preload": [${preload.map((name) => `\n\t\t"${name}"`).join(",")}\n\t]`;
  const changed = text.includes('\n\t"preload": [')
    ? text.replace(/(?<=\n\t)"preload": \[[^\]]*\]/, section)
    : text.replace(/\n\t"modules": \{[^]*?\n\t\}/, (modules) => `${modules},\n\t${section}`);
  writeFileSync(path, changed);
  console.log(`${relative(ROOT, path)}: ${preload.length} modules`);
}
