/**
 * Records what goes into the update job (format.ts), so that the job can be run again elsewhere. It stands between the
 * runner and the job: each event passes by before it is handled, its effects after that. Where memory ends, the oldest
 * entries behind the boot facts are dropped and counted: such a recording tells the inputs, and claims no effects.
 */
import { SECTOR } from "../constants";
import { isContainer } from "../container/format";
import type { BootFacts, JobEffect, JobEvent, JobOptions, Notice } from "../job/effects";
import type { Cause } from "../job/types";
import type { Digest } from "../ports";
import { crc32 } from "../util/crc32";
import { frozen } from "../util/frozen";
import {
  AGENT,
  CHECK_PRIME,
  CHECK_START,
  EFFECTS,
  EVENTS,
  FACTS,
  KEPT_MAX,
  MAGIC,
  POLICY,
  Part,
  RECORDING_MAX,
  RULES,
  RUNNING,
  START_UP,
  Tag,
} from "./format";
import { RecordingWriter } from "./recording-writer";
import { RedactedUrls } from "./redacted-urls";

const TAGS: { readonly [type: string]: number } = frozen(
  Object.fromEntries(EVENTS.map(([type], index) => [type, index])),
);
/** Bytes of the end, the parts' heads and the checksum beside entries. */
const FRAME = 400;
/** Bytes of the longest table of a container's blocks that is recorded: of 8 MiB. */
const LENGTHS_MAX = 512;
/** Bytes of an entry; a longer one may find no room. */
const ENTRY_MAX = 640;
/** Bytes between marks of entries. */
const MARK = 200;

/** A failure of the job. */
export interface Failed {
  readonly cause: Cause;
  readonly message: string;
  readonly version: string;
}

export class Recorder {
  /** Short id of the recording, for people: 6 hex digits. */
  readonly reference: string;
  /** A failure whose recording nobody has taken yet. */
  failed: Failed | undefined;
  private readonly writer = new RecordingWriter(RECORDING_MAX - FRAME);
  private readonly urls = new RedactedUrls();
  /** Time of the last entry. */
  private last = 0;
  /** Behind the boot facts. */
  private start = 0;
  /** The beginning of an entry in the middle of the room; `start`: there is none yet. */
  private middle = 0;
  /** Beginnings of the latest entries. */
  private mark = 0;
  private markBefore = 0;
  private dropped = 0;
  /** Entries since `start`, and up to `middle`. */
  private entries = 0;
  private entriesBefore = 0;
  /** The event before was the identity of the running image: what a container needs to be expanded follows. */
  private identified = false;
  private expected = 0;
  /** Where the tag of the sector stands whose readback is not known; -1: of none. */
  private open = -1;
  private check: number = CHECK_START;
  /** A fault of the recorder's own: it has stopped. */
  private broken = false;

  /** `random`: in [0, 1). */
  constructor(random: number) {
    this.reference = Math.floor(random * 0x1000000)
      .toString(16)
      .padStart(6, "0");
  }

  /** What the job is given at a boot, with the answers of what reads payload bytes recorded. */
  begin(options: JobOptions, facts: BootFacts, now: number): JobOptions {
    const { platform, policy, digest, refusalOfSignature, capacityOf } = options;
    const { writer } = this;
    this.last = now;
    this.guard(() => {
      writer.value([
        AGENT,
        this.reference,
        now,
        platform.name,
        pick(platform.rules, RULES),
        pick(policy, POLICY),
        policy.signingKeys.length,
        refusalOfSignature !== undefined,
        options.withoutAddress === true,
        pick(facts.running, RUNNING),
        pick(facts.startUp, START_UP),
        pick(facts, FACTS),
        this.urls.records(facts.stored),
      ]);
      this.start = this.middle = this.mark = this.markBefore = writer.at;
    });
    return {
      ...options,
      digest: (algorithm) => new RecordedDigest(digest(algorithm), this),
      ...(refusalOfSignature === undefined
        ? {}
        : { refusalOfSignature: (hash, trailer) => this.answer(refusalOfSignature(hash, trailer)) }),
      ...(capacityOf === undefined ? {} : { capacityOf: (component) => this.answer(capacityOf(component)) }),
      observe: (look) => this.answer(look()),
    };
  }

  /** Before the job handles it. `now`: a whole number. */
  event(event: JobEvent, now: number): void {
    const elapsed = now - this.last;
    const { type } = event;
    const { open, writer } = this;
    if (open >= 0) {
      this.open = -1;
      if (type === "compared" && event.equal) {
        this.last = now;
        return writer.varint(elapsed);
      }
      writer.patch(open, Tag.sector);
    }
    if (!this.fits()) return;
    this.last = now;
    if (type === "sector" && event.offset === this.expected && event.offset > 0 && event.bytes.length === SECTOR) {
      this.expected += SECTOR;
      this.open = writer.at;
      writer.byte(Tag.stored);
      return writer.varint(elapsed);
    }
    this.guard(() => this.other(event, elapsed));
    this.identified = type === "running-image";
  }

  private other(event: JobEvent, elapsed: number): void {
    const { writer } = this;
    const tag = TAGS[event.type]!;
    if (event.type === "sector") this.expected = event.offset + SECTOR;
    writer.byte(tag);
    writer.varint(elapsed);
    const fields = EVENTS[tag]!;
    for (let index = 1; index < fields.length; index++) {
      const value = (event as unknown as { readonly [field: string]: unknown })[fields[index]!];
      if (!(value instanceof Uint8Array)) writer.value(value === event ? undefined : this.urls.redacted(value));
      // The head of a container says what is in the container, and is none of its contents.
      else if (event.type === "sector" && event.offset === 0 && isContainer(value)) writer.raw(headOf(value));
      else if (event.type === "bytes" && this.identified && value.length <= LENGTHS_MAX) writer.raw(value);
      else writer.omitted(value.length);
    }
  }

