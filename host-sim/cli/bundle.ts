import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { NETWORKS, featureNames, platformNames, writeBundle } from "../bundle/write-bundle";
import { orFail } from "./errors";

interface BundleFlags {
  readonly out: string;
  readonly platforms: readonly string[];
  readonly without: readonly string[];
  readonly network: string;
  readonly minify: boolean;
}

/** `xs-ota bundle`. */
export function register(program: Command): void {
  const [platforms, features] = [platformNames(), featureNames()];
  program
    .command("bundle")
    .summary("make the library smaller for one app: one minified module")
    .description(
      "Writes a folder whose manifest an app includes in place of the library's: the same names to import, with one minified " +
        "module behind them. The same arguments give the same bytes. Nothing of the Moddable SDK is needed.",
    )
    .requiredOption("--out <folder>", "a new folder, or one that this command has written")
    .option("--platforms <names>", `clouds, with commas between: ${platforms.join(", ")}`, listOf(platforms), platforms)
    .option("--without <features>", `what is left out: ${features.join(", ")}`, listOf(features), [])
    .addOption(
      new Option("--network <name>", "who brings a chip's network up; own: a module xs-ota/network of the app")
        .choices(NETWORKS)
        .default("wifi"),
    )
    .option("--no-minify", "readable, for a look at a fault")
    .action(orFail(run));
}

function listOf(known: readonly string[]) {
  return (text: string): string[] => {
    const names = [...new Set(text.split(",").map((name) => name.trim()))].sort();
    for (const name of names)
      if (!known.includes(name))
        throw new InvalidArgumentError(`It is of ${known.join(", ")}; not ${JSON.stringify(name)}.`);
    return names;
  };
}

async function run({ out, ...choice }: BundleFlags): Promise<void> {
  const sizes = await writeBundle(out, choice);
  process.stdout.write(`${JSON.stringify({ manifest: `${out}/manifest.json`, bytes: sizes })}\n`);
}
