/** A boot of a recording on a line of time: phases, breaks, and the bytes that were stored. */
import { SECTOR } from "../../src/constants";
import { complaintOf } from "./explain";
import type { Entry, RecordedRun } from "./read-recording";
import type { ReplayedStep } from "./replay";

/** Times are milliseconds since the boot. */
export interface Timeline {
  readonly end: number;
  /** States of the job, one after the other; empty where the replay does not prove them. */
  readonly phases: readonly { readonly state: string; readonly from: number; readonly to: number }[];
  /** What kept the device from going on, and the wait before its next attempt, ms. */
  readonly breaks: readonly { readonly at: number; readonly text: string; readonly wait: number }[];
  /** Bytes of whole sectors that were stored since the boot. */
  readonly stored: readonly { readonly at: number; readonly bytes: number }[];
}

/** `steps`: of a replay that has no doubt; else none. */
export const timelineOf = ({ facts, entries }: RecordedRun, steps: readonly ReplayedStep[]): Timeline => {
  const start = Number(facts?.[2] ?? timesOf(entries)[0] ?? 0);
  const end = Math.max(0, (timesOf(entries).at(-1) ?? start) - start);
  return {
    end,
    phases: phasesOf(steps, start, end),
    breaks: entries.flatMap((entry) => {
      const text = complaintOf(entry);
      if (text === undefined || !("at" in entry)) return [];
      return [{ at: entry.at - start, text, wait: entry.kind === "note" ? entry.wait : 0 }];
    }),
    stored: storedOf(entries, start),
  };
};

const timesOf = (entries: readonly Entry[]): number[] => entries.flatMap((entry) => ("at" in entry ? [entry.at] : []));

/** States that took no time are left out. */
const phasesOf = (steps: readonly ReplayedStep[], start: number, end: number): Timeline["phases"] => {
  const phases: { state: string; from: number; to: number }[] = [];
  for (const [index, { after, at }] of steps.entries()) {
    const from = at - start;
    const to = Math.max(from, (steps[index + 1]?.at ?? start + end) - start);
    const last = phases.at(-1);
    if (last?.state === after) last.to = to;
    else if (to > from || index === steps.length - 1) phases.push({ state: after, from, to });
  }
  return phases;
};

/** Sectors that were only counted were there at the next time that is known. */
const storedOf = (entries: readonly Entry[], start: number): Timeline["stored"] => {
  const stored: { at: number; bytes: number }[] = [];
  let bytes = 0;
  let told = 0;
  for (const entry of entries) {
    if (entry.kind === "sectors") bytes += entry.count * SECTOR;
    else if (entry.kind === "sector" || isFirst(entry)) bytes += SECTOR;
    if (bytes === told || !("at" in entry)) continue;
    told = bytes;
    stored.push({ at: entry.at - start, bytes });
  }
  return stored;
};

/** The first sector of a file is an event of its own. */
const isFirst = (entry: Entry): boolean =>
  entry.kind === "event" && entry.type === "compared" && entry.fields[0] === true;
