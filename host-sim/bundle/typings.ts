/** Declarations of what an app imports, and of what they need, made by the TypeScript compiler from the sources. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const slashed = (path: string): string => path.replaceAll("\\", "/");
const stem = (file: string): string => file.replace(/(\.d)?\.ts$/, "");

/**
 * Texts of declarations by path below `root`, without an ending. `files`: sources whose declarations are wanted.
 * `modules`: files by module name. Throws with the compiler's first line where it finds no way.
 */
export function declarationsOf(
  files: readonly string[],
  modules: ReadonlyMap<string, string>,
  root: string,
): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-typings-"));
  try {
    compile(files, root, folder);
    const found = new Map<string, string>();
    const visit = (path: string): void => {
      if (found.has(path)) return;
      const text = withOwnPaths(readFileSync(join(folder, `${path}.d.ts`), "utf8"), path, modules, root);
      found.set(path, text);
      for (const [, target] of text.matchAll(IMPORTS))
        if (target!.startsWith(".")) visit(posix.join(posix.dirname(path), target!));
    };
    for (const file of files) visit(stem(slashed(relative(root, file))));
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const IMPORTS = /(?<=\bfrom |\bimport\()"([^"]+)"/g;

/** Imports by a module's name become imports by path: the names of inner modules are not there any more. */
function withOwnPaths(text: string, path: string, modules: ReadonlyMap<string, string>, root: string): string {
  return text.replaceAll(IMPORTS, (written, target: string) => {
    const file = modules.get(target);
    if (file === undefined) return written;
    const way = posix.relative(posix.dirname(path), stem(slashed(relative(root, file))));
    return JSON.stringify(way.startsWith(".") ? way : `./${way}`);
  });
}

function compile(files: readonly string[], root: string, outDir: string): void {
  const config = {
    extends: resolve(root, "hal", "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      noCheck: true,
      rootDir: root,
      outDir,
    },
    include: [join(root, "hal", "moddable", "typings", "*.d.ts")],
    files,
  };
  const path = join(outDir, "tsconfig.json");
  writeFileSync(path, JSON.stringify(config));
  const compiler = join(dirname(fileURLToPath(import.meta.resolve("typescript/package.json"))), "bin", "tsc");
  const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", path], { encoding: "utf8" });
  if (status !== 0) throw new Error(`the TypeScript compiler makes no declarations: ${stdout.split("\n", 1)[0]}`);
}
