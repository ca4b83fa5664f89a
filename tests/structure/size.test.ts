/** No file is longer than 350 lines, no function longer than 60. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { filesIn, scriptsIn, textOf, treeOf, walk } from "./sources";
import type { SyntaxNode } from "./sources";

const LINES_MAX = 350;
const FUNCTION_MAX = 60;
const FOLDERS = ["src", "hal", "host-sim", "tests", "bench", "scripts"];
const FUNCTION = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression|(Class|Object)(Private)?Method)$/;

interface Found {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

/** Functions of a file with their lengths. In tests, a function that registers cases is as long as what is its own. */
function functionsOf(file: string): Found[] {
  const found = new Map<SyntaxNode, { name: string; line: number; lines: number }>();
  walk(treeOf(file), (node, around) => {
    if (!FUNCTION.test(node.type) || node.loc == null) return;
    const lines = node.loc.end.line - node.loc.start.line + 1;
    found.set(node, { name: nameOf(node, around.at(-1)), line: node.loc.start.line, lines });
    const outer = around.findLast((each) => found.has(each));
    if (outer !== undefined && file.startsWith("tests/")) found.get(outer)!.lines -= lines - 1;
  });
  return [...found.values()];
}

/** Its own name, or that of the variable or property that holds it. */
function nameOf(node: SyntaxNode, parent: SyntaxNode | undefined): string {
  return ownName(node) ?? (parent === undefined ? undefined : ownName(parent)) ?? "(anonymous)";
}

function ownName({ id, key }: SyntaxNode): string | undefined {
  const named = (id ?? key) as { readonly name?: string; readonly id?: { readonly name?: string } } | null | undefined;
  return named?.name ?? named?.id?.name;
}

test("no file has more than 350 lines", () => {
  const long = filesIn(FOLDERS, /\.(ts|tsx|mts|mjs|js|c|h|css)$/)
    .map((file) => ({ file, lines: textOf(file).split("\n").length - 1 }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ file, lines }) => `${file}: ${lines}`);
  assert.equal(long.join("\n"), "");
});

test("no function has more than 60 lines", () => {
  const long = scriptsIn(...FOLDERS).flatMap((file) =>
    functionsOf(file)
      .filter(({ lines }) => lines > FUNCTION_MAX)
      .map(({ name, line, lines }) => `${file}:${line} ${name}: ${lines}`),
  );
  assert.equal(long.join("\n"), "");
});
