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

test("every title in italics is one of the tests that its line links to", () => {
  let count = 0;
  for (const line of text.split("\n")) {
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
  assert.ok(count > 40, `${count} titles`);
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
