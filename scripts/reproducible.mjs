/**
 * `npm run reproducible`: clones the last commit twice, into folders of different names, installs and builds the
 * release in each, under another time zone, language and umask, and compares every file byte by byte. Needs git and
 * npm's registry or cache; a minute or so.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const SURROUNDINGS = [
  { name: "a", umask: 0o022, env: { TZ: "UTC", LANG: "C", LC_ALL: "C" } },
  {
    name: "another-folder-with-a-longer-name",
    umask: 0o077,
    env: { TZ: "Asia/Shanghai", LANG: "en_US.UTF-8", LC_ALL: "en_US.UTF-8" },
  },
];

function run(command, args, cwd, env = {}) {
  const { status, stderr, stdout, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? ""}\n${stdout}${stderr}`);
  return stdout;
}

const temporary = mkdtempSync(join(tmpdir(), "xs-ota-reproducible-"));
try {
  const releases = SURROUNDINGS.map(({ name, umask, env }) => {
    const before = process.umask(umask);
    try {
      const folder = join(temporary, name);
      run("git", ["clone", "--quiet", "--no-hardlinks", ROOT, folder], temporary);
      // Without the XS engine, which nothing in a release is made of.
      run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], folder, env);
      run("npm", ["run", "--silent", "release"], folder, env);
      console.error(`built in ${folder}`);
      return join(folder, "build", "release");
    } finally {
      process.umask(before);
    }
  });
  const [first, second] = releases;
  const names = [...new Set(releases.flatMap((folder) => readdirSync(folder)))].sort();
  const different = names.filter((name) => !readFileSync(join(first, name)).equals(readFileSync(join(second, name))));
  process.stdout.write(readFileSync(join(first, "SHA256SUMS"), "utf8"));
  if (different.length > 0) throw new Error(`not the same in both: ${different.join(", ")}`);
  const commit = run("git", ["rev-parse", "--short", "HEAD"], ROOT).trim();
  console.log(`reproducible: ${names.length} files of commit ${commit} are the same in two builds from clean clones`);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
