/** The sources as an app has them that leaves features out: its manifests put other modules in the place of some. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { sourceUrls } from "../../host-sim/bin/bundle.mjs";
import { modulesOf, ROOT, withoutManifests } from "../esp32/manifest-tree";
import type { Scope } from "../kit/folder";

/** Exports of `entry`, a module of this repository, built without all that can be left out. `T`: their types. */
export async function withoutFeatures<T>(scope: Scope, entry: string): Promise<T> {
  const modules = modulesOf([join(ROOT, "manifest.json"), ...withoutManifests()], "lin");
  const ofApp = new Set([...modules.values()].flat());
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    packages: "external",
    plugins: [
      sourceUrls(),
      {
        name: "left out",
        setup({ onResolve }) {
          onResolve({ filter: /^\./ }, ({ path, importer, resolveDir }) => {
            const module = `xs-ota/${relative(ROOT, join(resolveDir, path))}`;
            // What the host alone imports is not left out.
            if (!ofApp.has(importer) && !modules.has(module)) return undefined;
            const [file] = modules.get(module)?.filter((each) => /(?<!\.d)\.[jt]s$/.test(each)) ?? [];
            return file === undefined ? { errors: [{ text: `${module} is left out` }] } : { path: file };
          });
        },
      },
    ],
  });
  // Inside the repository, so that packages are found.
  const folder = mkdtempSync(join(ROOT, "build", "left-out-"));
  scope.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "bundle.mjs");
  writeFileSync(path, outputFiles[0]!.contents);
  return (await import(pathToFileURL(path).href)) as T;
}
