/** A program as one script that runs in XS: nothing of Node, the vendored packages in it. */
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { vendorPlugin } from "../../../scripts/build-vendor.mjs";

/** Takes about a twentieth of a second. Rejects with what esbuild says. */
export async function xsScript(entry: URL): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: "iife",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    minify: true,
    legalComments: "none",
    plugins: [vendorPlugin()],
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}
