/**
 * Short names for the private members of the library's classes. A linked name takes a slot of 16 bytes and its text, and
 * XS keeps names apart by their text alone: classes that have nothing to do with each other share the same few.
 *
 * TypeScript keeps a private member inside its class, so its name can be anything there. A member keeps its name where
 * the class's own text does not show each use of it: a use on something other than `this`, a pattern, a text that reads
 * the same.
 */
import { parse } from "@babel/parser";
import { childrenOf } from "./syntax";
import type { SyntaxNode } from "./syntax";

interface Place {
  readonly start: number;
  readonly end: number;
}

interface ClassFacts {
  readonly module: string;
  readonly name: string;
  readonly base: string | undefined;
  /** Where each private member is declared, or used on `this`. */
  readonly places: Map<string, Place[]>;
  readonly privates: Set<string>;
  /** Names that occur in the class in any other way. */
  readonly others: Set<string>;
}

export type Sources = ReadonlyMap<string, string>;

/** The same modules, by name, with short names. */
export function withShortNames(sources: Sources): Map<string, string> {
  const classes = [...sources].flatMap(([module, text]) => classesOf(module, text));
  const texts = wordsOf([...sources.values()]);
  const edits = new Map<string, { place: Place; to: string }[]>();
  const given = new Map<ClassFacts, Map<string, string>>();
  const byName = new Map<string, ClassFacts[]>();
  for (const each of classes) byName.set(each.name, [...(byName.get(each.name) ?? []), each]);
  const basesOf = (of: ClassFacts): ClassFacts[] =>
    (of.base === undefined ? [] : (byName.get(of.base) ?? [])).flatMap((base) => [base, ...basesOf(base)]);
  // Bases first: what they have is taken in the classes that extend them.
  for (const each of classes.sort((a, b) => basesOf(a).length - basesOf(b).length)) {
    const taken = new Set(basesOf(each).flatMap((base) => [...(given.get(base)?.values() ?? [])]));
    const own = new Map<string, string>();
    const short = shortNames((name) => texts.has(name) || taken.has(name));
    for (const name of [...each.privates].sort()) {
      if (each.others.has(name)) continue;
      const to = short.next().value as string;
      own.set(name, to);
      for (const place of each.places.get(name) ?? [])
        edits.set(each.module, [...(edits.get(each.module) ?? []), { place, to }]);
    }
    given.set(each, own);
  }
  return new Map([...sources].map(([module, text]) => [module, edited(text, edits.get(module) ?? [])]));
}

function* shortNames(isTaken: (name: string) => boolean): Generator<string> {
  const letters = "abcdefghijklmnopqrstuvwxyz";
  for (let length = 1; ; length++)
    for (let index = 0; index < letters.length ** length; index++) {
      let [name, rest] = ["", index];
      for (let place = 0; place < length; place++) {
        name += letters[rest % letters.length]!;
        rest = Math.floor(rest / letters.length);
      }
      if (!isTaken(name)) yield name;
    }
}

function edited(text: string, edits: readonly { readonly place: Place; readonly to: string }[]): string {
  let result = text;
  for (const { place, to } of [...edits].sort((a, b) => b.place.start - a.place.start))
    result = result.slice(0, place.start) + to + result.slice(place.end);
  return result;
}

/** Names of one or two letters that members have in the sources: public ones of the same class might be among them. */
function wordsOf(texts: readonly string[]): Set<string> {
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/(?<=\.|^\s*|[{,]\s*)([a-z]{1,2})\b/gm)].map(([, word]) => word!)),
  );
}

function classesOf(module: string, text: string): ClassFacts[] {
  const { program } = parse(text, { sourceType: "module", plugins: ["typescript"] });
  const found: ClassFacts[] = [];
  const find = (node: SyntaxNode): void => {
    if (/^Class(Declaration|Expression)$/.test(node.type)) found.push(factsOf(module, node));
    for (const child of childrenOf(node)) find(child);
  };
  find(program as unknown as SyntaxNode);
  return found;
}

function factsOf(module: string, node: SyntaxNode): ClassFacts {
  const nameOf = (value: unknown): string | undefined => (value as { name?: string } | null)?.name;
  const name = nameOf(node["id"]) ?? "";
  const facts: ClassFacts = {
    module,
    name,
    base: nameOf(node["superClass"]),
    places: new Map(),
    privates: new Set(),
    others: new Set(),
  };
  const members = childrenOf(node["body"] as SyntaxNode);
  for (const member of members)
    if (
      member["accessibility"] === "private" &&
      member["static"] !== true &&
      member["computed"] !== true &&
      member["kind"] !== "constructor"
    )
      facts.privates.add(nameOf(member["key"])!);
  const use = (key: SyntaxNode): void => {
    const { name: used } = key as unknown as { name: string };
    facts.places.set(used, [...(facts.places.get(used) ?? []), { start: key.start, end: key.start + used.length }]);
  };
  const visit = (each: SyntaxNode): void => {
    const { type } = each;
    if (members.includes(each) && facts.privates.has(nameOf(each["key"]) ?? "")) use(each["key"] as SyntaxNode);
    else if (
      /^(Optional)?MemberExpression$/.test(type) &&
      each["computed"] !== true &&
      isThis(each["object"]) &&
      (each["property"] as SyntaxNode).type === "Identifier"
    )
      use(each["property"] as SyntaxNode);
    else if (/^(Optional)?MemberExpression$/.test(type) && each["computed"] !== true) {
      // An access to another object of this class looks like this: only where the class names itself.
      const used = nameOf(each["property"]);
      if (used !== undefined) foreign.add(used);
    } else if (type === "ObjectPattern" || type === "StringLiteral") {
      if (type === "StringLiteral") facts.others.add(String(each["value"]));
      for (const property of (each["properties"] as SyntaxNode[] | undefined) ?? []) {
        const key = nameOf(property["key"]);
        if (key !== undefined) patterned.add(key);
      }
    } else if (type === "TSThisType" || (type === "Identifier" && nameOf(each) === name)) mentionsItself = true;
    if (/^(Optional)?MemberExpression$/.test(type) && each["computed"] === true && isThis(each["object"]))
      for (const hidden of facts.privates) facts.others.add(hidden);
    for (const child of childrenOf(each)) visit(child);
  };
  const [foreign, patterned] = [new Set<string>(), new Set<string>()];
  let mentionsItself = false;
  visit(node["body"] as SyntaxNode);
  if (thisIsTaken(node["body"] as SyntaxNode)) for (const each of patterned) facts.others.add(each);
  if (mentionsItself) for (const each of [...foreign, ...patterned]) facts.others.add(each);
  return facts;
}

const isThis = (node: unknown): boolean => (node as SyntaxNode).type === "ThisExpression";

/** Whether `this` is taken apart by a pattern. */
function thisIsTaken(node: SyntaxNode): boolean {
  if (node.type === "VariableDeclarator" && node["init"] && isThis(node["init"])) return true;
  return childrenOf(node).some(thisIsTaken);
}
