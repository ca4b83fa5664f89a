/**
 * Runs the update job on a recording: the same facts, events and times, and the recorded answers in place of what the
 * job read in bytes. The checksum over the effects proves that the job did the same here.
 */
import { SECTOR } from "../../src/constants";
import { isContainer } from "../../src/container/format";
import type { BootFacts, JobEffect, JobEvent, JobOptions } from "../../src/job/effects";
import { UpdateJob } from "../../src/job/machine";
import { DEFAULT_POLICY } from "../../src/job/policy";
import { RECORDS } from "../../src/job/records";
import type { PlatformRules } from "../../src/platforms/platform";
import { EVENTS, FACTS, POLICY, RULES, RUNNING, START_UP } from "../../src/recorder/format";
import { Recorder } from "../../src/recorder/recorder";
import type { Entry, RecordedRun } from "./read-recording";
import { rebound } from "./rebound";
import { restore } from "./restore";

/** In place of a sector's bytes. Nothing writes to it. */
const ZEROS = new Uint8Array(SECTOR);

export interface ReplayedStep {
  readonly at: number;
  readonly event: JobEvent;
  /** The state that the event met, and the one that followed. */
  readonly before: string;
  readonly after: string;
  readonly effects: readonly JobEffect[];
  /** Numbers of the entries that it came from: the first one. */
  readonly entry: number;
}

export interface Replayed {
  readonly steps: readonly ReplayedStep[];
  /**
   * Why the effects are not claimed to be those of the device: entries were dropped, or the job did something else
   * here. Undefined: they are the device's.
   */
  readonly doubt: string | undefined;
}

/** The job wants another answer than was recorded. */
class Parted extends Error {}

/** The boot facts by their names. */
export interface RunFacts {
  readonly agent: string;
  readonly reference: string;
  readonly now: number;
  readonly options: Omit<JobOptions, "digest">;
  readonly facts: BootFacts;
}

const named = (names: readonly string[], values: unknown): { [name: string]: unknown } => {
  if (!Array.isArray(values)) throw new Parted("the boot facts are of another form");
  return Object.fromEntries(
    names.map((name, index) => [name, values[index] as unknown]).filter(([, value]) => value !== undefined),
  );
};

/** Throws where the facts are of another form. */
export const factsOf = (values: readonly unknown[]): RunFacts => {
  const [agent, reference, now, name, rules, policy, keys, , withoutAddress, running, startUp, facts, stored] = values;
  const options = {
    platform: { name: String(name), rules: named(RULES, rules) as unknown as PlatformRules },
    policy: {
      ...DEFAULT_POLICY,
      ...named(POLICY, policy),
      signingKeys: Array.from({ length: Math.min(Number(keys), 16) }, () => ""),
    },
    withoutAddress: withoutAddress === true,
  };
  return {
    agent: String(agent),
    reference: String(reference),
    now: Number(now),
    options,
    facts: {
      targetStarted: undefined,
      lastInvalid: undefined,
      ...named(FACTS, facts),
      running: named(RUNNING, running),
      startUp: { bootloaderRollsBack: undefined, ...named(START_UP, startUp) },
      stored: named(Object.keys(RECORDS), stored),
    } as unknown as BootFacts,
  };
};

/** The recorded answers, in the order in which the job wants them. */
class Answers {
  private queue: unknown[] = [];

  /** Those that follow entry `index`. */
  load(entries: readonly Entry[], index: number): void {
    this.queue = [];
    for (let at = index + 1; entries[at]?.kind === "answer"; at++)
      this.queue.push((entries[at] as Extract<Entry, { kind: "answer" }>).value);
  }
  next(): unknown {
    if (this.queue.length === 0) throw new Parted("the job reads something that the device did not read");
    return this.queue.shift();
  }
  check(): void {
    if (this.queue.length > 0) throw new Parted("the device read something that the job does not read");
  }
}

const jobOf = ({ options, facts }: RunFacts, signed: boolean, answers: Answers): UpdateJob =>
  new UpdateJob(
    {
      ...options,
      digest: () => ({ write: () => undefined, close: () => new Uint8Array(0) }),
      ...(signed ? { refusalOfSignature: () => answers.next() as string | undefined } : {}),
      capacityOf: () => answers.next() as number | undefined,
      observe: <T>() => answers.next() as T,
    },
    facts,
  );

/** Plays the entries of one boot; `until`: as many steps at most. */
export const replay = (run: RecordedRun, until = Infinity): Replayed => {
  const played = play(run, until);
  const stored = played.doubt?.startsWith(PARTED) === true ? rebound(run.facts?.[STORED]) : undefined;
  if (stored === undefined) return played;
  const again = play({ ...run, facts: run.facts!.with(STORED, stored) }, until);
  return again.doubt === undefined ? again : played;
};

