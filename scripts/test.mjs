/**
 * `npm test`: types, lint, then every test file; an error in the first two is the end of it. Ends with the test runner's own counts.
 *
 *     node scripts/test.mjs [part of a path ...]      only the test files whose path holds one of these
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const BIN = join(ROOT, "node_modules", ".bin");

function run(title, command, ...args) {
  console.log(`\n> ${title}`);
  const { status, signal, error } = spawnSync(command, args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  if (error) console.error(error.message);
  return status ?? (signal === null ? 1 : 128);
}

/** Node 20 takes files, not patterns. */
function testFiles(parts) {
  const files = readdirSync(join(ROOT, "tests"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => join("tests", file))
    .sort();
  return parts.length === 0 ? files : files.filter((file) => parts.some((part) => file.includes(part)));
}

const files = testFiles(process.argv.slice(2));
if (files.length === 0) {
  console.error("error: no test file matches");
  process.exit(1);
}
process.exitCode =
  run("types", join(BIN, "tsc"), "-p", "tsconfig.json") ||
  run("types of src, which has neither Node nor a browser", join(BIN, "tsc"), "-p", "src/tsconfig.json") ||
  run("types of what runs on Moddable", join(BIN, "tsc"), "-p", "hal/tsconfig.json") ||
  run(
    "types of the console, which runs in a browser",
    join(BIN, "tsc"),
    "-p",
    "host-sim/cloud/console/web/tsconfig.json",
  ) ||
  run("lint", join(BIN, "oxlint")) ||
  // Two at a time: some of them measure nothing but still mind a starved machine.
  // A file that takes half an hour hangs: Node 20 may look for the text of a failed assertion for ever (assert.ok without a message, under tsx).
  run(
    "tests",
    process.execPath,
    "--import",
    "tsx",
    "--test",
    "--test-concurrency=2",
    "--test-timeout=1800000",
    "--test-reporter=spec",
    ...files,
  );
