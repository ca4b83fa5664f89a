/** Reads the bytes of a recording (docs/SPEC.md, "Recording"). Whatever they are, it ends, and throws one line at most. */
import { FIELDS } from "../../src/recorder/fields";
import { AGENT, COMMON, EVENTS, MAGIC, Part, TEXTS, TEXTS_MAX, Tag, Value } from "../../src/recorder/format";
import { crc32 } from "../../src/util/crc32";
import { decodeUtf8 } from "../../src/util/utf8";

export type Entry =
  /** `fields`: as in EVENTS; bytes that were not recorded are zeros of their length. */
  | { readonly kind: "event"; readonly at: number; readonly type: string; readonly fields: readonly unknown[] }
  /** The next whole sector was stored, at that time. */
  | { readonly kind: "sector"; readonly at: number }
  /** Whole sectors were stored, the next ones in order, before the entry that follows. */
  | { readonly kind: "sectors"; readonly count: number }
  /** Whole sectors that were read; `at`: the last one. */
  | { readonly kind: "reads"; readonly at: number; readonly count: number }
  | { readonly kind: "answer"; readonly value: unknown }
  | { readonly kind: "note"; readonly at: number; readonly text: string; readonly wait: number }
  | { readonly kind: "gap"; readonly dropped: number }
  /** `job`: as in src/recorder/snapshot.ts. `check`: over the effects before. */
  | { readonly kind: "snapshot"; readonly at: number; readonly check: number; readonly job: unknown };

export interface RecordedEnd {
  /** Checksum over the effects. */
  readonly check: number;
  readonly cause: string | undefined;
  readonly message: string | undefined;
  /** The recorder has stopped, or has dropped entries. */
  readonly incomplete: boolean;
}

/** One boot. */
export interface RecordedRun {
  /** The boot facts, an array in the order of src/recorder/recorder.ts; undefined: they were dropped. */
  readonly facts: readonly unknown[] | undefined;
  readonly entries: readonly Entry[];
  /** Absent where the run went on, or ended by a restart. */
  readonly end: RecordedEnd | undefined;
  /** The entries end in the middle of one. */
  readonly truncated: boolean;
}

export interface Recording {
  /** Version of the agent that made it. */
  readonly agent: string;
  readonly reference: string;
  /** The boot before. */
  readonly earlier: RecordedRun | undefined;
  /** Boots before that one, the oldest first. */
  readonly older: readonly RecordedRun[];
  readonly run: RecordedRun;
}

/** Why `bytes` are no recording, or a damaged one. */
export class RecordingError extends Error {}

const DEEPEST = 8;
const LENGTH_MAX = 16_384;
/** Sectors that one recording may count: four times those of the largest slot. */
const SECTORS_MAX = 16_384;
/** Far more than any device makes. */
const BYTES_MAX = 65_536;
/** In place of a text that was dropped. */
const LOST = "…";

class Reader {
  at = 0;
  private sectors = 0;
  private readonly texts: string[] = TEXTS.slice();
  /** Texts that the facts leave known. */
  private ofFacts = TEXTS.length;
  /** What the number of a further text was is not known: older recordings do not say how many were dropped. */
  private unsure = false;
  /** Lists and records of a snapshot. */
  private made: unknown[] = [];
  constructor(readonly bytes: Uint8Array) {}

  get more(): boolean {
    return this.at < this.bytes.length;
  }
  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new RecordingError("the recording ends in the middle of an entry");
    return value;
  }
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) break;
    }
    if (!Number.isSafeInteger(value)) throw new RecordingError("the recording has a number that is none");
    return value;
  }
  sectorCount(): number {
    const count = this.varint();
    this.sectors += count;
    if (this.sectors > SECTORS_MAX) throw new RecordingError("the recording has more sectors than any slot");
    return count;
  }
  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new RecordingError("the recording ends in the middle of an entry");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  endFacts(): void {
    this.ofFacts = this.texts.length;
  }
  gap(): number {
    this.unsure = true;
    return this.varint();
  }
  /** Those of the facts stay. */
  newTexts(): void {
    this.unsure = false;
    this.texts.length = this.ofFacts;
  }
  snapshot(): Entry {
    this.newTexts();
    this.made = [];
    return { kind: "snapshot", at: this.number(), check: this.number(), job: this.value() };
  }
  private number(): number {
    const value = this.value();
    if (typeof value !== "number") throw new RecordingError("the recording has no number where one belongs");
    return value;
  }
  string(): string {
    const value = this.value();
    if (typeof value !== "string") throw new RecordingError("the recording has no text where one belongs");
    return value;
  }
  value(depth = 0): unknown {
    const kind = this.byte();
    if (kind < Value.undefined) return kind;
    switch (kind) {
      case Value.undefined:
        return undefined;
      case Value.false:
        return false;
      case Value.true:
        return true;
      case Value.number:
        return this.varint();
      case Value.negative:
        return -this.varint();
      case Value.real: {
        const bytes = this.take(8);
        return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
      }
      case Value.text: {
        const text = decodeUtf8(this.take(this.varint()));
        if (this.texts.length < TEXTS_MAX) this.texts.push(text);
        return text;
      }
      case Value.again:
        return this.again(this.varint());
      case Value.bytes:
        return this.take(this.varint()).slice();
      case Value.omitted: {
        const length = this.varint();
        if (length > LENGTH_MAX) throw new RecordingError(`the recording has an entry of ${length} bytes`);
        return new Uint8Array(length);
      }
      case Value.array:
      case Value.object:
        if (depth === DEEPEST) throw new RecordingError("the recording is nested too deeply");
        return kind === Value.array ? this.array(depth) : this.object(depth);
      case Value.common:
        return COMMON[this.byte()] ?? LOST;
      case Value.record:
        if (depth === DEEPEST) throw new RecordingError("the recording is nested too deeply");
        return this.record(depth);
      case Value.same:
        return this.made[this.varint()];
      default:
        throw new RecordingError(`the recording has a value of unknown kind 0x${kind.toString(16)}`);
    }
  }
  private again(number: number): string {
    return (this.unsure && number >= this.ofFacts ? undefined : this.texts[number]) ?? LOST;
  }
  private count(): number {
    const count = this.varint();
    if (count > this.bytes.length - this.at) throw new RecordingError("the recording ends in the middle of an entry");
    return count;
  }
  private array(depth: number): unknown[] {
    const list = Array.from({ length: this.count() }, () => this.value(depth + 1));
    this.made.push(list);
    return list;
  }
  private record(depth: number): unknown {
    const fields: (readonly [string, unknown])[] = [];
    for (let left = this.count(); left > 0; left--) {
      const name = FIELDS[this.byte()];
      const value = this.value(depth + 1);
      // One of a later version.
      if (name !== undefined) fields.push([name, value]);
    }
    const record: unknown = Object.fromEntries(fields);
    this.made.push(record);
    return record;
  }
  private object(depth: number): unknown {
    const fields: (readonly [string, unknown])[] = [];
    for (let left = this.count(); left > 0; left--) fields.push([this.string(), this.value(depth + 1)]);
    return Object.fromEntries(fields);
  }
}

