/** What a recording says went wrong, in one sentence with what to do. */
import type { Cause } from "../../src/job/types";
import { explanationOf } from "./explanations/explanations";
import type { Explanation } from "./explanations/explanations";
import type { Entry, RecordedRun, Recording } from "./read-recording";

/** Something that went wrong on the way, and how often. */
export interface Trouble extends Explanation {
  readonly times: number;
}

export const NOTHING: Explanation = {
  name: "none",
  sentence: "nothing went wrong that the device noticed: there is nothing to do",
};

/** Where the text of a failure says nothing that is known. */
const CAUSES: { readonly [cause in Cause]: string } = {
  "download-timeout":
    "no sector arrived for 15 minutes of trying: look at the device's network and at the file server, and push the image again",
  "not-found": "the file server has no such file: upload it again, or correct the URL of the task",
  "url-expired": "the URL was refused, and fresh ones were too: let URLs live longer, and set the server's clock",
  download: "the file server answers in a way that no wait mends: correct what the text names",
  "digest-mismatch": "the file is another one than was offered: compare its digest with that of the task",
  rejected: "the device's own rules refuse the image: correct what the text names",
  signature: "no trusted key has signed the file: sign it with `xs-ota sign`, or give the device the right key",
  flash: "the flash chip does not hold what is written: replace the board if it happens again",
  "rolled-back": "the new firmware was started and did not prove itself: try it on a board with its log in view",
};

/** What the device said in an entry of why it does not go on. */
export const complaintOf = (entry: Entry): string | undefined => {
  if (entry.kind === "note") return entry.text;
  if (entry.kind !== "event") return undefined;
  const text = entry.type === "link" && entry.fields[0] === false ? entry.fields[1] : undefined;
  return typeof text === "string" && text !== "" ? text : undefined;
};

/** The most frequent one first; of those that are equally frequent, the first that was met. */
export const troublesOf = (entries: readonly Entry[]): Trouble[] => {
  const found = new Map<string, Trouble>();
  for (const entry of entries) {
    const text = complaintOf(entry);
    const known = text === undefined ? undefined : explanationOf(text);
    if (known !== undefined) found.set(known.name, { ...known, times: (found.get(known.name)?.times ?? 0) + 1 });
  }
  return [...found.values()].sort((a, b) => b.times - a.times);
};

/** What came after the last sector that was stored. */
const sinceSector = (entries: readonly Entry[]): readonly Entry[] =>
  entries.slice(entries.findLastIndex(({ kind }) => kind === "sector" || kind === "sectors") + 1);

/** Of the failure that ends the run, else of what it met and overcame. */
export const explain = (run: RecordedRun): Explanation => {
  const { cause, message } = run.end ?? {};
  if (cause === undefined) return troublesOf(run.entries)[0] ?? NOTHING;
  // The last attempt of many may have met something else.
  const often = cause === "download-timeout" ? troublesOf(sinceSector(run.entries))[0] : undefined;
  return (
    often ??
    explanationOf(message ?? "") ?? {
      name: cause,
      sentence:
        CAUSES[cause as Cause] ?? "this version does not know that cause: replay it with the version that made it",
    }
  );
};

/** Lines for `--explain`: what was met in all boots, and what the end means. */
export const explanationLines = ({ older, earlier, run }: Recording): string[] => [
  ...troublesOf([...older, ...(earlier === undefined ? [] : [earlier]), run].flatMap(({ entries }) => entries)).map(
    ({ sentence, times }) => `met ${times === 1 ? "once" : `${times} times`}: ${sentence}`,
  ),
  ...(run.end?.cause === undefined ? [] : [`meaning: ${explain(run).sentence}`]),
];
