/** Codecs of the records about images, which outlive jobs: the denylist and the budgets (docs/SPEC.md). */
import { fromHex, toHex } from "../util/hex";
import { FORMAT, Reader, Writer } from "./codec";

/* ---- denylist ---- */

/** First bytes of a digest, which identify an image, and the number of the cause. */
export const DENIED_ID = 16;
export const DENIED_ENTRY = DENIED_ID + 1;

export const encodeDenylist = (entries: readonly Uint8Array[]): Uint8Array => {
  const writer = new Writer().byte(FORMAT);
  entries.forEach((entry) => writer.bytes(entry));
  return writer.sealed();
};

/** An unreadable record counts as empty. */
export const decodeDenylist = (stored: Uint8Array | undefined): Uint8Array[] => {
  const entries: Uint8Array[] = [];
  const end = (stored?.length ?? 0) - 4;
  if (stored === undefined || (end - 1) % DENIED_ENTRY !== 0) return entries;
  const reader = new Reader(stored);
  if (reader.byte() !== FORMAT || reader.broken) return entries;
  for (let at = 1; at < end; at += DENIED_ENTRY) entries.push(stored.slice(at, at + DENIED_ENTRY));
  return entries;
};

/* ---- budgets ---- */

/** Hex digits of a digest that identify an image. */
export const BUDGET_ID = 16;
const DIGEST = 0;
const TEXT = 1;

/**
 * How a trial ended without a confirm; the index is the number in the store: append only. "not reached": the cloud, and
 * the old firmware decides whose fault that is; "outage": it did not reach the cloud either; "at fault": it did.
 */
const ENDS = Object.freeze(["rolled back", "not reached", "power", "outage", "at fault"] as const);
export type TrialEnd = (typeof ENDS)[number];

export interface CountedTrials {
  /** Of the image. */
  readonly id: string;
  readonly count: number;
  readonly why: TrialEnd;
  /** Awake seconds when the last one was counted. */
  readonly at: number;
  /** `state` record of the job whose trial was counted last; 0: its next one counts in any case. */
  readonly job: number;
}

export interface BudgetRecord {
  readonly trials: readonly CountedTrials[];
  /** Images that were confirmed here, oldest first. */
  readonly confirmed: readonly string[];
  /** Installs of images that were confirmed here before. */
  readonly repeats: Spent;
  /** Installs of other images. */
  readonly news: Spent;
}

/** What time has not given back yet, and the awake second when the refill of the next one began. */
export interface Spent {
  readonly count: number;
  readonly since: number;
}

export const encodeBudgets = ({ trials, confirmed, repeats, news }: BudgetRecord): Uint8Array => {
  const writer = new Writer().byte(FORMAT).byte(trials.length);
  trials.forEach(({ id, count, why, at, job }) =>
    writeName(writer, id).byte(count).byte(ENDS.indexOf(why)).u32(at).u32(job),
  );
  writer.byte(confirmed.length);
  confirmed.forEach((id) => writeName(writer, id));
  return writeSpent(writeSpent(writer, repeats), news).sealed();
};

/**
 * The record is written twice in each update, and holds up to 16 names: digits of a digest take half of their number, and
 * a byte in front tells them from a text.
 */
const writeName = (writer: Writer, id: string): Writer =>
  id.startsWith("=") ? writer.byte(TEXT).text(id) : writer.byte(DIGEST).bytes(fromHex(id));

const writeSpent = (writer: Writer, { count, since }: Spent): Writer =>
  count === 0 ? writer.byte(0) : writer.byte(count).u32(since);

/** An unreadable record counts as empty. */
export const decodeBudgets = (bytes: Uint8Array | undefined): BudgetRecord => {
  const reader = new Reader(bytes);
  const trials: CountedTrials[] = [];
  const confirmed: string[] = [];
  if (reader.byte() === FORMAT) {
    for (let left = reader.byte(); left > 0 && !reader.broken; left--)
      trials.push({
        id: readName(reader),
        count: reader.byte(),
        why: ENDS[reader.byte()] ?? ENDS[0],
        at: reader.u32(),
        job: reader.u32(),
      });
    for (let left = reader.byte(); left > 0 && !reader.broken; left--) confirmed.push(readName(reader));
    const repeats = readSpent(reader);
    const news = readSpent(reader);
    reader.rest(0);
    if (!reader.broken) return { trials, confirmed, repeats, news };
  }
  return { trials: [], confirmed: [], repeats: NOTHING, news: NOTHING };
};

const NOTHING: Spent = Object.freeze({ count: 0, since: 0 });

const readName = (reader: Reader): string =>
  reader.byte() === TEXT
    ? (reader.text() ?? "")
    : toHex(Uint8Array.from({ length: BUDGET_ID / 2 }, () => reader.byte()));

const readSpent = (reader: Reader): Spent => {
  const count = reader.byte();
  return count === 0 ? NOTHING : { count, since: reader.u32() };
};