/** Throws a RecordingError: one line. */
export const readRecording = (bytes: Uint8Array): Recording => {
  const body = bytes.subarray(0, Math.max(0, bytes.length - 4));
  if (MAGIC.slice(0, 3).some((byte, index) => bytes[index] !== byte))
    throw new RecordingError("this is no recording: it does not begin with XSR");
  if (bytes.length > BYTES_MAX)
    throw new RecordingError(`the recording has ${bytes.length} bytes, no device makes that`);
  if (bytes[3] !== MAGIC[3])
    throw new RecordingError(`the recording has format ${bytes[3]}, this version reads format ${MAGIC[3]}`);
  if (bytes.length < 8 || crc32(body) !== new DataView(bytes.buffer, bytes.byteOffset).getUint32(body.length, true))
    throw new RecordingError("the recording is damaged: its checksum is wrong");
  const reader = new Reader(body);
  reader.take(MAGIC.length);
  const before: RecordedRun[] = [];
  let run: RecordedRun | undefined;
  while (reader.more) {
    const kind = reader.byte();
    const part = reader.take(reader.varint());
    // Parts of later formats are skipped.
    if (kind === Part.earlier) before.push(readRun(part));
    else if (kind === Part.run) run = readRun(part);
  }
  if (run?.facts === undefined) throw new RecordingError("the recording has no boot");
  const earlier = before.pop();
  return { agent: String(run.facts[0]), reference: String(run.facts[1]), earlier, older: before, run };
};

/** A run of an older or newer agent is read as far as its entries are known. */
const readRun = (bytes: Uint8Array): RecordedRun => {
  const reader = new Reader(bytes);
  const facts = reader.value();
  if (facts !== undefined && !(Array.isArray(facts) && typeof facts[0] === "string" && typeof facts[2] === "number"))
    throw new RecordingError("the recording has no boot facts");
  reader.endFacts();
  const entries: Entry[] = [];
  let now = ((facts as readonly unknown[] | undefined)?.[2] as number | undefined) ?? 0;
  let end: RecordedEnd | undefined;
  let truncated = false;
  try {
    while (reader.more && end === undefined) {
      const tag = reader.byte();
      if (tag === Tag.answer) entries.push({ kind: "answer", value: reader.value() });
      else if (tag === Tag.gap) entries.push({ kind: "gap", dropped: reader.gap() });
      else if (tag === Tag.texts) reader.newTexts();
      else if (tag === Tag.snapshot) {
        const snapshot = reader.snapshot();
        now = "at" in snapshot ? snapshot.at : now;
        entries.push(snapshot);
      } else if (tag === Tag.stored) entries.push({ kind: "sectors", count: reader.sectorCount() });
      else if (tag === Tag.end) end = readEnd(reader);
      else {
        now += reader.varint();
        entries.push(readEntry(reader, tag, now));
      }
    }
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    truncated = true;
  }
  return { facts: facts as readonly unknown[] | undefined, entries, end, truncated };
};

const readEntry = (reader: Reader, tag: number, at: number): Entry => {
  if (tag === Tag.sector) return { kind: "sector", at };
  if (tag === Tag.reads) return { kind: "reads", at, count: reader.sectorCount() };
  if (tag === Tag.note) return { kind: "note", at, text: reader.string(), wait: Number(reader.value()) };
  const event = EVENTS[tag];
  if (event === undefined) throw new RecordingError(`the recording has an entry of unknown kind ${tag}`);
  const [type, ...names] = event;
  return { kind: "event", at, type, fields: names.map(() => reader.value()) };
};

const readEnd = (reader: Reader): RecordedEnd => {
  const check = Number(reader.value());
  const cause = reader.value();
  const message = reader.value();
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return { check, cause: text(cause), message: text(message), incomplete: reader.value() === true };
};

/** The recording is of this version of the agent. */
export const isOwn = ({ agent }: Recording): boolean => agent === AGENT;
