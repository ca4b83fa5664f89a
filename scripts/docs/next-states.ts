/**
 * The next states of each state of the update job, read from the interface `Next` of src/job/machine.ts. They are types
 * there, because a table of them would only cost a chip flash; the compiler checks them against what each handler
 * returns.
 */
import { readFileSync } from "node:fs";
import { parse } from "@babel/parser";
import type { Node, TSType } from "@babel/types";

const MACHINE = new URL("../../src/job/machine.ts", import.meta.url);

/** By state, in the order of the source. A state whose list is empty ends with a restart of the chip. */
export function nextStates(): ReadonlyMap<string, readonly string[]> {
  const declared = new Map<string, Node>();
  for (const node of parse(readFileSync(MACHINE, "utf8"), { sourceType: "module", plugins: ["typescript"] }).program
    .body)
    if (node.type === "TSInterfaceDeclaration" || node.type === "TSTypeAliasDeclaration")
      declared.set(node.id.name, node);
  const words = (type: TSType): string[] => {
    if (type.type === "TSUnionType") return type.types.flatMap(words);
    if (type.type === "TSNeverKeyword") return [];
    if (type.type === "TSLiteralType" && type.literal.type === "StringLiteral") return [type.literal.value];
    const alias = type.type === "TSTypeReference" && type.typeName.type === "Identifier" ? type.typeName.name : "";
    const node = declared.get(alias);
    if (node?.type !== "TSTypeAliasDeclaration") throw new Error(`machine.ts: Next holds a ${type.type}`);
    return words(node.typeAnnotation);
  };
  const next = declared.get("Next");
  if (next?.type !== "TSInterfaceDeclaration") throw new Error("machine.ts has no interface Next");
  return new Map(
    next.body.body.map((member) => {
      if (member.type !== "TSPropertySignature" || member.typeAnnotation == null) throw new Error("machine.ts: Next");
      const { key } = member;
      const name = key.type === "Identifier" ? key.name : key.type === "StringLiteral" ? key.value : "";
      return [name, words(member.typeAnnotation.typeAnnotation)];
    }),
  );
}
