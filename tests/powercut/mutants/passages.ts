/**
 * Finds a passage of source text however the formatter has broken its lines: white space and trailing commas do not
 * count.
 */

export interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * Every place where `passage` stands in `source`. A comma at the passage's end belongs to the place where the source
 * has one there.
 */
export function placesOf(source: string, passage: string): Place[] {
  const { text, at } = compact(source);
  const [, body, comma] = /^(.*?)(,?)$/.exec(compact(passage).text)!;
  const wanted = body!;
  const places: Place[] = [];
  for (let from = text.indexOf(wanted); from >= 0; from = text.indexOf(wanted, from + 1)) {
    const end = at[from + wanted.length - 1]! + 1;
    const more = comma === "" ? 0 : (/^\s*,/.exec(source.slice(end))?.[0].length ?? 0);
    places.push({ start: at[from]!, end: end + more });
  }
  return places;
}

/** The text in one line, the same for each way in which the formatter breaks it. */
export function oneLine(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/([([]) /g, "$1")
    .replace(/,? ([)\]])/g, "$1")
    .replace(/, }/g, " }");
}

/** The characters that count, and where each of them stands. */
function compact(source: string): { readonly text: string; readonly at: readonly number[] } {
  const at: number[] = [];
  let text = "";
  for (const { index } of source.matchAll(/(?!,\s*[)\]}])\S/g)) {
    at.push(index);
    text += source[index];
  }
  return { text, at };
}
