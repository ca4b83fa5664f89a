/** Bundles a program into one script that runs in XS. */
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

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
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}
