/** The sources of the repository, and their syntax trees. */
import { readFileSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "@babel/parser";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A node of a syntax tree (ESTree as @babel/parser has it). */
export interface SyntaxNode {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number }; readonly end: { readonly line: number } } | null;
  readonly [key: string]: unknown;
}

const SCRIPT = /\.(ts|tsx|mts|mjs|js)$/;
/** Bundles that a build step makes: their text is not ours. */
const BUNDLE = /^(src\/vendor\/[\w-]+\.js|tests\/editions\/\w+\/agent\.mjs)$/;

/** Paths below the folders, relative to the root, with "/". */
export function filesIn(folders: readonly string[], kind: RegExp): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((file) =>
        join(folder, file).split(sep).join("/"),
      ),
    )
    .filter((file) => kind.test(file) && !BUNDLE.test(file) && !/(^|\/)(node_modules|build)\//.test(file))
    .sort();
}

export const scriptsIn = (...folders: string[]): string[] => filesIn(folders, SCRIPT);

export function textOf(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** `text`: default what the file holds. */
export function treeOf(file: string, text = textOf(file)): SyntaxNode {
  const typescript: ["typescript", { dts: boolean }] = ["typescript", { dts: /\.d\.m?ts$/.test(file) }];
  const plugins = file.endsWith("x") ? [typescript, "jsx" as const] : [typescript];
  const options = { sourceType: "module" as const, allowUndeclaredExports: true, plugins };
  return parse(text, options).program as unknown as SyntaxNode;
}

/** Calls `visit` with each node below `node`, from the outside in, with the nodes around it. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, around: readonly SyntaxNode[]) => void,
  around: readonly SyntaxNode[] = [],
): void {
  visit(node, around);
  for (const [key, value] of Object.entries(node)) {
    if (key === "loc" || key.endsWith("Comments")) continue;
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value])
      if (isNode(child)) walk(child, visit, [...around, node]);
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string";
}
