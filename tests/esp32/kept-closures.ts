/** Whether a module makes closures that live on, read off its syntax tree. */
import { readFileSync } from "node:fs";
import { parse } from "@babel/parser";
import type { SyntaxNode } from "../structure/sources";

/** Methods of arrays that call the function while they run, and let go of it. */
const AT_ONCE = new Set(
  "every filter find findIndex findLast findLastIndex flatMap forEach from map reduce reduceRight some sort".split(" "),
);

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string";
const nodesIn = (value: unknown): SyntaxNode[] =>
  Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [];

/**
 * Whether a function of the module makes a closure, other than for an array's method to call at once. Where `preload`
 * names the module, the engine copies the byte-code of each such closure into RAM (XS_CODE_CODE in the SDK's xsRun.c).
 */
export function keepsClosures(file: string): boolean {
  const { program } = parse(readFileSync(file, "utf8"), { sourceType: "module", plugins: ["typescript"] });
  return inside(program as unknown as SyntaxNode, false);
}

/** `running`: in the body of a function, or in a field's initial value. */
function inside(node: SyntaxNode, running: boolean): boolean {
  const isFunction = /Function(Expression|Declaration)$|^ObjectMethod$/.test(node.type);
  if (isFunction && running) return true;
  const deeper =
    running ||
    isFunction ||
    /^Class(Private)?Method$/.test(node.type) ||
    (/^Class(Private)?Property$/.test(node.type) && node["static"] !== true);
  const passed = node.type === "CallExpression" && callsAtOnce(node["callee"]) ? nodesIn(node["arguments"]) : [];
  return Object.values(node).some((value) =>
    nodesIn(value).some((child) =>
      passed.includes(child) ? nodesIn(child["body"]).some((body) => inside(body, true)) : inside(child, deeper),
    ),
  );
}

function callsAtOnce(callee: unknown): boolean {
  const { property } = callee as { readonly property?: { readonly name?: string } };
  return property?.name !== undefined && AT_ONCE.has(property.name);
}
