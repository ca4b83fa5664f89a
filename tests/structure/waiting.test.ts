/** Tests wait for the event that they mean, never for time: on a busy machine any time is too short. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TIMERS } from "./exceptions";
import { scriptsIn, textOf, treeOf, walk } from "./sources";
import type { SyntaxNode } from "./sources";

/** Files without any of this need not be parsed. */
const SUSPECT = /setTimeout|setInterval|timers\/promises|\.now\(\)/;
const TIMER = /^(setTimeout|setInterval)$/;

/** Uses of the system's timers, and assertions about time that has passed on the system's clock. */
function waitsIn(file: string, text = textOf(file)): string[] {
  const found: string[] = [];
  walk(treeOf(file, text), (node, around) => {
    const note = (what: string): void => void found.push(`${file}:${node.loc?.start.line}: ${what}`);
    if (node.type === "ImportDeclaration" && (node["source"] as { value?: string }).value === "node:timers/promises")
      note("node:timers/promises");
    if (node.type !== "CallExpression") return;
    const { name, object, property } = node["callee"] as Callee;
    if (TIMER.test(name ?? "")) note(name!);
    const clock = (object?.name === "performance" || object?.name === "Date") && property?.name === "now";
    if (clock && isAsserted(around)) note("an assertion about elapsed time");
  });
  return found;
}

interface Callee {
  readonly name?: string;
  readonly object?: { readonly name?: string };
  readonly property?: { readonly name?: string };
}

/** Stands in an argument of an assertion, and not in a function that the assertion calls. */
function isAsserted(around: readonly SyntaxNode[]): boolean {
  const inner = around.slice(around.findLastIndex(({ type }) => /Function/.test(type)) + 1);
  return inner.some((node) => {
    const { name, object } = (node["callee"] ?? {}) as Callee;
    return name === "assert" || object?.name === "assert";
  });
}

test("no test waits for time", () => {
  const found = scriptsIn("tests", "bench")
    .filter((file) => !TIMERS.has(file) && SUSPECT.test(textOf(file)))
    .flatMap((file) => waitsIn(file));
  assert.equal(found.join("\n"), "");
});

test("sleeps, polls and bounds on elapsed time are found, the clock as a value is not", () => {
  const lines = (text: string): string[] => waitsIn("a.ts", text).map((each) => each.replace("a.ts:", ""));
  assert.deepEqual(lines('import { setTimeout as wait } from "node:timers/promises";'), ["1: node:timers/promises"]);
  assert.deepEqual(lines("await new Promise((resolve) =>\n  setTimeout(resolve, 20));"), ["2: setTimeout"]);
  assert.deepEqual(lines("const look = setInterval(() => 1, 10);"), ["1: setInterval"]);
  assert.deepEqual(lines("assert.ok(performance.now() - started >= 480);"), ["1: an assertion about elapsed time"]);
  assert.deepEqual(lines("assert.throws(() => verify({ now: Date.now() }));"), []);
  assert.deepEqual(lines("const started = performance.now();"), []);
});
