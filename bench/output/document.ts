/** Tables in documents. */
import { readFileSync, writeFileSync } from "node:fs";

/** Replaces what stands between the two marks of that name in a document. */
export function between(path: string, name: string, text: string): void {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const before = readFileSync(path, "utf8");
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path}: no ${begin} ... ${end}`);
  writeFileSync(path, `${before.slice(0, from + begin.length)}\n${text}\n${before.slice(to)}`);
}
