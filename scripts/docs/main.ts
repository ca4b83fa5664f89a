/**
 * `npm run docs`: writes the generated parts of the documents between their marks.
 *
 *     npm run docs                 writes
 *     npm run docs -- --check      changes nothing; exit code 1 where a document is not up to date
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SECTIONS, replaceSection } from "./sections";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const flags = process.argv.slice(2);
if (flags.includes("--help") || flags.some((flag) => flag !== "--check")) {
  console.log(
    "usage: npm run docs [-- --check]\n\nWrites the generated parts of the documents. --check only compares.",
  );
  process.exit(flags.includes("--help") ? 0 : 1);
}

let stale = 0;
for (const document of new Set(SECTIONS.map(({ document }) => document))) {
  const path = join(ROOT, document);
  const before = readFileSync(path, "utf8");
  const after = SECTIONS.filter((each) => each.document === document).reduce(replaceSection, before);
  if (after === before) continue;
  stale++;
  if (flags.includes("--check")) console.error(`${document}: not up to date; npm run docs writes it`);
  else writeFileSync(path, after);
}
console.log(
  `${stale} of ${new Set(SECTIONS.map(({ document }) => document)).size} documents ${flags.includes("--check") ? "are stale" : "changed"}`,
);
process.exitCode = flags.includes("--check") && stale > 0 ? 1 : 0;
