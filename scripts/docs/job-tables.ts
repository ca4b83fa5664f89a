/** The update job's tables, as Markdown and Mermaid: states and their successors, events, boots, records. */
import { readFileSync } from "node:fs";
import { BOOT_TABLE } from "../../src/job/boot-table";
import type { BootRow } from "../../src/job/boot-table";
import { DEFAULTS, TABLE } from "../../src/job/machine";
import { RECORDS } from "../../src/job/records";
import { nextStates } from "./next-states";

const source = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

const id = (state: string): string => state.replaceAll("-", "_");

/** A Mermaid diagram, which GitHub draws. A new offer leads to `consent` from most states; these edges are left out. */
export function stateDiagram(): string {
  const lines = ["```mermaid", "stateDiagram-v2", "  [*] --> starting"];
  for (const [state, next] of nextStates()) {
    if (id(state) !== state) lines.push(`  state "${state}" as ${id(state)}`);
    for (const follower of next)
      if (follower !== "consent" || state === "idle") lines.push(`  ${id(state)} --> ${id(follower)}`);
    if (next.length === 0 || state === "activating") lines.push(`  ${id(state)} --> [*] : the chip restarts`);
  }
  return [...lines, "```"].join("\n");
}

/** The events that each state handles, and the default of the others. */
export function eventTable(): string {
  const rows = Object.entries(TABLE).map(
    ([state, handlers]) =>
      `| \`${state}\` | ${Object.keys(handlers)
        .map((event) => `\`${event}\``)
        .join(", ")} |`,
  );
  const defaults = Object.keys(DEFAULTS).map((event) => `\`${event}\``);
  return [
    "| state | events that it handles itself |",
    "|---|---|",
    ...rows,
    `| any other | ${defaults.join(", ")}; everything else is ignored |`,
  ].join("\n");
}

const COLUMNS = [
  "job",
  "platform",
  "slot",
  "version",
  "firmware",
  "phase",
  "outcome",
  "reset",
  "image",
  "entry",
  "end",
  "trials",
  "activations",
] as const satisfies readonly (keyof BootRow)[];

/** The rows in their order; an empty cell matches any value. */
export function bootTable(): string {
  const rows = BOOT_TABLE.map(
    (row, index) =>
      `| ${[index + 1, ...COLUMNS.map((column) => row[column] ?? ""), `**${row.verdict}**`].join(" | ")} |`,
  );
  const columns = ["", ...COLUMNS, "verdict"];
  return [`| ${columns.join(" | ")} |`, `|${columns.map(() => "---").join("|")}|`, ...rows].join("\n");
}

/** The docstring above each entry of RECORDS, by its name. */
function meanings(): Map<string, string> {
  const table = /export const RECORDS = frozen\(\{([^]*?)\n\}\);/.exec(source("src/job/records.ts"))?.[1] ?? "";
  return new Map([...table.matchAll(/\/\*\* (.*?) \*\/\s*(\w+):/g)].map(([, text = "", name = ""]) => [name, text]));
}

/** Throws where a record has no docstring. */
export function recordTable(): string {
  const texts = meanings();
  const rows = Object.entries(RECORDS).map(([name, { key, form, ofJob }]) => {
    const text = texts.get(name);
    if (text === undefined) throw new Error(`src/job/records.ts: ${name} has no docstring`);
    return `| \`${key}\` | ${form === "number" ? "u32" : "sealed"} | ${ofJob ? "yes" : ""} | ${text} |`;
  });
  return ["| key | form | bound to a job | what it holds |", "|---|---|---|---|", ...rows].join("\n");
}
