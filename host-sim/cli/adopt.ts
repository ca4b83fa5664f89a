import { existsSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { manifestOf } from "../adopt/base";
import type { Network } from "../adopt/base";
import { lineDiff } from "../adopt/line-diff";
import { carryOut, planOf } from "../adopt/plan";
import type { Plan, Wanted } from "../adopt/plan";
import { moddableFolder } from "../moddable/targets";
import { PLATFORMS } from "../../src/platforms/index";
import { toHex } from "../../src/util/hex";
import { versionArgument } from "./arguments";
import { LIBRARY } from "./doctor";
import { orFail } from "./errors";
import { print } from "./output";
import { readKeyPoint } from "./signing/keys";
import { writeWhole } from "./whole-file";

interface AdoptFlags {
  readonly platform: string;
  readonly product?: string;
  readonly version?: string;
  readonly cloud?: string;
  readonly network?: Network;
  readonly flashSize?: string;
  readonly table?: string;
  readonly image?: string;
  readonly key?: string;
  readonly git?: string;
  readonly tag?: string;
  readonly replace?: boolean;
  readonly dryRun?: boolean;
}

/** `xs-ota adopt`. */
export function register(program: Command): void {
  program
    .command("adopt")
    .summary("make a Moddable app updatable")
    .description(
      "Makes an existing Moddable app updatable on a chip: a folder ota/ with manifest, partition table and sdkconfig of " +
        "the board, an include and the product in the app's own manifest, and nothing else. Shows each change; no line of " +
        "the app's is lost, and a second run changes nothing. With MODDABLE set the SDK's own manifests tell what " +
        "mcconfig builds, else its documented rules. Refuses, with the reason and the figures, what can not be updated.",
    )
    .argument("<app>", "the app's folder, with its manifest.json")
    .option("-p, --platform <name>", "as mcconfig's -p, such as esp32/esp32c3", platformArgument, "esp32")
    .option("--product <name>", "what devices of this kind are called; asked for on a terminal", productArgument)
    .option("--version <version>", "version of the firmware; asked for on a terminal", versionArgument)
    .addOption(
      new Option("--cloud <name>", "built in as the setting platform").choices(PLATFORMS.map(({ name }) => name)),
    )
    .addOption(
      new Option("--network <kind>", "who brings it up (default: none, where the app does, else wifi)").choices([
        "wifi",
        "ethernet",
        "none",
      ]),
    )
    .addOption(
      new Option("--flash-size <size>", "of the board (default: what its settings say)").choices([
        "4MB",
        "8MB",
        "16MB",
      ]),
    )
    .option("--table <file>", "a partitions.csv of your own, with two slots")
    .option("--image <file>", "a build of the app, to see whether it fits a slot")
    .option("--key <file>", "public key of firmware, PEM: devices then take signed firmware only")
    .option("--git <url>", "include xs-ota by git, in place of this checkout")
    .option("--tag <tag>", "of --git")
    .option("--replace", "write files in ota/ anew that were changed by hand")
    .option("--dry-run", "show the changes and make none")
    .action(orFail(run));
}

function platformArgument(text: string): string {
  if (!/^esp32(\/[a-z0-9_]+)?$/.test(text)) throw new InvalidArgumentError("It is esp32 or esp32/BOARD.");
  return text;
}

function productArgument(text: string): string {
  if (!/^[\x20\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,31}$/.test(text))
    throw new InvalidArgumentError(
      "A product has 1 to 31 printable characters, none of them a quote, a comma or a backslash.",
    );
  return text;
}

async function run(folder: string, flags: AdoptFlags): Promise<void> {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw new Error(`${folder} is no folder`);
  if (flags.tag !== undefined && flags.git === undefined) throw new Error("--tag needs --git");
  const app = resolve(folder);
  const plan = planOf(await wantedOf(app, flags));
  await print(inWords(plan, flags.dryRun === true));
  if (flags.dryRun !== true) carryOut(app, plan, writeWhole);
}

async function wantedOf(app: string, flags: AdoptFlags): Promise<Wanted> {
  const { platform, cloud, network, flashSize, table, image, key, git, tag, replace } = flags;
  const config = {
    ...(cloud === undefined ? {} : { platform: cloud }),
    ...(key === undefined ? {} : { signingKeys: toHex(readKeyPoint(key)) }),
  };
  return {
    app,
    platform,
    ...(await identity(app, flags)),
    moddable: moddableFolder(),
    library: { folder: libraryFor(app), ...(git === undefined ? {} : { git }), ...(tag === undefined ? {} : { tag }) },
    config,
    ...(flashSize === undefined ? {} : { flashSize: Number.parseInt(flashSize, 10) << 20 }),
    ...(network === undefined ? {} : { network }),
    ...(table === undefined ? {} : { table }),
    ...(image === undefined ? {} : { image }),
    ...(replace === undefined ? {} : { replace }),
  };
}

/** A copy in the app's own folder, else this checkout. */
function libraryFor(app: string): string {
  const own = join(app, "xs-ota");
  return existsSync(join(own, "src", "manifest.json")) ? own : LIBRARY;
}

/** Flags, else what the manifest says, else what is answered on a terminal. */
async function identity(
  app: string,
  flags: AdoptFlags,
): Promise<{ readonly product: string; readonly version: string }> {
  const known = (manifestOf(app).own.value.defines?.["xsota"] ?? {}) as { readonly [name: string]: unknown };
  const text = (name: string): string | undefined => (typeof known[name] === "string" ? known[name] : undefined);
  const product = flags.product ?? text("product");
  const version = flags.version ?? text("version");
  if (product !== undefined && version !== undefined) return { product, version };
  if (process.stdin.isTTY !== true)
    throw new Error(`--${product === undefined ? "product" : "version"} is needed: it goes into the firmware itself`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close it; a question alone would wait for ever.
  const ended = new AbortController();
  terminal.once("close", () => ended.abort());
  try {
    const ask = async (question: string, usual: string): Promise<string> =>
      (await terminal.question(`${question} [${usual}] `, { signal: ended.signal })).trim() || usual;
    return {
      product: product ?? productArgument(await ask("product", basename(app))),
      version: version ?? versionArgument(await ask("version", "0.1.0")),
    };
  } catch (error) {
    throw ended.signal.aborted ? new Error("no answer, nothing was changed", { cause: error }) : error;
  } finally {
    terminal.close();
  }
}

function inWords({ changes, kept, notes }: Plan, dry: boolean): string {
  const lines = [...notes];
  for (const { path, before, after } of changes) {
    lines.push(
      "",
      before === undefined ? `new file ${path}, ${after.split("\n").length - 1} lines` : `changed ${path}`,
    );
    if (before !== undefined) lines.push(...lineDiff(before, after).map((line) => `  ${line}`));
  }
  for (const path of kept) lines.push("", `${path} was changed by hand and stays as it is (--replace writes it anew)`);
  const count =
    changes.length === 0 ? "nothing to change" : `${changes.length} files ${dry ? "would be" : "are"} changed`;
  return [...lines, "", count, ""].join("\n");
}
