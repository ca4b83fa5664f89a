import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { examineApp } from "../doctor/app";
import { BUILD_FILES, examineBuild } from "../doctor/build";
import { examineDump } from "../doctor/dump";
import { inWords } from "../doctor/finding";
import type { Verdict } from "../doctor/finding";
import { isFlash } from "../dump/table";
import { moddableFolder } from "../moddable/targets";
import { orFail } from "./errors";
import { print } from "./output";
import { readFirmwareFile } from "./signing/firmware-file";

/** The checkout that this command belongs to. */
export const LIBRARY = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

interface DoctorFlags {
  readonly platform: string;
  readonly sdkconfig?: string;
  readonly json?: boolean;
}

/** `xs-ota doctor`. */
export function register(program: Command): void {
  program
    .command("doctor")
    .summary("tell whether an app, a build or a board could be updated safely")
    .description(
      "Tells whether something could be updated safely: an app's folder (what mcconfig will build from its manifests; " +
        "with MODDABLE set by the SDK's own, else by mcconfig's documented rules), a build folder (bootloader.bin, " +
        "partition-table.bin, xs_esp32.bin, sdkconfig), or a dump of a real board's flash. One line for each thing that " +
        "is wrong, with its consequence in the field and the fix. Exits with 0 only where nothing is wrong; notes do not " +
        "count. Changes nothing.",
    )
    .argument("<what>", "an app's folder, a build folder, or a dump of a flash")
    .option("-p, --platform <name>", "of an app: as mcconfig's -p, such as esp32/esp32c3", "esp32")
    .option("--sdkconfig <file>", "of a build: its sdkconfig or sdkconfig.mc, where it is not in the folder")
    .option("--json", "the verdict as one JSON object")
    .action(orFail(run));
}

async function run(what: string, flags: DoctorFlags): Promise<void> {
  const { facts, findings } = examine(what, flags);
  const wrongs = findings.filter(({ level }) => level === "wrong").length;
  if (flags.json === true) await print(`${JSON.stringify({ safe: wrongs === 0, facts, findings })}\n`);
  else {
    const verdict = wrongs === 0 ? "can be updated safely" : `can not be updated safely: ${wrongs} wrong`;
    await print([...facts, ...findings.map(inWords), `${what}: ${verdict}`, ""].join("\n"));
  }
  if (wrongs > 0) process.exitCode = 1;
}

function examine(what: string, { platform, sdkconfig }: DoctorFlags): Verdict {
  const status = statSync(what, { throwIfNoEntry: false });
  if (status === undefined) throw new Error(`${what}: there is no such file or folder`);
  if (!status.isDirectory()) {
    const bytes = readFirmwareFile(what);
    if (isFlash(bytes)) return examineDump(bytes);
    throw new Error(`${what} is no dump of a flash: of a firmware file, xs-ota inspect tells what it is`);
  }
  if (existsSync(join(what, "manifest.json"))) {
    if (!/^esp32(\/[a-z0-9_]+)?$/.test(platform))
      throw new Error(`platform ${platform}: esp32 or esp32/BOARD is expected, as for mcconfig's -p`);
    return examineApp({ app: resolve(what), platform, moddable: moddableFolder(), library: LIBRARY });
  }
  if (BUILD_FILES.some((name) => existsSync(join(what, name)))) return examineBuild(what, sdkconfig);
  throw new Error(`${what} is no app (manifest.json) and no build (${BUILD_FILES.join(", ")})`);
}
