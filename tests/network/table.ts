/** Writes the rows that the tests of this folder measure, as Markdown. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "./scene";

const FOLDER = "build/network";

/** Writes one file for each test file, so that they may run at the same time. `npm run faults:table` joins them. */
export function writeRows(part: string, rows: readonly Row[]): void {
  mkdirSync(FOLDER, { recursive: true });
  const cell = (text: string | number): string =>
    String(text)
      .replaceAll("|", "\\|")
      .replace(/127\.0\.0\.1:\d+/g, "server");
  const lines = rows.map(
    ({ fault, does, agent, report, again, explained }) =>
      `| ${[fault, does, agent, report, again, explained.sentence].map(cell).join(" | ")} |`,
  );
  writeFileSync(join(FOLDER, `${part}.md`), [HEAD, ...lines, ""].join("\n"));
}

const HEAD =
  "| fault | the other side | what the agent does | wire report | bytes fetched again | `replay --explain` says |\n|---|---|---|---|--:|---|";
