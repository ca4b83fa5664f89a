/** No document, comment or message names a document, a heading or a script that is not there. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { ROOT, anchorsOf, filesOf, guidePages, readDocument } from "./documents";

const DOCUMENTS = filesOf(/\.md$/);

for (const name of DOCUMENTS) {
  test(`${name}: every link and picture is there, and the heading that a link leads to`, () => {
    const document = new URL(name, ROOT);
    const text = readDocument(name);
    for (const [, path = "", heading] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
      const target = path === "" ? document : new URL(path, document);
      assert.ok(existsSync(target), `${name} links to ${path}`);
      if (heading === undefined) continue;
      const anchors = anchorsOf(path === "" ? text : readDocument(target.href.slice(ROOT.href.length)));
      assert.ok(anchors.includes(heading), `${name} links to ${path}#${heading}`);
    }
  });

  test(`${name}: every npm script that it tells of exists`, () => {
    const { scripts } = JSON.parse(readDocument("package.json")) as { scripts: Record<string, string> };
    for (const [, script = ""] of readDocument(name).matchAll(/npm run ([a-z][\w:-]*)/g))
      assert.ok(script in scripts, script);
  });
}

test("every document that code, messages and manifests name is there, with the heading that they name", () => {
  let count = 0;
  for (const name of [...filesOf(/\.(ts|tsx|mts|mjs|c|h|json|defaults|md)$/), "package.json"]) {
    // These hold names of documents that are not there, to see what becomes of them.
    if (name.startsWith("tests/docs/")) continue;
    for (const [, path = "", , heading] of readDocument(name).matchAll(
      /\b(docs\/[\w/-]+\.md)(?:, \\?(["'])((?:(?!\2)[^\\\n])+)\\?\2)?/g,
    )) {
      assert.ok(existsSync(new URL(path, ROOT)), `${name} names ${path}`);
      count++;
      if (heading === undefined) continue;
      const wanted = anchorsOf(`# ${heading}`)[0]!;
      const named = anchorsOf(readDocument(path)).includes(wanted) || readDocument(path).includes(`**${heading}`);
      assert.ok(named, `${name} names "${heading}" of ${path}`);
    }
  }
  assert.ok(count > 80, `${count} names`);
});

test("the guide: the README leads to each page, each page to the next, and none is longer than 150 lines", () => {
  const pages = guidePages();
  assert.ok(pages.length >= 8);
  const readme = readDocument("README.md");
  let before = -1;
  for (const [n, page] of pages.entries()) {
    const at = readme.indexOf(`](${page})`);
    assert.ok(at > before, `README.md names ${page} in its order`);
    before = at;
    const text = readDocument(page);
    assert.ok(text.split("\n").length <= 151, `${page} has ${text.split("\n").length - 1} lines`);
    const next = pages[n + 1];
    if (next !== undefined)
      assert.ok(text.includes(`](${next.slice("docs/guide/".length)}`), `${page} leads to ${next}`);
  }
});
