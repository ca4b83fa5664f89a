/** What XS on a chip lacks, or makes dear, occurs nowhere in the agent. Looked for in the code as the compiler leaves it: without types and comments. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { transformSync } from "esbuild";
import { ROOT } from "./harness";

interface Source {
  readonly name: string;
  readonly code: string;
}

/** Modules below a folder, declarations aside. */
function sources(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .map((file) => join(folder, file))
    .map((name) => ({ name, code: withoutComments(transformSync(readFileSync(join(ROOT, name), "utf8"), { loader: "ts", target: "es2022" }).code) }));
}

/** The few that esbuild leaves, inside classes. */
const withoutComments = (code: string): string => code.replace(/^\s*\/\*\*[^]*?\*\/$/gm, "").replace(/^\s*\/\/.*$/gm, "");
/** Words in texts are no code; what a template computes is left. */
const withoutTexts = (code: string): string => code.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""').replace(/`[^`]*`/g, (text) => [...text.matchAll(/\$\{([^}]*)\}/g)].map(([, inner]) => inner).join(";"));

const CORE = sources("src");
/** What is preloaded into the flash of a chip. */
const PRELOADED = [...CORE, ...sources("hal/moddable"), ...sources("hal/esp32"), ...sources("firmware")];

/** Each line of the code that matches, with its file. */
function hits(from: readonly Source[], pattern: RegExp, prepare = (code: string): string => code): string[] {
  return from.flatMap(({ name, code }) =>
    prepare(code)
      .split("\n")
      .filter((line) => pattern.test(line))
      .map((line) => `${name}: ${line.trim()}`),
  );
}

test("the core uses nothing of Node, of a browser, or that XS includes only on demand", () => {
  const absent =
    /\b(TextEncoder|TextDecoder|setTimeout|setInterval|setImmediate|queueMicrotask|Buffer|process|require|console|fetch|structuredClone|performance|Intl|URL|WeakRef|FinalizationRegistry|trace|eval)\b(?!:)/;
  assert.deepEqual(hits(CORE, absent, withoutTexts), []);
  assert.deepEqual(hits(CORE, /\b(Promise|async|await)\b(?!:)/, withoutTexts), []);
});

test("the core imports itself and mqtt-packet, by paths that XS resolves too", () => {
  const imports = CORE.flatMap(({ name, code }) => [...code.matchAll(/^(?:import|export) .*?from "([^"]+)";$/gm)].map(([, path = ""]) => ({ name, path })));
  assert.ok(imports.length > 50);
  for (const { name, path } of imports) {
    if (path === "mqtt-packet") continue;
    assert.match(path, /^\.\.?\//, `${name} imports ${path}`);
    const target = relative(ROOT, join(ROOT, dirname(name), path));
    assert.ok(CORE.some((source) => source.name === `${target}.ts`), `${name} imports ${path}, which is no module of src`);
  }
});

test("preloaded modules have no state: nothing at their top level can change", () => {
  assert.deepEqual(hits(PRELOADED, /^(export )?(let|var) /), []);
  assert.deepEqual(hits(PRELOADED, /^(export )?const \w+ = new (Map|Set|WeakMap|WeakSet|Array|Object)\b/), []);
  assert.deepEqual(hits(PRELOADED, /^ {2}static (?!(get |set |async )?#?\w+\(|#?\w+ = Object\.freeze)/), []);
});

test("tables of preloaded modules are frozen: the preloader complains of others, and each takes an alias in RAM", () => {
  assert.deepEqual(hits(PRELOADED, /^(export )?const \w+ = [[{]/), []);
});

test("no RegExp is made when a module is loaded: XS crashes when it collects garbage while it matches one that lies in flash", () => {
  assert.deepEqual(hits(PRELOADED, /^(export )?const \w+ = (\/|new RegExp)/), []);
  assert.deepEqual(hits(PRELOADED, /^ {2}static .* = (\/|new RegExp)/), []);
});

test("no private methods by #: XS gives each of them a slot in every object of the class", () => {
  assert.deepEqual(hits(PRELOADED, /^ {2}(static |get |set |async )*#\w+\(/), []);
});

test("nothing calls itself without a bound: a chip's stack has a few hundred slots", () => {
  /** With what bounds each. */
  const bounded: { readonly [name: string]: string } = {
    "src/agent/file-link.ts: readable": "by way of a timer, in a turn of its own",
    "hal/moddable/safe-tls.ts: pump": "by way of a timer, in a turn of its own",
  };
  const found: string[] = [];
  for (const { name, code } of PRELOADED) {
    for (const [, word = "", body = ""] of code.matchAll(/^(?:export )?function (\w+)\([^]*?\{\n([^]*?)^\}/gm))
      if (new RegExp(`(?<![.#\\w])${word}\\(`).test(body)) found.push(`${name}: ${word}`);
    for (const [, word = "", body = ""] of code.matchAll(/^ {2}(?:static |get )?(\w+)\([^\n]*\{\n([^]*?)^ {2}\}/gm))
      if (new RegExp(`this\\.${word}\\(`).test(body)) found.push(`${name}: ${word}`);
  }
  assert.deepEqual(found.filter((each) => bounded[each] === undefined), []);
});

test("the library's manifest names every module of src", () => {
  const { modules } = JSON.parse(readFileSync(join(ROOT, "src", "manifest.json"), "utf8")) as { modules: { [name: string]: string } };
  for (const { name } of CORE) {
    const path = name.replace(/\.ts$/, "");
    const whole = modules[`xs-ota/${path}`] === `./${relative("src", path)}`;
    const folder = modules[`xs-ota/${dirname(path)}/*`] === `./${relative("src", dirname(path))}/*`;
    assert.ok(whole || folder, `${name} is in no module of the manifest`);
  }
});

test("manifests preload by name: to mcconfig a wildcard means modules in JavaScript only", () => {
  for (const file of ["manifest.json", "src/manifest.json", "hal/moddable/manifest.json", "hal/moddable/manifest_network.json", "hal/esp32/manifest.json"]) {
    const { preload } = JSON.parse(readFileSync(join(ROOT, file), "utf8")) as { preload: string[] };
    // Of the SDK's own, which are JavaScript.
    assert.deepEqual(preload.filter((name) => name.includes("*") && name !== "ssl/*"), [], file);
  }
});
