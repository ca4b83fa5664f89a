/**
 * docs/SECURITY.md names a test for each defence: the test is there, under that name, and every link leads somewhere.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../", import.meta.url);
const DOCUMENT = new URL("docs/SECURITY.md", ROOT);
const text = readFileSync(DOCUMENT, "utf8");

test("every file that is linked or named is there", () => {
  const linked = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path]) => new URL(path!, DOCUMENT));
  const named = [...text.matchAll(/`((?:tests|src|hal|host-sim|scripts)\/[^`*]*)`/g)].map(
    ([, path]) => new URL(path!, ROOT),
  );
  assert.ok(linked.length > 25 && named.length > 15);
  for (const url of [...linked, ...named]) assert.ok(existsSync(url), url.pathname);
});

/** Titles in italics on lines that link to tests. Fails where none of a line's files has one. */
function checkTitles(document: string): number {
  let count = 0;
  for (const line of document.split("\n")) {
    const files = [...line.matchAll(/\]\((\.\.\/tests\/[^)]+)\)/g)].map(([, path]) =>
      readFileSync(new URL(path!, DOCUMENT), "utf8"),
    );
    if (files.length === 0) continue;
    for (const [, title] of line.matchAll(/(?<!\*)\*([^*]+)\*(?!\*)/g)) {
      assert.ok(
        files.some((file) => file.includes(title!)),
        title,
      );
      count++;
    }
  }
  return count;
}

test("every title in italics is one of the tests that its line links to", () => {
  const count = checkTitles(text);
  assert.ok(count > 40, `${count} titles`);
});

test("docs/PLATFORMS.md: what works on a platform is shown by the test that the cell names", () => {
  const document = readFileSync(new URL("docs/PLATFORMS.md", ROOT), "utf8");
  const [, section = ""] = /\n## What works where\n([^]*?)\n## /.exec(document) ?? [];
  const shown = [...section.matchAll(/\| yes\b[^|]*/g)];
  assert.ok(shown.length >= 12, `${shown.length} cells`);
  for (const [cell] of shown) assert.equal(checkTitles(cell), 1, cell);
});

test("the README gives a reason for every package", () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8")) as Record<
    string,
    Record<string, string>
  >;
  const readme = readFileSync(new URL("README.md", ROOT), "utf8");
  const rows = [
    ...(/\n## Dependencies\n([^]*?)\n## /.exec(readme)?.[1] ?? "").matchAll(/^\| ([^|]+) \| [^|]{8,} \|$/gm),
  ].flatMap(([, names]) => names!.split(", "));
  assert.deepEqual(
    rows.filter((name) => name !== "package").sort(),
    Object.keys({ ...dependencies, ...devDependencies }).sort(),
  );
});
