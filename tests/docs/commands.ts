/** The commands that documents show. */

export interface Shown {
  readonly document: string;
  /** One command, without its comment, on one line. */
  readonly line: string;
}

/** Of a page of the guide: the lines of its blocks of kind `sh`. */
export function commandsOf(document: string, text: string): Shown[] {
  return [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block = ""]) =>
    linesOf(block).map((line) => ({ document, line })),
  );
}

/** Of any document: every line of code that calls `xs-ota`. */
export function callsOf(document: string, text: string): Shown[] {
  const indented = text
    .split("\n")
    .filter((line) => line.startsWith("    "))
    .join("\n");
  return [...commandsOf(document, text), ...linesOf(indented).map((line) => ({ document, line }))].filter(({ line }) =>
    line.startsWith("npx xs-ota "),
  );
}

function linesOf(block: string): string[] {
  return block
    .replace(/ *\\\n */g, " ")
    .split("\n")
    .map((line) => line.replace(/(^|\s+)#\s.*$/, "").trim())
    .filter((line) => line !== "");
}

/** Arguments of a call of `xs-ota`, and the file that its output goes to. */
export function argumentsOf(line: string): { readonly args: readonly string[]; readonly out: string | undefined } {
  const words = line.replace(/ &$/, "").split(/\s+/).slice(2);
  const at = words.indexOf(">");
  return at === -1
    ? { args: words, out: undefined }
    : { args: [...words.slice(0, at), ...words.slice(at + 2)], out: words[at + 1] };
}
