/** What a minified bundle does is what its modules do. `npm run test:moddable -- update` runs the whole library so. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { bundleModules } from "../../host-sim/bundle/javascript";
import { withShortNames } from "../../host-sim/bundle/short-names";
import { temporaryFolder } from "../kit/folder";

const shortened = (text: string): string => withShortNames(new Map([["m", text]])).get("m")!;

test("private members share short names, apart from those of the classes that theirs extend", () => {
  const base = "class A { private counted = 0; private total = 1; sum() { return this.counted + this.total; } }";
  assert.equal(
    shortened(
      `${base} class B extends A { private extra = 2; more() { return this.extra; } } class C { private other = 3; }`,
    ),
    "class A { private a = 0; private b = 1; sum() { return this.a + this.b; } } " +
      "class B extends A { private c = 2; more() { return this.c; } } class C { private a = 3; }",
  );
});

for (const [why, text] of [
  ["it is public", "class A { count = 0; at() { return this.count; } }"],
  ["another object of the class is asked", "class A { private count = 0; at(other: A) { return other.count; } }"],
  [
    "a method returns this",
    "class A { private count = 0; add(): this { return this; } two() { return this.add().count; } }",
  ],
  ["this is taken apart", "class A { private count = 0; at() { const { count } = this; return count; } }"],
  ["its name is a text", 'class A { private count = 0; at() { return ["count"]; } }'],
  ["it is found by a computed name", "class A { private count = 0; at(name: keyof A) { return this[name]; } }"],
  ["it is the constructor", "class A { private constructor() {} }"],
  ["it is static", "class A { private static count = 0; }"],
] as const)
  test(`a member keeps its name where ${why}`, () => assert.equal(shortened(text), text));

/** Modules by name, as files of a test. */
function modules(t: TestContext, texts: Readonly<Record<string, string>>): Map<string, string> {
  const folder = temporaryFolder(t);
  return new Map(
    Object.entries(texts).map(([name, text], index) => {
      const file = join(folder, `${index}.ts`);
      writeFileSync(file, text);
      return [name, file];
    }),
  );
}

test("a bundle has one export for each thing, constants at the top, and exports what its modules do", async (t) => {
  const files = modules(t, {
    lib: 'export { Tally, Tally as default } from "./inner/tally";\nexport const LIMITS: readonly number[] = Object.freeze([1, 2]);\n',
    "inner/tally":
      'import { step } from "./step";\nexport class Tally {\n  private counted = 0;\n  private last: number | undefined;\n' +
      "  add(value: number): number { this.last = value; return (this.counted += step(value)); }\n  get seen() { return this.last; }\n}\n",
    "inner/step":
      "const FACTOR = 3;\nexport const step = (value: number): number => { if (value < 0) throw new RangeError(`${value} < 0`); return value * FACTOR; };\n",
  });
  for (const minify of [true, false]) {
    const { code, names, inside } = await bundleModules({ modules: files, names: ["lib"], minify });
    assert.deepEqual([...inside].sort(), ["inner/step", "inner/tally", "lib"]);
    assert.doesNotMatch(code, /\b(var|let)\b/);
    const path = join(temporaryFolder(t), "bundle.mjs");
    writeFileSync(path, code);
    const bundle = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    const exported = names.get("lib")!;
    assert.deepEqual([...exported.keys()], ["LIMITS", "Tally", "default"]);
    assert.equal(exported.get("Tally"), exported.get("default"));
    assert.equal(Object.keys(bundle).length, 2);
    assert.deepEqual(bundle[exported.get("LIMITS")!], [1, 2]);
    const tally = new (bundle[exported.get("Tally")!] as new () => { add(value: number): number; seen?: number })();
    assert.deepEqual([tally.seen, tally.add(2), tally.add(3), tally.seen], [undefined, 6, 15, 3]);
    assert.throws(() => tally.add(-1), new RangeError("-1 < 0"));
    assert.equal(code.includes("counted"), !minify);
  }
});

test("a C function stays bound: its method is left as it is", async (t) => {
  const files = modules(t, {
    lib: 'class Chip { static read(at: number): number { return native("chip_read").call(this, at) as number; } }\nexport const word = (at: number): number => Chip.read(at) + Chip.read(at + 1);\n',
  });
  const { code } = await bundleModules({ modules: files, names: ["lib"], minify: true });
  assert.match(code, /static read\((\w)\)\{return native\("chip_read"\)\.call\(this,\1\)\}/);
});
