/**
 * What XS on a chip lacks, or makes dear, occurs nowhere in the agent. Looked for in the code as the compiler leaves
 * it: without types and comments.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { transformSync } from "esbuild";
import { recursive } from "./call-graph";
import { modulesOf, withoutManifests } from "../esp32/manifest-tree";
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
    .map((name) => ({
      name,
      code: withoutComments(
        transformSync(readFileSync(join(ROOT, name), "utf8"), { loader: "ts", target: "es2022" }).code,
      ),
    }));
}

/** The few that esbuild leaves, inside classes. */
const withoutComments = (code: string): string =>
  code
    .replaceAll("/* @__PURE__ */ ", "")
    .replace(/^\s*\/\*\*[^]*?\*\/$/gm, "")
    .replace(/^\s*\/\/.*$/gm, "");
/** Words in texts are no code; what a template computes is left. */
const withoutTexts = (code: string): string =>
  code
    .replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""')
    .replace(/`[^`]*`/g, (text) => [...text.matchAll(/\$\{([^}]*)\}/g)].map(([, inner]) => inner).join(";"));

const CORE = sources("src");
/** The model of the chip: in Node and in Moddable's simulator as it is. */
const MODEL = sources("hal/model-chip");
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

test("the core and the model of the chip use nothing of Node, of a browser, or that XS includes only on demand", () => {
  const absent =
    /\b(TextEncoder|TextDecoder|setTimeout|setInterval|setImmediate|queueMicrotask|Buffer|process|require|console|fetch|structuredClone|performance|Intl|URL|WeakRef|FinalizationRegistry|trace|eval)\b(?!:)/;
  assert.deepEqual(hits([...CORE, ...MODEL], absent, withoutTexts), []);
  assert.deepEqual(hits([...CORE, ...MODEL], /\b(Promise|async|await)\b(?!:)/, withoutTexts), []);
});

/** What the modules import. Throws where that can not be told. */
function imports(from: readonly Source[]): { readonly name: string; readonly path: string }[] {
  return from.flatMap(({ name, code }) =>
    [...code.matchAll(/\bfrom "([^"]+)";$|^import "([^"]+)"|\bimport\(([^)]*)\)/gm)].map(
      ([, from, alone, computed]) => ({ name, path: from ?? alone ?? computed ?? "" }),
    ),
  );
}

for (const [what, modules, count] of [
  ["core imports only itself", CORE, 50],
  ["model of the chip imports only itself and the core", MODEL, 20],
] as const) {
  test(`the ${what}, by paths that XS resolves too`, () => {
    const found = imports(modules);
    assert.ok(found.length > count);
    for (const { name, path } of found) {
      // The module that gives a platform its public name imports that platform by its module name.
      if (name === `${dirname(name)}/entry.ts` && path === `xs-ota/${dirname(name)}/dialect`) continue;
      assert.match(path, /^\.\.?\//, `${name} imports ${path}`);
      const target = relative(ROOT, join(ROOT, dirname(name), path));
      assert.ok(
        [...CORE, ...modules].some((source) => source.name === `${target}.ts`) ||
          (target.startsWith("src/vendor/") && existsSync(join(ROOT, `${target}.js`))),
        `${name} imports ${path}, which is no module of its`,
      );
    }
  });
}

test("preloaded modules have no state: nothing at their top level can change", () => {
  assert.deepEqual(hits(PRELOADED, /^(export )?(let|var) /), []);
  // Numbers, texts, sums of constants, other names for a function, functions, frozen tables, an array without room for
  // anything, a frozen colour.
  const constant =
    /^(-?\d|["`]|[\w+ *]+;$|\(?.*\)? =>|Object\.freeze\(|frozen\(|new Uint8Array\(0\);$|rgb\([\d, ]+\);$)/;
  const others = PRELOADED.flatMap(({ name, code }) =>
    [...code.matchAll(/^(?:export )?const (\w+) = (.*)$/gm)]
      .filter(([, , value = ""]) => !constant.test(value))
      .map(([line]) => `${name}: ${line}`),
  );
  assert.deepEqual(others, []);
  assert.deepEqual(hits(PRELOADED, /^ {2}static (?!(get |set |async )?#?\w+\(|#?\w+ = Object\.freeze)/), []);
});

/** Of each table that is frozen level by level the whole text; `frozen` freezes all levels by itself. */
const TABLES = PRELOADED.flatMap(({ name, code }) =>
  [...code.matchAll(/^(?:export )?const (\w+) = Object\.freeze\((?:[^\n]*\);$|[^]*?^.*\);$)/gm)].map(
    ([text, word]) => ({ name: `${name}: ${word}`, text }),
  ),
);

test("tables of preloaded modules are frozen all the way down: the preloader complains of others, and each takes an alias in RAM", () => {
  assert.ok(TABLES.length > 20);
  // An array or an object begins after a comma, a colon or a parenthesis; after `=>` it is a function's body.
  const unfrozen = TABLES.filter(({ text }) =>
    /(?:[,:]\s*|(?<!freeze)\(\s*|\[\s*)[[{](?![^\]\n]*\]:)/.test(
      text.replace(/=> \{/g, "=>").replace(/"[^"\n]*"/g, '""'),
    ),
  );
  assert.deepEqual(
    unfrozen.map(({ name }) => name),
    [],
  );
});

test("no RegExp is made when a module is loaded: XS crashes when it collects garbage while it matches one that lies in flash", () => {
  assert.deepEqual(hits(PRELOADED, /^(export )?const \w+ = (\/|new RegExp)/), []);
  assert.deepEqual(hits(PRELOADED, /^ {2}static .* = (\/|new RegExp)/), []);
  assert.deepEqual(
    TABLES.filter(({ text }) => /[[(,:]\s*(\/[^/*\n]|new RegExp)/.test(text.replace(/"[^"\n]*"/g, '""'))).map(
      ({ name }) => name,
    ),
    [],
  );
});

test("no private methods by #: XS gives each of them a slot in every object of the class", () => {
  assert.deepEqual(hits(PRELOADED, /^ {2}(static |get |set |async )*#\w+\(/), []);
});

test("the core and the ports have no private fields by #: of each, every function that names it keeps a closure in flash", () => {
  const files = PRELOADED.filter(({ name }) => !name.startsWith("firmware/"));
  assert.deepEqual(hits(files, /#\w/, withoutTexts), []);
});

test("nothing calls itself without a bound, on its own or by way of others of its module: a chip's stack has a few hundred slots", () => {
  /** What bounds each. */
  const bounded: { readonly [module: string]: readonly [by: string, names: string] } = {
    "src/agent/agent.ts": [
      "ticks and the sleep come from a timer",
      "enter arm tick start boot network settle leave sleep",
    ],
    "src/agent/job-runner.ts": ["events wait in a queue while one is dispatched", "dispatch handle execute tell ask"],
    "src/recorder/recording-writer.ts": ["the depth of an event: a task in it and its digest", "value compound"],
    "src/recorder/snapshot.ts": ["the depth of the job: a container, its part and a digest", "value record"],
    "src/util/frozen.ts": ["the depth of the tables that are written in the source", "frozen"],
    "src/protocol/driver.ts": [
      "a machine whose connection is lost sends nothing more; reading continues in a turn of its own",
      "readable run execute lost stop",
    ],
    "hal/moddable/safe-tls.ts": ["by way of a timer", "pump"],
    "hal/esp32/sntp.ts": ["by way of sockets and timers", "ask send receive answered retry"],
    "hal/esp32/tcp/udp-socket.ts": ["by way of a timer", "readable"],
    "hal/esp32/network/keeper.ts": ["by way of timers", "join giveUp retry"],
  };
  const found = PRELOADED.flatMap(({ name, code }) =>
    recursive(code).map((each) => ({ name, word: each.replace(/^\w+\./, "") })),
  );
  assert.ok(
    found.some(({ word }) => word === "dispatch"),
    "the search finds what there is",
  );
  assert.deepEqual(
    found.filter(({ name, word }) => !bounded[name]?.[1].split(" ").includes(word)),
    [],
  );
});

/** What no chip needs: its engine has MD5. */
const NOT_LINKED = new Set(["src/crypto/portable-md5.ts"]);

test("the library's manifests name every module of src that has code", () => {
  const library = join(ROOT, "src", "manifest.json");
  const apps = [library, [library, ...withoutManifests()]];
  const files = apps.flatMap((app) => [...modulesOf(app, "esp32").values()].flat());
  const named = new Set(files.map((file) => relative(ROOT, file)));
  assert.deepEqual(
    CORE.filter(({ name, code }) => code.trim() !== "" && !NOT_LINKED.has(name) && !named.has(name)).map(
      ({ name }) => name,
    ),
    [],
  );
});

test("an app for one cloud links no other: its manifest has the agent and that cloud alone", () => {
  for (const platform of ["tencent", "thingspanel"]) {
    const modules = modulesOf(join(ROOT, "src", "platforms", platform, "manifest.json"), "esp32");
    const files = [...modules.values()].flat().map((file) => relative(ROOT, file));
    assert.ok(files.includes("src/agent/agent.ts"));
    assert.deepEqual(
      files.filter((file) => file.startsWith("src/platforms/") && !file.startsWith(`src/platforms/${platform}/`)),
      ["src/platforms/incoming.ts", "src/platforms/result-codes.ts"],
    );
  }
});

test("manifests preload by name: to mcconfig a wildcard means modules in JavaScript only", () => {
  for (const file of [
    "manifest.json",
    "src/manifest_agent.json",
    ...["tencent", "thingspanel"].map((platform) => `src/platforms/${platform}/manifest.json`),
    "hal/moddable/manifest.json",
    "hal/moddable/manifest_network.json",
    "hal/esp32/manifest.json",
  ]) {
    const { preload } = JSON.parse(readFileSync(join(ROOT, file), "utf8")) as { preload: string[] };
    // Of the SDK's own, which are JavaScript.
    assert.deepEqual(
      preload.filter((name) => name.includes("*") && name !== "ssl/*"),
      [],
      file,
    );
  }
});
