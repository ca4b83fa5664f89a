/**
 * The module that reads the settings of a chip (firmware/settings.ts), bundled for Node with the agent under its names.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { AnyPlatform, BrokerAddress, Crypto, Platform, Policy } from "../../src/index";
import { temporaryFolder } from "../kit/folder";

type Lookup = (key: string) => string | number | boolean | undefined;

export type ReadSettings = (
  lookup: Lookup,
  crypto: Crypto,
  platforms?: readonly AnyPlatform[],
) => {
  readonly name: string;
  readonly platform: Platform;
  readonly broker?: BrokerAddress;
  readonly policy: Partial<Policy>;
  readonly recorder?: boolean;
  readonly diagnosticsTopic?: string;
};

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export async function firmwareSettings(t: TestContext): Promise<ReadSettings> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "firmware", "settings.ts")],
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    alias: {
      "xs-ota": join(ROOT, "src", "index.ts"),
      "xs-ota/src/platforms/index": join(ROOT, "src", "platforms", "index.ts"),
    },
  });
  const path = join(temporaryFolder(t), "settings.mjs");
  writeFileSync(path, outputFiles[0]!.contents);
  return ((await import(pathToFileURL(path).href)) as { readSettings: ReadSettings }).readSettings;
}
