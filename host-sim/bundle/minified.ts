/**
 * The bundle as small as XS links it. A linked name takes 20 bytes and its text, and the variables of a module are such
 * names: here each has the name of a property that is linked anyway.
 */
import { parse } from "@babel/parser";
import { minify } from "terser";
import { childrenOf } from "./syntax";
import type { SyntaxNode } from "./syntax";

/** What means something else where it stands for a variable. */
const RESERVED = new Set(
  (
    "arguments async await break case catch class const continue debugger default delete do else enum eval export extends false finally for from function get " +
    "if implements import in instanceof interface let new null of package private protected public return set static super switch this throw true try typeof " +
    "undefined var void while with yield"
  ).split(" "),
);
/** Terser's own names in functions are shorter. */
const LENGTH_MIN = 4;

/**
 * `code`: one ES module, its variables with names of their own. Functions that are used once stay where they are: as a
 * closure of their user each call would copy their byte-code into RAM.
 */
export async function minified(code: string): Promise<string> {
  const { program } = parse(code, { sourceType: "module" });
  const statements = program.body as unknown as SyntaxNode[];
  const free = linkedNames(program as unknown as SyntaxNode);
  const names = statements.flatMap(namesOf).map((name, index) => [`$${name}`, free[index]] as const);
  const props = Object.fromEntries(names.filter(([, name]) => name !== undefined));
  const { code: small } = await minify(code, {
    module: true,
    ecma: 2020,
    // What terser exports as its cache of names; its declarations say only "object".
    nameCache: { vars: { props } },
    compress: { passes: 2, reduce_funcs: false, inline: 3, keep_fargs: false },
  });
  return small!;
}

/** Variables that a statement at the top declares. */
function namesOf(statement: SyntaxNode): string[] {
  const named = (node: unknown): string[] => [(node as { name: string }).name];
  if (statement.type === "VariableDeclaration")
    return (statement["declarations"] as SyntaxNode[]).flatMap(({ id }) => named(id));
  if (statement.type === "ImportDeclaration")
    return (statement["specifiers"] as SyntaxNode[]).flatMap(({ local }) => named(local));
  return /^(Class|Function)Declaration$/.test(statement.type) ? named(statement["id"]) : [];
}

/** Names of properties that no variable has, the most frequent first: they fit one byte of XS's references best. */
function linkedNames(program: SyntaxNode): string[] {
  const [counts, variables] = [new Map<string, number>(), new Set<string>()];
  const visit = (node: SyntaxNode): void => {
    const key = node["computed"] === true ? undefined : (node["key"] ?? node["property"]);
    for (const child of childrenOf(node)) {
      const { name } = child as unknown as { name: string };
      if (child === key && child.type === "Identifier") counts.set(name, (counts.get(name) ?? 0) + 1);
      else if (child.type === "Identifier") variables.add(name);
      visit(child);
    }
  };
  visit(program);
  return [...counts]
    .filter(([name]) => name.length >= LENGTH_MIN && !RESERVED.has(name) && !variables.has(name))
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .map(([name]) => name);
}
