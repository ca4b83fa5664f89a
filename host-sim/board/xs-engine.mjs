/**
 * The XS engine of the simulated board: the worker program that `@agoric/xsnap` brings as C sources.
 *
 * It is built here and not by the package's own install script, which package.json denies: so `npm ci` says in one line
 * what is missing, and no dependency runs a script of its own at installation.
 */
import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** What a path for make may hold. */
const FOR_MAKE = /^[\w/.,@+~^-]*$/;

function packageFolder() {
  return dirname(createRequire(import.meta.url).resolve("@agoric/xsnap/package.json"));
}

/** Where the worker is, or would be, in that copy of the package. */
export function workerFile(folder = packageFolder()) {
  return join(
    folder,
    "xsnap-native",
    "xsnap",
    "build",
    "bin",
    process.platform === "darwin" ? "mac" : "lin",
    "release",
    "xsnap-worker",
  );
}

/** What is missing to build it, as one line; undefined if nothing is. */
export function missingTools() {
  if (process.platform !== "linux" && process.platform !== "darwin")
    return `the XS engine builds on Linux and macOS only, this is ${process.platform}`;
  const missing = ["cc", "make"].filter((tool) => !onPath(tool));
  if (missing.length === 0) return undefined;
  const hint =
    process.platform === "darwin" ? "xcode-select --install" : "on Debian and Ubuntu: apt-get install build-essential";
  return `building the XS engine needs a C compiler and make; not found: ${missing.join(", ")} (${hint}), then run npm run prepare`;
}

function onPath(tool) {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Builds the worker unless it is there. Throws one line. */
export function buildXsEngine(say) {
  if (existsSync(workerFile())) return;
  const missing = missingTools();
  if (missing !== undefined) throw new Error(missing);
  say("building the XS engine from the sources in @agoric/xsnap: about half a minute ...");
  const folder = packageFolder();
  if (FOR_MAKE.test(folder)) return build(folder);
  // make and the package's makefiles split paths at blanks.
  const elsewhere = mkdtempSync(join(tmpdir(), "xs-ota-engine-"));
  try {
    if (!FOR_MAKE.test(elsewhere))
      throw new Error(
        `the XS engine can not be built in ${folder}: make takes no blank in a path, and ${tmpdir()} has one too; set TMPDIR to another folder`,
      );
    cpSync(folder, elsewhere, { recursive: true });
    build(elsewhere);
    mkdirSync(dirname(workerFile()), { recursive: true });
    copyFileSync(workerFile(elsewhere), workerFile());
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
}

/** Runs the package's build in that copy of it. */
function build(folder) {
  // The package's postinstall does the same, through a shell.
  const pinned = Object.fromEntries(
    readFileSync(join(folder, "build.env"), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split("=", 2)),
  );
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [join("src", "build.js")], {
    cwd: folder,
    env: { ...process.env, ...pinned },
    encoding: "utf8",
  });
  if (status === 0 && existsSync(workerFile(folder))) return;
  const log = join(ROOT, "build", "xs-engine.log");
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(log, `${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`);
  throw new Error(`the XS engine did not build (exit code ${status}); what the compiler said is in ${log}`);
}
