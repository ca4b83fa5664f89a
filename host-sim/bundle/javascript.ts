/** The library's modules as one ES module, and what of it each name that an app imports stands for. */
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { parse } from "@babel/parser";
import { build } from "esbuild";
import type { BuildOptions, Plugin } from "esbuild";
import type { LibraryModules } from "./library-manifests";
import { minified } from "./minified";
import { withShortNames } from "./short-names";

export interface BundleOptions {
  readonly modules: LibraryModules["scripts"];
  /** Names that an app imports. */
  readonly names: readonly string[];
  readonly minify: boolean;
}

export interface Bundle {
  readonly code: string;
  /** What each name exports, with the export of the bundle that it is. */
  readonly names: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Names of the modules that are in it. */
  readonly inside: readonly string[];
}

const NAMESPACE = "library";
/** How a method is bound to its C function: XS sees it only in a function whose body is nothing else. */
const BOUND = /\{\s*(?:return )?native\("\w+"\)\.call\(this[^()]*\);?\s*\}/g;

/** Throws with esbuild's text where a module is wrong. */
export async function bundleModules({ modules, names, minify }: BundleOptions): Promise<Bundle> {
  const texts = new Map([...modules].map(([name, file]) => [name, readFileSync(file, "utf8")]));
  const shared = common(modules, minify ? withShortNames(texts) : texts);
  const exported = await exportsOf(names, shared);
  const wanted = [...exported].flatMap(([name, each]) => each.map((of) => [name, of] as const));
  const contents = wanted.map(
    ([name, of], index) => `export { ${of} as export_${index} } from ${JSON.stringify(name)};\n`,
  );
  const { outputFiles, metafile } = await build({
    ...shared,
    minifySyntax: minify,
    stdin: { contents: contents.join(""), sourcefile: "entry" },
    metafile: true,
  });
  const bundled = outputFiles[0]!.text;
  const made = minify ? await minified(withConstants(bundled)) : withConstants(bundled);
  if (count(made, BOUND) !== count(bundled, /native\("/g)) throw new Error("a native function is not bound any more");
  const [code, shorts] = withoutTwins(made);
  const result = new Map<string, Map<string, string>>(names.map((name) => [name, new Map<string, string>()]));
  for (const [index, [name, of]] of wanted.entries()) result.get(name)!.set(of, shorts.get(`export_${index}`)!);
  const inside = Object.keys(metafile.inputs)
    .filter((path) => path.startsWith(`${NAMESPACE}:`))
    .map((path) => path.slice(NAMESPACE.length + 1));
  return { code, names: result, inside };
}

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/** What each name exports that runs. */
async function exportsOf(
  names: readonly string[],
  shared: ReturnType<typeof common>,
): Promise<Map<string, readonly string[]>> {
  const entryPoints = names.map((name) => ({ in: name, out: name }));
  const { metafile } = await build({ ...shared, entryPoints, outdir: "out", metafile: true });
  const outputs = new Map(Object.values(metafile.outputs).map((each) => [each.entryPoint, each.exports]));
  return new Map(names.map((name) => [name, [...outputs.get(`${NAMESPACE}:${name}`)!].sort()]));
}

/**
 * Constants at the top as they are in the sources: esbuild makes each a `var`, which XS would take for one that changes
 * and give a place in RAM.
 */
function withConstants(code: string): string {
  const { program } = parse(code, { sourceType: "module" });
  const starts = program.body.flatMap((statement) =>
    statement.type === "VariableDeclaration" && statement.kind === "var" ? [statement.start!] : [],
  );
  return starts.reduceRight((text, start) => `${text.slice(0, start)}const${text.slice(start + 3)}`, code);
}

/** One export for each thing that is exported, and which it is by each name that it had. */
function withoutTwins(text: string): [code: string, names: Map<string, string>] {
  const clause = /export\s*\{([^}]*)\};?\s*$/.exec(text);
  if (clause === null) throw new Error("the bundle exports nothing");
  const pairs = clause[1]!.split(",").filter((each) => each.trim() !== "");
  const names = new Map(
    pairs.map((each) => {
      const [local = "", name = local] = each.trim().split(/\s+as\s+/);
      return [name, local];
    }),
  );
  return [`${text.slice(0, clause.index)}export{${[...new Set(names.values())].join(",")}};\n`, names];
}

function common(modules: LibraryModules["scripts"], texts: ReadonlyMap<string, string>) {
  return {
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    // A field without a first value comes to be when it is set. As a definition it takes code, and RAM in each object.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: false } },
    charset: "utf8",
    logLevel: "silent",
    plugins: [byModuleName(modules, texts)],
  } satisfies BuildOptions;
}

/** Modules by name, as XS resolves them: a relative import starts from the importer's name. */
function byModuleName(modules: LibraryModules["scripts"], texts: ReadonlyMap<string, string>): Plugin {
  return {
    name: "module-names",
    setup(host) {
      host.onResolve({ filter: /./ }, ({ path, importer }) => {
        const name = path.startsWith(".") ? posix.join(posix.dirname(importer), path) : path;
        if (modules.has(name)) return { path: name, namespace: NAMESPACE, sideEffects: false };
        if (path.startsWith(".")) return { errors: [{ text: `${importer} imports ${path}, which no manifest names` }] };
        return { path, external: true };
      });
      host.onLoad({ filter: /./, namespace: NAMESPACE }, ({ path }) => ({
        contents: texts.get(path)!,
        loader: modules.get(path)!.endsWith(".ts") ? "ts" : "js",
      }));
    },
  };
}
