/**
 * Makes mutants of source files mechanically: each guard is always or never met, each step is left out, each two
 * neighbouring steps are exchanged.
 */
import { readFileSync } from "node:fs";
import { parse } from "@babel/parser";
import { oneLine } from "./passages";
import type { Expression, ExpressionStatement, Node, SpreadElement, Statement } from "@babel/types";

export interface Mutant {
  /** "src/job/trial.ts:27 guard half: !state.asked, of state.name !== "trial" || !state.asked". */
  readonly name: string;
  readonly file: string;
  readonly operator: Operator;
  /** The whole file as the mutant has it. */
  readonly text: string;
}

export const OPERATORS = {
  "guard never": "the condition of an if or ?: is never met",
  "guard always": "the condition of an if or ?: is always met",
  "guard half": "one side of && or || in a condition, or in what a function answers, is left out",
  "step left out": "a statement that does something, or one effect of a list, is left out",
  "steps exchanged": "two such neighbours in the other order",
  chosen: "by hand: the mistakes that a reader would fear",
} as const;
export type Operator = keyof typeof OPERATORS;

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const TEXT_MAX = 110;

/** Every mutant of one file of the repository. Throws a syntax error. */
export function mutantsOf(root: URL, file: string): Mutant[] {
  const source = readFileSync(new URL(file, root), "utf8");
  const maker = new MutantMaker(file, source);
  walk(parse(source, { sourceType: "module", plugins: ["typescript"] }).program, (node) => maker.visit(node));
  return maker.found;
}

class MutantMaker {
  readonly found: Mutant[] = [];
  readonly #file: string;
  readonly #source: string;

  constructor(file: string, source: string) {
    this.#file = file;
    this.#source = source;
  }

  /** Adds the mutants of this node itself. */
  visit(node: Node): void {
    switch (node.type) {
      case "IfStatement":
      case "ConditionalExpression":
        return this.#condition(node.test);
      case "ReturnStatement":
        return node.argument?.type === "LogicalExpression" ? this.#halves(node.argument) : undefined;
      case "BlockStatement":
        return this.#statements(node.body);
      case "SwitchCase":
        return this.#statements(node.consequent);
      case "ArrayExpression":
        return this.#effects(node.elements);
    }
  }

  #condition(test: Expression): void {
    // The condition stays in the text, so that TypeScript narrows types as before. A mutant that still does not compile
    // does not count.
    this.#add("guard never", test, [becomes(test, `(false && (${this.#of(test)}))`)]);
    this.#add("guard always", test, [becomes(test, `(true || (${this.#of(test)}))`)]);
    this.#halves(test);
  }

  #halves(node: Node): void {
    if (node.type === "LogicalExpression" && node.operator !== "??") {
      this.#add("guard half", node, [becomes(node, `(${this.#of(node.left)})`)], node.left);
      this.#add("guard half", node, [becomes(node, `(${this.#of(node.right)})`)], node.right);
      this.#halves(node.left);
      this.#halves(node.right);
    } else if (node.type === "ParenthesizedExpression") this.#halves(node.expression);
    else if (node.type === "UnaryExpression") this.#halves(node.argument);
  }

  #statements(statements: readonly Statement[]): void {
    for (const [index, statement] of statements.entries()) {
      if (statement.type !== "ExpressionStatement") continue;
      if (statement.expression.type === "CallExpression" && statement.expression.callee.type === "Super") continue;
      this.#add("step left out", statement, [becomes(statement, ";")]);
      const next = statements[index + 1];
      if (next?.type === "ExpressionStatement" && !(isPlain(statement) && isPlain(next)))
        this.#exchange(statement, next);
    }
  }

  #effects(elements: readonly (Expression | SpreadElement | null)[]): void {
    const steps = elements.filter(isStep);
    if (steps.length !== elements.length) return;
    for (const [index, step] of steps.entries()) {
      if (isNotice(step)) continue;
      this.#add("step left out", step, [becomes(step, "...[]")]);
      const next = steps.slice(index + 1).find((each) => !isNotice(each));
      if (next !== undefined) this.#exchange(step, next);
    }
  }

  #exchange(one: Node, other: Node): void {
    this.#add("steps exchanged", one, [becomes(one, this.#of(other)), becomes(other, this.#of(one))]);
  }

  /** `left`: the part of the node that stays. */
  #add(operator: Operator, node: Node, edits: readonly Edit[], left?: Node): void {
    const source = this.#source;
    const line = source.slice(0, node.start!).split("\n").length;
    const what = oneLine(left === undefined ? this.#of(node) : `${this.#of(left)}, of ${this.#of(node)}`);
    let text = source;
    for (const { start, end, text: into } of [...edits].sort((a, b) => b.start - a.start))
      text = text.slice(0, start) + into + text.slice(end);
    const shown = what.length > TEXT_MAX ? `${what.slice(0, TEXT_MAX)}…` : what;
    this.found.push({ name: `${this.#file}:${line} ${operator}: ${shown}`, file: this.#file, operator, text });
  }

  #of({ start, end }: Node): string {
    return this.#source.slice(start!, end!);
  }
}

const becomes = (node: Node, text: string): Edit => ({ start: node.start!, end: node.end!, text });

/** An assignment without a call. The order of two of them in a row does not matter. */
function isPlain({ expression }: ExpressionStatement): boolean {
  if (expression.type !== "AssignmentExpression") return false;
  let calls = false;
  walk(expression.right, ({ type }) => void (calls ||= type === "CallExpression" || type === "NewExpression"));
  return !calls;
}

/** An effect, or a spread of effects. */
function isStep(element: Expression | SpreadElement | null): element is Expression | SpreadElement {
  if (element?.type === "SpreadElement") return true;
  return element?.type === "ObjectExpression" && typeOf(element) !== undefined;
}

/** A notice to the application. Neither flash nor cloud shows whether one is missing. */
function isNotice(element: Node): boolean {
  return typeOf(element) === "notify";
}

function typeOf(node: Node): string | undefined {
  if (node.type !== "ObjectExpression") return undefined;
  for (const property of node.properties)
    if (
      property.type === "ObjectProperty" &&
      property.key.type === "Identifier" &&
      property.key.name === "type" &&
      property.value.type === "StringLiteral"
    )
      return property.value.value;
  return undefined;
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value as unknown]) {
      if (
        typeof child === "object" &&
        child !== null &&
        "type" in child &&
        typeof child.type === "string" &&
        "start" in child
      )
        walk(child as Node, visit);
    }
  }
}
