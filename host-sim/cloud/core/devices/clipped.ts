/** A text of a device's own, no longer than that many characters: the rest is shown as one. */
export function clipped(text: string, most: number): string {
  if (text.length <= most) return text;
  // A half of a surrogate pair would be no text.
  return `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
