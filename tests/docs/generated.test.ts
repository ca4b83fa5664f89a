/** The generated parts of the documents are those that the sources give now. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { SECTIONS, replaceSection } from "../../scripts/docs/sections";

for (const section of SECTIONS) {
  test(`${section.document}: the part "${section.mark}" is up to date (npm run docs writes it)`, () => {
    const text = readFileSync(new URL(`../../${section.document}`, import.meta.url), "utf8");
    assert.ok(replaceSection(text, section) === text, `${section.mark} in ${section.document} is stale`);
  });
}

test("a document without the marks of a section is an error that names both", () => {
  const section = { document: "docs/NONE.md", mark: "gone", render: () => "" };
  assert.throws(() => replaceSection("# None\n", section), /docs\/NONE\.md has no marks for gone/);
});
