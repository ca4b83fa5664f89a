/**
 * `npm test`: format, types, lint, then every test file; an error in the first three is the end of it. Ends with a
 * table of seconds by area and the test runner's own counts. The test files are bundled first, and so is the command
 * that they start: that takes two seconds and saves some 300 of the processor.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { bundle, bundleCommand, bundledCommand } from "../host-sim/bin/bundle.mjs";
import { LANES, ROOT, isUnit, testFiles, unitTotal } from "./test-files.mjs";
import { secondsByArea, table } from "./test-table.mjs";

const USAGE = `npm test                      format check, types, lint, every test; a table of seconds by area
npm test -- NAME ...          only the test files whose path contains a NAME; no format check, types or lint
npm run test:unit             no browser, no power-cut search, no process of a board: under a minute
npm run test:watch [-- NAME]  runs unit tests (or those that match) again whenever a file changes
npm run test:long             what is too large for each run: long searches, all mutants, fuzzing, fleets

Arguments that begin with --test- go to node's test runner, for example --test-name-pattern="rolls back".`;

const BIN = join(ROOT, "node_modules", ".bin");
/** The bundles of a run begin with this: two runs at the same time have a folder each. */
const TESTS_BUNDLED = join(ROOT, "build", "tests-");
/**
 * A file that takes half an hour hangs: Node 20 may look for the text of a failed assertion for ever (assert.ok without
 * a message, under tsx).
 */
const FILE_TIMEOUT = 1_800_000;

function run(title, command, args, env = {}) {
  console.log(`\n> ${title}`);
  const { status, signal, error } = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error) console.error(error.message);
  return status ?? (signal === null ? 1 : 128);
}

const CHECKS = [
  ["format", "oxfmt", "--check"],
  ["types", "tsc", "-p", "tsconfig.json"],
  ["types of src, which has neither Node nor a browser", "tsc", "-p", "src/tsconfig.json"],
  ["types of what runs on Moddable", "tsc", "-p", "hal/tsconfig.json"],
  ["types of the console, which runs in a browser", "tsc", "-p", "host-sim/cloud/console/web/tsconfig.json"],
  ["lint", "oxlint"],
];

/** Exit status of the first check that fails, or 0; with the seconds that they took. */
function check() {
  const started = performance.now();
  let status = 0;
  for (const [title, tool, ...args] of CHECKS) status ||= run(title, join(BIN, tool), args);
  return { status, seconds: (performance.now() - started) / 1000 };
}

/** Runs test files; `seconds` of each and the runner's `counts` beside the exit status. */
async function runTests(files, more) {
  if (bundledCommand() === undefined) await bundleCommand();
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-test-"));
  const bundles = mkdtempSync(TESTS_BUNDLED);
  const [log, counts] = [join(folder, "seconds"), join(folder, "counts")];
  const read = (file) => (existsSync(file) ? readFileSync(file, "utf8") : "");
  try {
    await bundle(files, bundles);
    const args = ["--enable-source-maps", "--import", "./scripts/test-seconds.mjs", "--test"];
    args.push(`--test-concurrency=${LANES}`);
    args.push(`--test-timeout=${FILE_TIMEOUT}`, "--test-reporter=spec", "--test-reporter-destination=stdout");
    args.push("--test-reporter=./scripts/test-counts.mjs", `--test-reporter-destination=${counts}`);
    const bundled = files.map((file) => join(bundles, file.replace(/ts$/, "mjs")));
    const status = run("tests", process.execPath, [...args, ...more, ...bundled], { XS_OTA_TEST_SECONDS: log });
    const seconds = read(log)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line))
      .map(({ file, seconds }) => ({ file: relative(bundles, file), seconds }));
    return { status, seconds, counts: JSON.parse(read(counts) || "{}") };
  } finally {
    for (const each of [folder, bundles]) rmSync(each, { recursive: true, force: true });
  }
}

function closing({ tests = 0, pass = 0, fail = 0, cancelled = 0, skipped = 0 }, seconds) {
  const others = (cancelled > 0 ? `, ${cancelled} cancelled` : "") + (skipped > 0 ? `, ${skipped} skipped` : "");
  return `${fail + cancelled === 0 && tests > 0 ? "ok" : "failed"}: ${tests} tests, ${pass} passed, ${fail} failed${others}, ${seconds.toFixed(0)} s`;
}

function watch(files) {
  const args = ["--import", "tsx", "--test", "--watch", `--test-concurrency=${LANES}`, "--test-reporter=dot"];
  return run("tests, again after each change; Ctrl-C ends it", process.execPath, [...args, ...files]);
}

async function main(args) {
  const flags = args.filter((arg) => arg.startsWith("--"));
  const names = args.filter((arg) => !arg.startsWith("--"));
  const own = ["--help", "--unit", "--watch"];
  const unknown = flags.find((flag) => !own.includes(flag) && !flag.startsWith("--test-"));
  if (unknown !== undefined) throw new Error(`unknown option ${unknown}; see npm test -- --help`);
  if (flags.includes("--help")) return console.log(USAGE);
  const unit = flags.includes("--unit") || (flags.includes("--watch") && names.length === 0);
  const files = testFiles().filter(
    (file) => (!unit || isUnit(file)) && (names.length === 0 || names.some((name) => file.includes(name))),
  );
  if (files.length === 0) throw new Error(`no test file matches ${names.join(" ")}`);
  if (flags.includes("--watch")) return (process.exitCode = watch(files));
  const whole = !unit && names.length === 0;
  const started = performance.now();
  const checks = whole ? check() : { status: 0, seconds: 0 };
  if (checks.status !== 0) return (process.exitCode = checks.status);
  const { status, seconds, counts } = await runTests(
    files,
    flags.filter((flag) => !own.includes(flag)),
  );
  process.exitCode = status;
  if (whole) console.log(`\n${table(secondsByArea(checks.seconds, seconds))}`);
  const all = (performance.now() - started) / 1000;
  if (unit && all > unitTotal) console.log(`\nover budget: ${all.toFixed(0)} s of ${unitTotal} s for the unit tests`);
  console.log(`\n${closing(counts, all)}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