  /** What the job made of the event. */
  effects(effects: readonly JobEffect[]): void {
    let { check } = this;
    for (let index = 0; index < effects.length; index++) {
      const effect = effects[index]!;
      const { type } = effect;
      check = Math.imul(check ^ EFFECTS[type], CHECK_PRIME);
      if (type === "put-number") check = Math.imul(check ^ (effect.value & 0xffff), CHECK_PRIME);
      else if (type === "notify") this.noticed(effect.notice);
    }
    this.check = check;
  }

  private noticed(notice: Notice): void {
    if (notice.event === "state" && notice.state === "fail") this.failed = notice;
  }

  /** Over the effects so far. */
  get checksum(): number {
    return this.check >>> 0;
  }

  /** A line of the log that is worth keeping. `wait`: ms until the next attempt. */
  note(text: string, wait: number, now: number): void {
    // An entry would stand between a sector and its readback.
    if (this.open >= 0 || !this.fits()) return;
    const elapsed = Math.max(0, Math.floor(now) - this.last);
    this.last += elapsed;
    this.guard(() => {
      this.writer.byte(Tag.note);
      this.writer.varint(elapsed);
      this.writer.text(text);
      this.writer.number(wait);
    });
  }

  /** Records what the job was told, and passes it on. */
  answer<T>(answer: T): T {
    if (!this.broken)
      this.guard(() => {
        this.writer.byte(Tag.answer);
        this.writer.value(answer);
      });
    return answer;
  }

  /** The recording, up to now. `earlier`: what the boot before has kept. */
  bytes(earlier?: Uint8Array): Uint8Array {
    const { failed, open, writer } = this;
    if (open >= 0) writer.patch(open, Tag.sector);
    this.open = -1;
    const end = new RecordingWriter(FRAME);
    end.byte(Tag.end);
    end.number(this.checksum);
    end.value(failed?.cause);
    end.value(failed?.message);
    // Not all was recorded.
    end.value(this.broken || this.dropped > 0);
    const run = join(writer.written, end.written);
    const whole = new RecordingWriter(RECORDING_MAX + KEPT_MAX);
    whole.bytes(Uint8Array.from(MAGIC));
    if (earlier !== undefined) writePart(whole, Part.earlier, earlier);
    writePart(whole, Part.run, run);
    const crc = crc32(whole.written);
    whole.bytes(Uint8Array.of(crc, crc >>> 8, crc >>> 16, crc >>> 24));
    return whole.written.slice();
  }

  /** What is kept over a planned restart: all of this boot, or its facts and its latest entries. */
  kept(): Uint8Array {
    const { writer, start, markBefore } = this;
    const { written } = writer;
    if (writer.at <= KEPT_MAX) return written.slice();
    const tail = new RecordingWriter(KEPT_MAX);
    const latest = written.subarray(markBefore);
    const facts = start + GAP_MAX + latest.length <= KEPT_MAX;
    if (facts) tail.bytes(written.subarray(0, start));
    else tail.value(undefined);
    writeGap(tail, this.dropped + this.entries);
    if (tail.room(latest.length)) tail.bytes(latest);
    return tail.written.slice();
  }

  /** Room for one more entry, for which older ones go. */
  private fits(): boolean {
    const { writer, start } = this;
    const { at } = writer;
    if (this.broken) return false;
    if (at > this.mark + MARK) {
      this.markBefore = this.mark;
      this.mark = at;
    }
    if (!writer.room(ENTRY_MAX) && this.middle > start) this.dropOldest();
    if (this.middle === start && writer.at > (start + RECORDING_MAX - FRAME) / 2) {
      this.middle = writer.at;
      this.entriesBefore = this.entries;
    }
    this.entries++;
    return true;
  }

  /** The entries before the middle go. */
  private dropOldest(): void {
    const { writer, start, middle } = this;
    this.dropped += this.entriesBefore;
    const gap = new RecordingWriter(GAP_MAX);
    writeGap(gap, this.dropped);
    const moved = middle - gap.at - start;
    writer.drop(start, middle - gap.at);
    gap.written.forEach((byte, index) => writer.patch(start + index, byte));
    this.mark = Math.max(start, this.mark - moved);
    this.markBefore = Math.max(start, this.markBefore - moved);
    this.entries -= this.entriesBefore;
    this.middle = start;
  }

  /** A fault of the recorder must not become one of the job. */
  private guard(write: () => void): void {
    const { at } = this.writer;
    try {
      write();
    } catch {
      this.writer.at = at;
      this.broken = true;
    }
  }
}

const pick = <T extends object>(from: T, names: readonly string[]): unknown[] =>
  names.map((name) => (from as { readonly [name: string]: unknown })[name]);

const headOf = (bytes: Uint8Array): Uint8Array => {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  return bytes.subarray(0, Math.min(length, bytes.length));
};

const join = (a: Uint8Array, b: Uint8Array): Uint8Array => {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
};

const GAP_MAX = 8;
const writeGap = (writer: RecordingWriter, dropped: number): void => {
  writer.byte(Tag.gap);
  writer.varint(dropped);
};

const writePart = (writer: RecordingWriter, kind: number, bytes: Uint8Array): void => {
  writer.byte(kind);
  writer.varint(bytes.length);
  writer.bytes(bytes);
};

class RecordedDigest implements Digest {
  private readonly inner: Digest;
  private readonly recorder: Recorder;
  constructor(inner: Digest, recorder: Recorder) {
    this.inner = inner;
    this.recorder = recorder;
  }
  write(bytes: Uint8Array): void {
    this.inner.write(bytes);
  }
  close(): Uint8Array {
    return this.recorder.answer(this.inner.close());
  }
}
