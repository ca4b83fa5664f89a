/** No document names a file that is not there. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../", import.meta.url);
const DOCUMENTS = [
  "README.md",
  ...readdirSync(new URL("docs/", ROOT))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

for (const name of DOCUMENTS) {
  test(`${name}: every link and picture is there, and the heading that a link leads to`, () => {
    const document = new URL(name, ROOT);
    const text = readFileSync(document, "utf8");
    for (const [, path = "", heading] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
      const target = path === "" ? document : new URL(path, document);
      assert.ok(existsSync(target), `${name} links to ${path}`);
      if (heading === undefined) continue;
      const anchors = [...readFileSync(target, "utf8").matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
        title!
          .toLowerCase()
          .replace(/[^\w\- ]/g, "")
          .replaceAll(" ", "-"),
      );
      assert.ok(anchors.includes(heading), `${name} links to ${path}#${heading}`);
    }
  });

  test(`${name}: every npm script that it tells of exists`, () => {
    const { scripts } = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const [, script = ""] of readFileSync(new URL(name, ROOT), "utf8").matchAll(/npm run ([a-z][\w:-]*)/g))
      assert.ok(script in scripts, script);
  });
}
