/** The generated parts of the documents: where each stands, and what makes it. */
import { fileURLToPath } from "node:url";
import { apiReference } from "./api";

export interface Section {
  /** Path from the root of the repository. */
  readonly document: string;
  /** The part stands between `<!-- mark: begin -->` and `<!-- mark: end -->`. */
  readonly mark: string;
  render(): string;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export const SECTIONS: readonly Section[] = [
  { document: "docs/API.md", mark: "api", render: () => apiReference(ROOT, "src/index.ts") },
];

/** The document's text with the section made anew. Throws where its marks are missing. */
export function replaceSection(text: string, { document, mark, render }: Section): string {
  const [begin, end] = [`<!-- ${mark}: begin -->`, `<!-- ${mark}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${document} has no marks for ${mark}`);
  return `${text.slice(0, from + begin.length)}\n${render().trim()}\n${text.slice(to)}`;
}
