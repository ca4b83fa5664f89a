/** Reads C, JavaScript and the like as far as it takes to see what stands in which function, in which order. */

/** Comments out, white space to single blanks. Strings with comment marks in them do not occur where this is used. */
export function plain(source: string): string {
  return source
    .replace(/\/\*[^]*?\*\//g, " ")
    .replace(/^\s*\/\/.*$/gm, " ")
    .replace(/(?<=[\s;{}])\/\/.*$/gm, " ")
    .replace(/\s+/g, " ");
}

/** The body of the function that is defined as `name`, which may be a method's `Class::name`. Throws if there is none. */
export function bodyOf(source: string, name: string): string {
  const text = plain(source);
  for (const { index } of text.matchAll(new RegExp(`(?<![\\w:])${name}\\(`, "g"))) {
    const after = skip(text, index + name.length, "(", ")");
    const open = /^(?:\s*(?:const|noexcept|override))*\s*\{/.exec(text.slice(after));
    if (open === null) continue;
    const start = after + open[0].length - 1;
    return text.slice(start, skip(text, start, "{", "}"));
  }
  throw new Error(`there is no function ${name}`);
}

/** All of `parts` are in `text`, each after the one before it. */
export function inOrder(text: string, ...parts: readonly string[]): boolean {
  let at = 0;
  return parts.every((part) => {
    const found = text.indexOf(part, at);
    at = found + part.length;
    return found >= 0;
  });
}

/** Behind the bracket that closes the one at `at`. */
function skip(text: string, at: number, open: string, close: string): number {
  let depth = 0;
  for (let index = at; index < text.length; index++) {
    if (text[index] === open) depth++;
    if (text[index] === close && --depth === 0) return index + 1;
  }
  return text.length;
}
