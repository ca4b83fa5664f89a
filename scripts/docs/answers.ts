/** The table of a file server's answers in docs/NETWORK.md, from the one that the downloader goes by. */
import { readFileSync } from "node:fs";
import { ANSWERS } from "../../src/download/answers";
import type { Rule } from "../../src/download/answers";
import { DENIED_WAIT, REFUSAL_TRIES, REFUSAL_WINDOW, STALL_BUDGET, URL_RENEWALS } from "../../src/constants";
import type { Cause } from "../../src/job/types";
import { PLATFORMS } from "../../src/platforms/index";

const RULES: { readonly [rule in Rule]: string } = {
  wait: `wait; fails after ${STALL_BUDGET / 60_000} min without a new sector`,
  refuse: `fails after ${REFUSAL_TRIES} tries in ${REFUSAL_WINDOW / 1000} s`,
  renew: `once more after ${DENIED_WAIT / 1000} s, then a fresh URL; fails after ${URL_RENEWALS} of them in the job`,
};

/** The docstring above each row, by the row's name. */
function meanings(): Map<string, string> {
  const source = readFileSync(new URL("../../src/download/answers.ts", import.meta.url), "utf8");
  return new Map(
    [...source.matchAll(/\/\*\* (.*?) \*\/\s*"?([\w-]+)"?: \[/g)].map(([, text = "", name = ""]) => [name, text]),
  );
}

const codesOf = (cause: Cause): string => PLATFORMS.map(({ codes }) => codes[cause]).join(", ");

/** Throws where a row has no docstring. */
export function answerTable(): string {
  const texts = meanings();
  const rows = Object.entries(ANSWERS).map(([name, row]) => {
    const [rule, cause, words, keep]: readonly [Rule, Cause, string, "keep"?] = row;
    const text = texts.get(name);
    if (text === undefined) throw new Error(`src/download/answers.ts: ${name} has no docstring`);
    const kept = keep === undefined ? "" : "; the connection is kept";
    return `| ${text} | ${RULES[rule]}${kept} | \`${cause}\` (${codesOf(cause)}) | ${words.replaceAll("$", "...")} |`;
  });
  const codes = PLATFORMS.map(({ name }) => name).join(", ");
  return [`| answer | rule | failure, with the code on ${codes} | words |`, "|---|---|---|---|", ...rows].join("\n");
}
