/**
 * API reference of a module, from its sources: each export with its docstring and its declaration. Classes lose their
 * bodies and everything private. No documentation tool is used, because none reads TypeScript 7 yet.
 */
import { parse } from "@babel/parser";
import type { ClassDeclaration, Comment, ExportNamedDeclaration, Node, Statement } from "@babel/types";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly body: readonly Statement[];
}

function read(path: string): SourceFile {
  const text = readFileSync(path, "utf8");
  return { path, text, body: parse(text, { sourceType: "module", plugins: ["typescript"] }).program.body };
}

/** Path of the file that `specifier` names in `from`. Throws where there is none. */
function resolveImport(from: string, specifier: string): string {
  const base = join(dirname(from), specifier);
  const found = [`${base}.ts`, join(base, "index.ts")].find((each) => existsSync(each));
  if (found === undefined) throw new Error(`${from}: no file for ${specifier}`);
  return found;
}

const slice = (file: SourceFile, node: Node): string => file.text.slice(node.start!, node.end!);

/** The text of the docstring before `node`, without its stars; "" where there is none. */
function docstring(comments: readonly Comment[] | null | undefined): string {
  const last = comments?.at(-1);
  if (last?.type !== "CommentBlock" || !last.value.startsWith("*")) return "";
  return last.value
    .slice(1)
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, "").trimEnd())
    .join("\n")
    .trim();
}

/** Constructor, methods and fields that are public, each with its docstring and without its body. */
function classText(file: SourceFile, node: ClassDeclaration): string {
  const head = file.text.slice(node.start!, node.body.start!);
  const members = node.body.body.flatMap((member) => {
    if (!("key" in member) || member.key?.type !== "Identifier") return [];
    if ("accessibility" in member && member.accessibility === "private") return [];
    const text = slice(file, member);
    const body = "body" in member && member.body !== null ? member.body : undefined;
    const value = "value" in member && member.value !== null ? member.value : undefined;
    const end = body?.start ?? value?.start ?? member.end!;
    const signature = text.slice(0, end! - member.start!).replace(/\s*[={]?\s*$/, "");
    const comment = member.leadingComments?.at(-1);
    const lead = comment === undefined ? "" : `  ${file.text.slice(comment.start!, comment.end!)}\n`;
    return [`${lead}  ${signature.replace(/;$/, "")};`];
  });
  return `${head}{\n${members.join("\n")}\n}`;
}

interface Entry {
  readonly name: string;
  readonly doc: string;
  readonly code: string;
  readonly path: string;
}

function entryOf(file: SourceFile, statement: ExportNamedDeclaration): Entry | undefined {
  const { declaration } = statement;
  if (declaration === null || declaration === undefined) return undefined;
  const doc = docstring(statement.leadingComments);
  const entry = (name: string, code: string): Entry => ({ name, doc, code, path: file.path });
  switch (declaration.type) {
    case "ClassDeclaration":
      return entry(declaration.id!.name, classText(file, declaration));
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return entry(declaration.id.name, slice(file, declaration));
    case "FunctionDeclaration":
      return entry(declaration.id!.name, `${file.text.slice(declaration.start!, declaration.body.start!).trimEnd()};`);
    case "VariableDeclaration": {
      const [first] = declaration.declarations;
      return first?.id.type === "Identifier" ? entry(first.id.name, slice(file, declaration)) : undefined;
    }
    default:
      return undefined;
  }
}

const entriesOf = (file: SourceFile): Entry[] =>
  file.body.flatMap((statement) =>
    statement.type === "ExportNamedDeclaration" ? (entryOf(file, statement) ?? []) : [],
  );

/** What `path` exports, in its order. Throws where an export has no declaration that can be found. */
function exportsOf(path: string): Entry[] {
  const file = read(path);
  return file.body.flatMap((statement) => {
    if (statement.type === "ExportAllDeclaration") return exportsOf(resolveImport(path, statement.source.value));
    if (statement.type !== "ExportNamedDeclaration") return [];
    if (statement.source == null) return entryOf(file, statement) ?? [];
    const source = resolveImport(path, statement.source.value);
    const there = exportsOf(source);
    const names = statement.specifiers.flatMap((each) =>
      each.type === "ExportSpecifier" && each.exported.type === "Identifier" && each.exported.name !== "default"
        ? [each.local.name]
        : [],
    );
    return names.map((name) => {
      const found =
        there.find((each) => each.name === name) ?? entriesOf(read(source)).find((each) => each.name === name);
      if (found === undefined) throw new Error(`${path}: ${name} has no declaration in ${source}`);
      return found;
    });
  });
}

/** Markdown of everything that `entry` exports. `root`: folder that paths are shown from. */
export function apiReference(root: string, entry: string): string {
  return exportsOf(join(root, entry))
    .map(({ name, doc, code, path }) => {
      const where = relative(root, path);
      return `### ${name}\n\n${doc === "" ? "" : `${doc}\n\n`}[${where}](../${where})\n\n\`\`\`ts\n${code}\n\`\`\`\n`;
    })
    .join("\n");
}
