/** The code uses the field's standard terms: words that were given up for them do not come back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { filesIn, textOf } from "./sources";

/**
 * Given up, and what is said in their place. Whole words, and whole parts of a name in camel case. A string that is
 * such a word alone is a name of something outside the code, for example a key in NVS.
 */
const GIVEN_UP: Readonly<Record<string, string>> = {
  blamed: "denylist",
  chapter: "phase",
  chapters: "phases",
  desk: "host",
  door: "export, entry point",
  hope: "onProgress",
  intake: "assembler",
  judge: "check",
  judgement: "decision, verdict",
  lent: "external",
  life: "boot cycle",
  lives: "boot cycles",
  manners: "protocol rules",
  owed: "pending, outbox",
  pace: "rate",
  pardon: "resetRefusals",
  patience: "RetryPolicy",
  poff: "the offset of the component, spelled out",
  sealing: "commit",
  stories: "scenarios",
  story: "scenario",
  witness: "event log",
};

const FILES = /\.(ts|tsx|mts|mjs|js|c|h|css|html|json)$/;

test("no file uses a word that was given up", () => {
  const found = filesIn(["src", "hal", "host-sim"], FILES).flatMap((file) =>
    textOf(file)
      .split("\n")
      .flatMap((line, index) =>
        (line.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? [])
          .map((word) => word.toLowerCase())
          .filter((word) => Object.hasOwn(GIVEN_UP, word) && !line.includes(`"${word}"`))
          .map((word) => `${file}:${index + 1}: "${word}" (${GIVEN_UP[word]})`),
      ),
  );
  assert.equal(found.join("\n"), "");
});
