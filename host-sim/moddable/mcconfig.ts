/** What the user's own mcconfig makes of an app: the proof of what the rules say. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";

export interface Configured {
  /** The merged sdkconfig of a release. */
  readonly sdkconfig: string;
  readonly partitions: string;
}

/** ESP-IDF is looked at by the makefile only, by its version. */
const IDF_VERSION = "v6.0";

/**
 * Undefined where mcconfig is not built in this SDK. Throws with its last words where it fails. It writes into a folder
 * of its own, nothing is compiled.
 */
export function configure(app: string, platform: string, moddable: string): Configured | undefined {
  const system = { linux: "lin", darwin: "mac", win32: "win" }[process.platform as string] ?? "lin";
  const bin = join(moddable, "build", "bin", system, "release");
  if (!existsSync(join(bin, system === "win" ? "mcconfig.exe" : "mcconfig"))) return undefined;
  const out = mkdtempSync(join(tmpdir(), "xs-ota-mcconfig-"));
  try {
    const env = {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`,
      IDF_PATH: standIn(join(out, "idf")),
    };
    const { status, stdout, stderr, error } = spawnSync(join(bin, "mcconfig"), ["-p", platform, "-o", out], {
      cwd: app,
      env,
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    if (status !== 0) throw new Error(`mcconfig fails: ${error?.message ?? lastLine(`${stdout}${stderr}`)}`);
    const project = join(out, "tmp", ...platform.split("/"), "release", basename(app));
    const generated = readdirSync(project).find((name) => name.startsWith("xsProj-"));
    if (generated === undefined) throw new Error(`mcconfig has made no project for ${platform}`);
    return {
      sdkconfig: readFileSync(join(project, generated, "sdkconfig.mc"), "utf8"),
      partitions: readFileSync(join(project, generated, "partitions.csv"), "utf8"),
    };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** A repository with the tag that the makefile asks for. */
function standIn(folder: string): string {
  mkdirSync(folder);
  writeFileSync(join(folder, "export.sh"), "");
  const git = (...args: readonly string[]): void =>
    void spawnSync("git", ["-C", folder, "-c", "user.name=x", "-c", "user.email=x@localhost", ...args]);
  git("init", "--quiet");
  git("commit", "--quiet", "--allow-empty", "--message", "stand-in");
  git("tag", "--annotate", "--message", IDF_VERSION, IDF_VERSION);
  return folder;
}

function lastLine(text: string): string {
  const lines = text.trim().split("\n");
  return lines.findLast((line) => /error|not found|invalid/i.test(line)) ?? lines.at(-1) ?? "without a word";
}
