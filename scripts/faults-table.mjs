/**
 * `npm run faults:table [-- PART ...]`: runs the tests of named faults, which measure the rows, prints the tables and
 * writes them between the marks of their documents. The network's parts also draw docs/reconnects.svg. Copies stay in
 * build/network and build/stages.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const network = (part) => ({
  test: `tests/network/${part}-faults.test.ts`,
  table: `build/network/${part}.md`,
  document: "docs/NETWORK.md",
});
const PARTS = {
  http: network("http"),
  mqtt: network("mqtt"),
  tls: network("tls"),
  stages: { test: "tests/stages/stages.test.ts", table: "build/stages/board.md", document: "docs/DESIGN.md" },
};

const asked = process.argv.slice(2);
const unknown = asked.find((part) => !Object.hasOwn(PARTS, part));
if (unknown !== undefined) {
  console.error(`error: no part ${unknown}: ${Object.keys(PARTS).join(", ")}`);
  process.exit(1);
}

for (const part of asked.length === 0 ? Object.keys(PARTS) : asked) {
  const { test, table, document } = PARTS[part];
  // One after the other: the clock of each jumps when its own process is quiet.
  const { status } = spawnSync(process.execPath, ["--import", "tsx", "--test", test], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) {
    console.error(`error: ${test} fails; its table was not changed`);
    process.exit(1);
  }
  const rows = readFileSync(join(ROOT, table), "utf8").trim();
  console.log(`${rows}\n`);
  const path = join(ROOT, document);
  const text = readFileSync(path, "utf8");
  const [begin, end] = [`<!-- ${part}: begin -->`, `<!-- ${part}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${document} has no marks for ${part}`);
  writeFileSync(path, `${text.slice(0, from + begin.length)}\n${rows}\n${text.slice(to)}`);
}
if (asked.length > 0 && asked.every((part) => PARTS[part].document !== "docs/NETWORK.md")) process.exit(0);

const draw =
  'import { reconnects, plotReconnects } from "./host-sim/cloud/fleet/reconnects.ts"; process.stdout.write(plotReconnects(reconnects(1000, 300, 1)));';
const { stdout, status } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", draw], {
  cwd: ROOT,
  stdio: ["ignore", "pipe", "inherit"],
});
if (status !== 0) process.exit(1);
writeFileSync(join(ROOT, "docs", "reconnects.svg"), stdout);
