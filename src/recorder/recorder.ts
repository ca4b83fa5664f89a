/**
 * Records what goes into the update job (format.ts), so that the job can be run again elsewhere. It stands between the
 * runner and the job: each event passes by before it is handled, its effects after that. Where memory ends, the oldest
 * entries behind the boot facts are dropped and counted: such a recording tells the inputs, and claims no effects.
 */
import { SECTOR } from "../constants";
import { isContainer } from "../container/format";
import type { BootFacts, JobEffect, JobEvent, JobOptions, Notice } from "../job/effects";
import type { Cause } from "../job/types";
import { frozen } from "../util/frozen";
import { AGENT, CHECK_FACTOR, CHECK_START, EFFECTS, EVENTS, KEPT_MAX, RECORDING_MAX, Tag } from "./format";
import { assemble } from "./assemble";
import { bootFacts } from "./boot-facts";
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
  /** It is there. */
  onFailed: (() => void) | undefined;
  /** Came last, not as the first of its file, and nothing has followed. */
  private sector: Extract<JobEvent, { type: "sector" }> | undefined;
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
  /** From here on room must be made. */
  private next = 0;
  private dropped = 0;
  /** Entries since `start`, and up to `middle`. */
  private entries = 0;
  private entriesBefore = 0;
  /** Whole sectors stored since the last entry. */
  private stored = 0;
  /** Whole sectors read since the last entry; -1: what is read next is recorded. */
  private reads = 0;
  private readAt = 0;
  /** The next bytes are the lengths of a container's blocks. */
  private lengthsFollow = false;
  private readonly answers: unknown[] = [];
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
    const { refusalOfSignature, capacityOf } = options;
    const { writer } = this;
    this.last = now;
    this.guard(() => {
      writer.value([AGENT, this.reference, now, ...bootFacts(options, facts), this.urls.records(facts.stored)]);
      this.start = this.middle = this.mark = this.markBefore = writer.at;
    });
    return {
      ...options,
      ...(refusalOfSignature === undefined
        ? {}
        : { refusalOfSignature: (hash, trailer) => this.answer(refusalOfSignature(hash, trailer)) }),
      ...(capacityOf === undefined ? {} : { capacityOf: (component) => this.answer(capacityOf(component)) }),
      observe: (found) => this.answer(found),
    };
  }

  /**
   * The job has handled an event at `now`, a whole number, which had these effects. A download is made of sectors, so
   * their way is short. As long as a checkpoint is all that follows, the job does not go by the time, and stored sectors
   * are only counted: it lets nothing be read back but the next sector.
   */
  handled(event: JobEvent, now: number, effects: readonly JobEffect[]): void {
    switch (event.type) {
      case "compared": {
        const sector = this.sector;
        if (sector === undefined || !event.equal || sector.bytes.length < SECTOR) break;
        this.sector = undefined;
        if (effects.length > 1) this.short(Tag.sector, now);
        else this.stored++;
        return;
      }
      case "sector":
        if (event.offset === 0 || this.sector !== undefined) break;
        this.sector = event;
        return;
      case "bytes":
        if (this.reads < 0 || event.bytes.length < SECTOR || this.answers.length > 0) break;
        this.reads++;
        this.readAt = now;
        return;
    }
    if (event.type === "turn" && this.answers.length === 0) this.short(TAGS.turn!, now);
    else this.other(event, now);
    this.add(event, effects);
    if (this.failed !== undefined) this.onFailed?.();
  }

  /** An entry without fields. */
  private short(tag: number, now: number): void {
    if (!this.fits()) return;
    this.flush(now);
    this.head(tag, now);
  }

  /** What is known of a sector, and of reads, before another entry. */
  private flush(now: number): void {
    if (this.stored > 0) {
      this.writer.byte(Tag.stored);
      this.writer.varint(this.stored);
      this.stored = 0;
    }
    if (this.reads > 0) {
      this.head(Tag.reads, this.readAt);
      this.writer.varint(this.reads);
    }
    this.reads = 0;
    const { sector } = this;
    if (sector === undefined) return;
    this.sector = undefined;
    this.event(sector, Math.max(now, this.last));
  }

  private head(tag: number, now: number): void {
    this.writer.byte(tag);
    this.writer.varint(now - this.last);
    this.last = now;
  }

  private other(event: JobEvent, now: number): void {
    const { type } = event;
    const answers = this.answers.splice(0);
    if (!this.fits()) return;
    this.guard(() => {
      this.flush(now);
      this.event(event, now);
      for (const answer of answers) {
        this.writer.byte(Tag.answer);
        this.writer.value(answer);
      }
    });
    // What a container needs to be expanded is read next.
    this.reads = type === "running-image" ? -1 : 0;
  }

  private event(event: JobEvent, now: number): void {
    const { writer } = this;
    const { type } = event;
    const tag = TAGS[type]!;
    this.head(tag, now);
    const fields = EVENTS[tag]!;
    for (let index = 1; index < fields.length; index++) {
      const value = (event as unknown as { readonly [field: string]: unknown })[fields[index]!];
      if (!(value instanceof Uint8Array)) writer.value(this.urls.redacted(value));
      // The head of a container says what is in the container, and is none of its contents.
      else if (type === "sector" && event.offset === 0 && isContainer(value)) writer.raw(headOf(value));
      else if (type === "bytes" && this.lengthsFollow && value.length <= LENGTHS_MAX) writer.raw(value);
      else writer.omitted(value.length);
    }
    this.lengthsFollow = type === "running-image";
  }

  /** What the job made of an event, for the checksum. */
  add(event: JobEvent, effects: readonly JobEffect[]): void {
    if (event.type === "sector" && event.offset > 0) return;
    let { check } = this;
    for (let index = 0; index < effects.length; index++) {
      const effect = effects[index]!;
      const { type } = effect;
      check = (check * CHECK_FACTOR + EFFECTS[type]) | 0;
      if (type === "put-number") check = (check * CHECK_FACTOR + (effect.value & 0xffff)) | 0;
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
    if (!this.fits()) return;
    this.guard(() => {
      this.flush(now);
      this.head(Tag.note, now);
      this.writer.text(text);
      this.writer.number(wait);
    });
  }

  /** What the job was told while it handles an event: it is recorded behind that. */
  private answer<T>(answer: T): T {
    this.answers.push(answer);
    return answer;
  }

  /** The recording, up to now. `failed`: what it ends with. `earlier`: what the boot before has kept. */
  bytes(failed?: Failed, earlier?: Uint8Array): Uint8Array {
    const { writer } = this;
    this.guard(() => this.flush(this.last));
    const end = new RecordingWriter(FRAME);
    end.byte(Tag.end);
    end.number(this.checksum);
    end.value(failed?.cause);
    end.value(failed?.message);
    // Not all was recorded.
    end.value(this.broken || this.dropped > 0);
    return assemble(writer.written, end.written, earlier);
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
    if (this.writer.at >= this.next && !this.makeRoom()) return false;
    this.entries++;
    return true;
  }

  /** Marks the beginning of an entry, and looks how far there is room. */
  private makeRoom(): boolean {
    const { writer, start } = this;
    if (this.broken) return false;
    if (!writer.room(ENTRY_MAX) && this.middle > start) this.dropOldest();
    const { at } = writer;
    if (this.middle === start && at > (start + RECORDING_MAX - FRAME) / 2) {
      this.middle = at;
      this.entriesBefore = this.entries;
    }
    this.markBefore = this.mark;
    this.mark = at;
    this.next = Math.min(at + MARK, Math.max(at + 1, writer.capacity - ENTRY_MAX));
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
      this.next = 0;
      this.broken = true;
    }
  }
}

const headOf = (bytes: Uint8Array): Uint8Array => {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  return bytes.subarray(0, Math.min(length, bytes.length));
};

const GAP_MAX = 8;
const writeGap = (writer: RecordingWriter, dropped: number): void => {
  writer.byte(Tag.gap);
  writer.varint(dropped);
};
