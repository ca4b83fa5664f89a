/** A recording as lines for people: each input with its time, the state that it met and what the job did. */
import type { JobEffect } from "../../src/job/effects";
import { AGENT, EVENTS } from "../../src/recorder/format";
import { explanationLines } from "./explain";
import { isOwn } from "./read-recording";
import type { Entry, RecordedRun, Recording } from "./read-recording";
import { factsOf, replay } from "./replay";
import type { Replayed, ReplayedStep } from "./replay";

export interface TranscriptOptions {
  /** Entries at most. */
  readonly until?: number | undefined;
  /** What went wrong on the way and at the end, each in one sentence with what to do. */
  readonly explain?: boolean | undefined;
}

/** The last line is the cause, in one sentence. */
export const transcriptOf = (recording: Recording, options: TranscriptOptions = {}): string[] => {
  const { earlier, older, run, agent, reference } = recording;
  const replayed = isOwn(recording) ? replay(run) : undefined;
  return [
    `recording ${reference}, made by xs-ota ${agent}`,
    ...older.flatMap((each) => ["an earlier boot:", ...bootLines(each), ...linesOf(each, undefined, options)]),
    ...(earlier === undefined
      ? []
      : ["the boot before:", ...bootLines(earlier), ...linesOf(earlier, undefined, options), "this boot:"]),
    ...bootLines(run),
    ...linesOf(run, replayed, options),
    ...claimOf(agent, replayed),
    ...(options.explain === true ? explanationLines(recording) : []),
    causeOf(recording),
  ].map(plain);
};

/** A terminal obeys control characters, and a recording can hold any. */
const plain = (line: string): string => line.replace(/\p{Cc}/gu, "?");

/** One sentence. */
export const causeOf = ({ run }: Recording): string => {
  const { end } = run;
  if (end?.cause === undefined) return "cause: none, the recording ends without a failure";
  return `cause: ${end.cause}: ${end.message ?? "no text"}`;
};

const claimOf = (agent: string, replayed: Replayed | undefined): string[] => {
  if (replayed === undefined)
    return [
      `effects: not claimed, the recording was made by xs-ota ${agent} and this is ${AGENT}; only the inputs are told`,
    ];
  if (replayed.doubt !== undefined) return [`effects: not claimed, ${replayed.doubt}`];
  return ["effects: the job did the same here as on the device"];
};

const bootLines = ({ facts }: RecordedRun): string[] => {
  if (facts === undefined) return [];
  try {
    const { options, facts: boot } = factsOf(facts);
    const { running, resetReason, target, lastFault } = boot;
    const told = lastFault === undefined ? "" : `; the run before ended: ${lastFault}`;
    return [
      `boot of ${running.version} in ${running.slot} (${running.state}) after ${resetReason}, ` +
        `platform ${options.platform.name}, updates go to ${target}${told}`,
    ];
  } catch {
    return [];
  }
};

const linesOf = (
  run: RecordedRun,
  replayed: Replayed | undefined,
  { until = Infinity }: TranscriptOptions,
): string[] => {
  const start = Number(run.facts?.[2] ?? 0);
  const steps = new Map<number, ReplayedStep[]>();
  for (const step of replayed?.doubt === undefined ? (replayed?.steps ?? []) : [])
    if (!steps.has(step.entry)) steps.set(step.entry, [step]);
    else steps.get(step.entry)!.push(step);
  const shown = [...run.entries.entries()].filter(([, { kind }]) => kind !== "answer").slice(0, until);
  return shown.map(([index, entry]) => {
    const time = "at" in entry ? ((entry.at - start) / 1000).toFixed(3) : "";
    const did = doneBy(steps.get(index) ?? []);
    return `${time.padStart(10)} s  ${inputOf(entry)}${did}`.replace(/^ {10} s /, " ".repeat(12));
  });
};

const doneBy = (steps: readonly ReplayedStep[]): string => {
  const first = steps[0];
  const last = steps.at(-1);
  if (first === undefined || last === undefined) return "";
  const states = first.before === last.after ? ` [${first.before}]` : ` [${first.before} -> ${last.after}]`;
  const effects = steps.length > 2 ? [] : steps.flatMap((step) => step.effects).map(effectOf);
  return effects.length === 0 ? states : `${states} ${effects.join(", ")}`;
};

const inputOf = (entry: Entry): string => {
  switch (entry.kind) {
    case "sector":
      return "a sector is stored";
    case "sectors":
      return `${entry.count} sectors are stored`;
    case "reads":
      return `${entry.count} sectors are read back`;
    case "note":
      return `download: ${entry.text}${entry.wait > 0 ? `; again in ${entry.wait} ms` : ""}`;
    case "gap":
      return `(${entry.dropped} entries were dropped)`;
    case "snapshot":
      return "(the job as it was then)";
    case "answer":
      return "";
    case "event": {
      const names = EVENTS.find(([type]) => type === entry.type)!.slice(1);
      const fields = names.map((name, index) => [name, entry.fields[index]] as const);
      return [entry.type, ...fields.filter(([, value]) => value !== undefined).map(fieldOf)].join(" ");
    }
  }
};

const fieldOf = ([name, value]: readonly [string, unknown]): string =>
  value instanceof Uint8Array ? `${value.length} bytes` : `${name}=${JSON.stringify(value, short)}`;

const short = (_name: string, value: unknown): unknown =>
  value instanceof Uint8Array ? `${value.length} bytes` : value;

/** An effect in a word or two. */
export const effectOf = (effect: JobEffect): string => {
  switch (effect.type) {
    case "put-number":
    case "put-bytes":
    case "delete":
      return `${effect.type} ${effect.key}`;
    case "report":
      return `report ${effect.report.kind}${effect.report.kind === "progress" ? ` ${effect.report.percent} %` : ""}`;
    case "ask":
      return `ask for ${effect.question}`;
    case "notify":
      return `notify ${effect.notice.event}`;
    case "erase":
      return `erase ${effect.sector}`;
    case "download":
      return `download from ${effect.offset}`;
    case "reboot":
      return `reboot into ${effect.slot}`;
    default:
      return effect.type;
  }
};
