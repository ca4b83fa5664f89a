/** The generated parts of the documents: where each stands, and what makes it. */
import { fileURLToPath } from "node:url";
import { answerTable } from "./answers";
import { apiReference } from "./api";
import { bootTable, eventTable, recordTable, stateDiagram } from "./job-tables";
import { platformTables } from "./platform-settings";
import { toldCauses } from "./told-causes";

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
  { document: "docs/DESIGN.md", mark: "state-diagram", render: stateDiagram },
  { document: "docs/DESIGN.md", mark: "events", render: eventTable },
  { document: "docs/DESIGN.md", mark: "boot-table", render: bootTable },
  { document: "docs/NETWORK.md", mark: "answers", render: answerTable },
  { document: "docs/NETWORK.md", mark: "told", render: toldCauses },
  { document: "docs/SPEC.md", mark: "records", render: recordTable },
  ...platformTables.map(({ name, render }) => ({ document: "docs/PLATFORMS.md", mark: `settings-${name}`, render })),
];

/** The document's text with the section made anew. Throws where its marks are missing. */
export function replaceSection(text: string, { document, mark, render }: Section): string {
  const [begin, end] = [`<!-- ${mark}: begin -->`, `<!-- ${mark}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${document} has no marks for ${mark}`);
  return `${text.slice(0, from + begin.length)}\n${render().trim()}\n${text.slice(to)}`;
}
