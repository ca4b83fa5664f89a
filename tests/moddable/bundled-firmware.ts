/** The firmware at the root over the library as `xs-ota bundle` writes it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { platformNames, writeBundle } from "../../host-sim/bundle/write-bundle";
import { BUILD, ROOT } from "./harness";

/** The folder of the app. */
export async function bundledFirmware(): Promise<string> {
  const app = join(BUILD, "bundled-firmware");
  mkdirSync(app, { recursive: true });
  await writeBundle(join(app, "xs-ota"), { platforms: platformNames(), without: [], network: "wifi", minify: true });
  const manifest = JSON.parse(readFileSync(join(ROOT, "manifest.json"), "utf8"), (_key, value: unknown) => {
    if (value === "./src/manifest.json") return "./xs-ota/manifest.json";
    return typeof value === "string" && value.startsWith("./") ? join(ROOT, value) : value;
  }) as object;
  // What is preloaded takes the whole bundle along, with the simulator's modules, whose tables are not frozen.
  writeFileSync(join(app, "manifest.json"), JSON.stringify({ ...manifest, preload: [] }));
  return app;
}
