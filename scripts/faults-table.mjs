/**
 * `npm run faults:table`: runs the tests of named faults, which measure the rows, and writes the tables between the
 * marks of docs/NETWORK.md. It draws docs/reconnects.svg, and leaves a copy of the tables in build/network/faults.md.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const DOCUMENT = join(ROOT, "docs", "NETWORK.md");
const PARTS = { http: "File servers", mqtt: "Brokers", tls: "TLS" };

for (const part of Object.keys(PARTS)) {
  // One after the other: the clock of each jumps when its own process is quiet.
  const { status } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--test", `tests/network/${part}-faults.test.ts`],
    { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] },
  );
  if (status !== 0) {
    console.error(`error: tests/network/${part}-faults.test.ts fails; nothing was changed`);
    process.exit(1);
  }
}

const tables = Object.fromEntries(
  Object.keys(PARTS).map((part) => [part, readFileSync(join(ROOT, "build", "network", `${part}.md`), "utf8").trim()]),
);
writeFileSync(
  join(ROOT, "build", "network", "faults.md"),
  Object.entries(PARTS)
    .map(([part, title]) => `## ${title}\n\n${tables[part]}\n`)
    .join("\n"),
);

let text = readFileSync(DOCUMENT, "utf8");
for (const [part, table] of Object.entries(tables)) {
  const [begin, end] = [`<!-- ${part}: begin -->`, `<!-- ${part}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/NETWORK.md has no marks for ${part}`);
  text = `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`;
}
writeFileSync(DOCUMENT, text);

const draw =
  'import { reconnects, plotReconnects } from "./host-sim/cloud/fleet/reconnects.ts"; process.stdout.write(plotReconnects(reconnects(1000, 300, 1)));';
const { stdout, status } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", draw], {
  cwd: ROOT,
  stdio: ["ignore", "pipe", "inherit"],
});
if (status !== 0) process.exit(1);
writeFileSync(join(ROOT, "docs", "reconnects.svg"), stdout);
