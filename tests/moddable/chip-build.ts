/**
 * Builds an app for a chip as far as that goes without ESP-IDF: the project as mcconfig writes it, every module to byte-code, preloaded and
 * linked with xsl. What is left for ESP-IDF is the C compiler's part.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { environment } from "./harness";

export type ChipPlatform = "esp32" | "esp32/esp32c3" | "esp32/esp32c6" | "esp32/esp32s3";

export interface ChipBuild {
  /** Everything that mcconfig, tsc, xsc and xsl have printed. */
  readonly output: string;
  /** The linked modules, C. */
  readonly linked: string;
  /** Of the generated project. */
  readonly partitions: string;
  readonly sdkconfig: string;
}

/** The project's makefile asks for an ESP-IDF of the right version before anything else. */
const IDF_VERSION = "v6.0";
/** After byte-code what make.esp32.mk itself does next. */
const RULES = `include makefile
.PHONY: linked
linked: $(MODULES)
	xsl -b $(MODULES_DIR) -o $(TMP_DIR) $(PRELOADS) $(STRIPS) $(CREATION) $(MODULES)
`;

/** Throws with the output where something fails. `out` is made. */
export function buildForChip(folder: string, platform: ChipPlatform, out: string): ChipBuild {
  mkdirSync(out, { recursive: true });
  const env = { ...environment(), IDF_PATH: standIn(join(out, "esp-idf")) };
  const run = (command: string, args: readonly string[], cwd: string): string => {
    const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: "utf8", maxBuffer: 1 << 26 });
    if (status !== 0) throw new Error(`${platform}: ${command} ends with status ${String(status ?? error?.message)}:\n${stdout}${stderr}`);
    return `${stdout}${stderr}`;
  };
  const configured = run("mcconfig", ["-p", platform, "-o", out], folder);
  const project = join(out, "tmp", ...platform.split("/"), "release", basename(folder));
  const rules = join(project, "linked.mk");
  writeFileSync(rules, RULES);
  const made = run("make", ["-C", project, "-f", rules, "linked"], folder);
  const generated = join(project, `xsProj-${basename(platform)}`);
  return { output: configured + made, linked: join(project, "mc.xs.c"), partitions: join(generated, "partitions.csv"), sdkconfig: join(generated, "sdkconfig.mc") };
}

/** What the makefile looks at: a repository with a tag, and a script that it reads. */
function standIn(folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "export.sh"), "");
  const git = (...args: readonly string[]): void => {
    const { status, stderr } = spawnSync("git", ["-C", folder, "-c", "user.name=x", "-c", "user.email=x@localhost", ...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(`git ${args[0]}: ${stderr}`);
  };
  git("init", "--quiet");
  git("commit", "--quiet", "--allow-empty", "--message", "stand-in");
  git("tag", "--force", "--annotate", "--message", IDF_VERSION, IDF_VERSION);
  return folder;
}
