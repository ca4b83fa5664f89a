/**
 * Builds an app for a chip as far as that goes without ESP-IDF: the project as mcconfig writes it, every module to
 * byte-code, preloaded and linked with xsl, and every C source through this machine's preprocessor. What is left for
 * ESP-IDF is the C compiler's part.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ROOT, environment, moddable } from "./harness";

/** As mcconfig's -p names it. */
export type ChipPlatform = "esp32" | `esp32/${string}`;

/** What mcconfig has written. */
export interface ChipProject {
  readonly platform: ChipPlatform;
  /** Everything that mcconfig has printed. */
  readonly output: string;
  /** Of the makefile. */
  readonly folder: string;
  readonly partitions: string;
  readonly sdkconfig: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface ChipBuild extends ChipProject {
  /** The linked modules, C. */
  readonly linked: string;
}

export interface Includes {
  /** How many C sources were read. */
  readonly sources: number;
  /** "SOURCE: HEADER" for each header of the SDK or of this repository that is not on the include path of a source. */
  readonly missing: readonly string[];
  /** Headers that belong to neither: ESP-IDF's, and what xsl writes. They are not looked at. */
  readonly foreign: readonly string[];
}

/** The project's makefile asks for an ESP-IDF of the right version before anything else. */
const IDF_VERSION = "v6.0";
/**
 * "linked" does what make.esp32.mk does after byte-code. "included" runs the makefile's own C rules with this machine's
 * preprocessor, which lists what a source includes. -MG lists a header that is not there by the name that the source
 * uses, and goes on. The -m flags are the chip compiler's, and so is the macro for the byte order, which newlib sets.
 */
const RULES = `include makefile
.PHONY: linked included
linked: $(MODULES)
	xsl -b $(MODULES_DIR) -o $(TMP_DIR) $(PRELOADS) $(STRIPS) $(CREATION) $(MODULES)
included: CC := ${process.env["CC"] ?? "cc"}
included: C_FLAGS := -M -MG -D__IEEE_LITTLE_ENDIAN $(filter-out -c -M% -m%,$(C_FLAGS))
included: $(OBJECTS) $(XS_OBJ) $(TMP_DIR)/xsPlatform.c.o $(TMP_DIR)/xsHost.c.o $(TMP_DIR)/xsHosts.c.o
`;

/** Runs mcconfig in `folder`. Throws with its output where it fails. `out` is made. */
export function configureForChip(folder: string, platform: ChipPlatform, out: string): ChipProject {
  mkdirSync(out, { recursive: true });
  const env = { ...environment(), IDF_PATH: standIn(join(out, "esp-idf")) };
  const output = run(env, folder, "mcconfig", "-p", platform, "-o", out);
  const project = join(out, "tmp", ...platform.split("/"), "release", basename(folder));
  writeFileSync(join(project, "rules.mk"), RULES);
  const generated = join(
    project,
    readdirSync(project).find((name) => name.startsWith("xsProj-"))!,
  );
  return {
    platform,
    output,
    folder: project,
    partitions: join(generated, "partitions.csv"),
    sdkconfig: join(generated, "sdkconfig.mc"),
    env,
  };
}

/** Throws with the output where something fails. `out` is made. */
export function buildForChip(folder: string, platform: ChipPlatform, out: string): ChipBuild {
  const project = configureForChip(folder, platform, out);
  const made = run(project.env, project.folder, "make", "-f", "rules.mk", "linked");
  return { ...project, output: project.output + made, linked: join(project.folder, "mc.xs.c") };
}

/** What the C sources of a project include. Throws with the output where one does not get through the preprocessor. */
export function includesOf({ env, folder, sdkconfig }: ChipProject): Includes {
  const header = join(dirname(sdkconfig), "build", "config", "sdkconfig.h");
  mkdirSync(dirname(header), { recursive: true });
  writeSettings(sdkconfig, header);
  // -o: the C rules wait for what xsl writes, although no source needs it here.
  run(env, folder, "make", "-f", "rules.mk", "-o", join(folder, "mc.xs.c"), "included");
  const lists = [folder, join(folder, "..", "lib")].flatMap((each) =>
    readdirSync(each)
      .filter((name) => name.endsWith(".c.o"))
      .map((name) => join(each, name)),
  );
  const missing: string[] = [];
  const foreign = new Set<string>();
  for (const list of lists) {
    for (const included of readFileSync(list, "utf8").replaceAll("\\\n", " ").split(/\s+/).slice(1)) {
      if (included === "" || included.startsWith("/")) continue;
      const name = included.replace(/^(\.\.?\/)+/, "");
      if (ourHeaders().some((path) => path.endsWith(`/${name}`))) missing.push(`${basename(list, ".o")}: ${included}`);
      else foreign.add(included);
    }
  }
  return { sources: lists.length, missing, foreign: [...foreign].sort() };
}

/**
 * The settings of sdkconfig files, read one after the other: the last line of a name counts, and mcconfig writes "n" as
 * nothing.
 */
export function settingsOf(...files: readonly string[]): Map<string, string> {
  const lines = files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/^(CONFIG_\w+)=(.*?)\s*$/gm)]);
  return new Map(lines.map(([, name = "", value = ""]) => [name, value === "" ? "n" : value]));
}

/**
 * Writes the header that ESP-IDF makes of an sdkconfig, without the defaults of settings that the file does not name.
 */
export function writeSettings(sdkconfig: string, header: string): void {
  const set = [...settingsOf(sdkconfig)].filter(([, value]) => value !== "n");
  const lines = set.map(([name, value]) => `#define ${name} ${value === "y" ? "1" : value}\n`);
  writeFileSync(header, lines.join(""));
}

let headers: readonly string[] | undefined;
/** The SDK's and this repository's. */
function ourHeaders(): readonly string[] {
  const folders = [
    ...["modules", "xs", join("build", "devices")].map((name) => join(moddable(), name)),
    join(ROOT, "hal"),
  ];
  return (headers ??= folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".h"))
      .map((name) => join(folder, name)),
  ));
}

function run(env: NodeJS.ProcessEnv, cwd: string, command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0)
    throw new Error(`${command} in ${cwd} ends with status ${String(status ?? error?.message)}:\n${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}

/** What the makefile looks at: a repository with a tag, and a script that it reads. */
function standIn(folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "export.sh"), "");
  const git = (...args: readonly string[]): void => {
    const { status, stderr } = spawnSync(
      "git",
      ["-C", folder, "-c", "user.name=x", "-c", "user.email=x@localhost", ...args],
      { encoding: "utf8" },
    );
    if (status !== 0) throw new Error(`git ${args[0]}: ${stderr}`);
  };
  git("init", "--quiet");
  git("commit", "--quiet", "--allow-empty", "--message", "stand-in");
  git("tag", "--force", "--annotate", "--message", IDF_VERSION, IDF_VERSION);
  return folder;
}