const PARTED = "the job does something else here: ";
/** Place of the records in the facts. */
const STORED = 12;

const play = (run: RecordedRun, until: number): Replayed => {
  const steps: ReplayedStep[] = [];
  if (run.facts === undefined) return { steps, doubt: "incomplete: the facts of the boot were dropped" };
  const gap = run.entries.findLastIndex((entry) => entry.kind === "gap");
  // What was dropped has left a snapshot.
  const snapshot = run.entries[gap + 1];
  const begin = gap >= 0 && snapshot?.kind === "snapshot" ? gap + 2 : 0;
  if (gap >= begin)
    return { steps, doubt: `incomplete: ${droppedAt(run, gap)} entries were dropped for want of memory` };
  const check = new Recorder(0);
  try {
    const answers = new Answers();
    const job = jobOf(factsOf(run.facts), run.facts[7] === true, answers);
    let since = 0;
    if (begin > 0 && snapshot?.kind === "snapshot") {
      restore(job, snapshot.job);
      check.resume(snapshot.check);
      since = snapshot.at;
    }
    for (const [index, entry] of run.entries.entries()) {
      if (index < begin) continue;
      if (steps.length >= until) return { steps, doubt: undefined };
      for (const { event, at } of eventsOf(entry, nextOf(job), since)) {
        answers.load(run.entries, index);
        const before = job.name;
        const effects = job.handle(event, at);
        answers.check();
        if (entry.kind === "event") check.add(event, effects);
        steps.push({ at, event, before, after: job.name, effects, entry: index });
      }
      if ("at" in entry) since = entry.at;
    }
  } catch (error) {
    // The job is made for what a device gives it; a recording can hold anything.
    return { steps, doubt: `${PARTED}${(error as Error).message}` };
  }
  return { steps, doubt: doubtOf(run, check.checksum) };
};

const droppedAt = ({ entries }: RecordedRun, index: number): number => {
  const gap = entries[index];
  return gap?.kind === "gap" ? gap.dropped : 0;
};

const doubtOf = ({ end, truncated }: RecordedRun, checksum: number): string | undefined => {
  if (truncated) return "incomplete: the recording ends in the middle of an entry";
  if (end === undefined) return "incomplete: the end of the boot was not recorded";
  if (end.incomplete) return "incomplete: the recorder had stopped";
  return end.check === checksum ? undefined : `${PARTED}its effects differ`;
};

/** Offset of the sector that the job stores next. */
const nextOf = (job: UpdateJob): number => {
  const state = job["currentState"];
  return "job" in state ? state.job.from + state.job.offset : 0;
};

interface Timed {
  readonly event: JobEvent;
  readonly at: number;
}

/** `expected`: the offset of the next sector. `since`: time of the entry before. */
const eventsOf = (entry: Entry, expected: number, since: number): readonly Timed[] => {
  switch (entry.kind) {
    case "sector":
      return sectorAt(expected, entry.at);
    case "sectors":
      // Nothing was due at their times, so nothing is before.
      return Array.from({ length: entry.count }, (_, index) => sectorAt(expected + index * SECTOR, since)).flat();
    case "reads":
      return Array.from({ length: entry.count }, () => ({
        event: { type: "bytes", bytes: ZEROS },
        at: entry.at,
      }));
    case "event":
      return [{ event: eventOf(entry), at: entry.at }];
    default:
      return [];
  }
};

const sectorAt = (offset: number, at: number): readonly Timed[] => [
  { event: { type: "sector", offset, bytes: ZEROS }, at },
  { event: { type: "compared", equal: true }, at },
];

const eventOf = (entry: Extract<Entry, { kind: "event" }>): JobEvent => {
  const names = EVENTS.find(([type]) => type === entry.type)!.slice(1);
  const fields = names.map((name, index) => [name, whole(name, entry.fields[index])] as const);
  const event = Object.fromEntries(fields.filter(([, value]) => value !== undefined));
  return { ...event, type: entry.type } as unknown as JobEvent;
};

/** Of a first sector that begins a container its head is recorded, and the rest of the sector is not. */
const whole = (name: string, value: unknown): unknown => {
  if (name !== "bytes" || !(value instanceof Uint8Array) || !isContainer(value) || value.length < 16) return value;
  const length = Math.min(SECTOR, new DataView(value.buffer, value.byteOffset).getUint32(12, true));
  const sector = new Uint8Array(Math.max(length, value.length));
  sector.set(value);
  return sector;
};
