/** The linter refuses an import against the direction, and a cycle, also of types alone. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { temporaryFolder } from "../kit/folder";
import { ROOT } from "./sources";

/** What the linter of this repository says of a tree of files. */
function lint(
  t: TestContext,
  files: Readonly<Record<string, string>>,
): { readonly failed: boolean; readonly text: string } {
  const folder = temporaryFolder(t);
  copyFileSync(join(ROOT, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const { status, stdout, stderr } = spawnSync(join(ROOT, "node_modules", ".bin", "oxlint"), [], {
    cwd: folder,
    encoding: "utf8",
  });
  return { failed: status !== 0, text: stdout + stderr };
}

const value = (path: string): string => `import { a } from "${path}";\nexport const b = a;\n`;
const type = (path: string): string => `import type { A } from "${path}";\nexport type B = A;\n`;
const A = "export const a = 1;\nexport type A = number;\n";

const AGAINST: readonly (readonly [string, string])[] = [
  ["src/agent/b.ts", "hal/esp32/a"],
  ["src/b.ts", "host-sim/board/a"],
  ["src/b.ts", "tests/kit/a"],
  ["hal/esp32/b.ts", "host-sim/board/a"],
  ["hal/esp32/b.ts", "tests/kit/a"],
  ["host-sim/cli/b.ts", "tests/kit/a"],
  ["host-sim/cli/b.ts", "bench/a"],
];

for (const [from, to] of AGAINST) {
  test(`an import of ${to} in ${from} is refused`, (t) => {
    const path = `${"../".repeat(from.split("/").length - 1)}${to}`;
    for (const text of [value(path), type(path)]) {
      const { failed, text: said } = lint(t, { [from]: text, [`${to}.ts`]: A });
      assert.ok(failed);
      assert.match(said, /Imports go one way/);
    }
  });
}

test("imports in the direction pass", (t) => {
  const { failed, text } = lint(t, {
    "src/a.ts": A,
    "hal/esp32/b.ts": value("../../src/a"),
    "host-sim/board/c.ts": value("../../hal/esp32/b").replace("{ a }", "{ b as a }"),
    "tests/kit/d.ts": type("../../src/a"),
  });
  assert.ok(!failed, text);
});

test("a cycle is refused, of values and of types alone", (t) => {
  const values = {
    "src/a.ts": 'import { c } from "./c";\nexport const a = (): number => c();\n',
    "src/c.ts": 'import { a } from "./a";\nexport const c = (): number => a();\n',
  };
  const types = {
    "src/a.ts": 'import type { C } from "./c";\nexport type A = C[];\n',
    "src/c.ts": 'import type { A } from "./a";\nexport interface C {\n  readonly a: A;\n}\n',
  };
  for (const files of [values, types]) {
    const { failed, text } = lint(t, files);
    assert.ok(failed, text);
    assert.match(text, /no-cycle/);
  }
});
