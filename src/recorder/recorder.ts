/**
 * Records what goes into the update job (format.ts), so that the job can be run again elsewhere. It stands between the
 * runner and the job: each event passes by before it is handled, its effects after that. Where memory ends, the oldest
 * entries behind the boot facts are dropped (entry-ring.ts): what is left begins with a snapshot of the job.
 */
import { SECTOR } from "../constants";
import { isContainer } from "../container/magic";
import type { BootFacts, JobEffect, JobEvent, JobOptions, Notice } from "../job/effects";
import type { Cause } from "../job/types";
import type { Retained } from "../ports";
import { frozen } from "../util/frozen";
import { AGENT, CHECK_FACTOR, CHECK_START, EFFECTS, EVENTS, RECORDING_MAX, Tag, Value } from "./format";
import { assemble } from "./assemble";
import { bootFacts } from "./boot-facts";
import { EntryRing } from "./entry-ring";
import { RecordingWriter } from "./recording-writer";
import { RedactedUrls } from "./redacted-urls";
import { SnapshotWriter } from "./snapshot";

const TAGS: { readonly [type: string]: number } = frozen(
  Object.fromEntries(EVENTS.map(([type], index) => [type, index])),
);
/** Bytes of the longest end. */
const END_MAX = 400;
/** Bytes of the longest table of a container's blocks that is recorded: of 8 MiB. */
const LENGTHS_MAX = 512;

/** A failure of the job. */
export interface Failed {
  readonly cause: Cause;
  readonly message: string;
  readonly version: string;
}

/** The job, as far as a snapshot of it goes. */
export interface Recorded {
  /** Plain values and objects; undefined: just now it holds bytes of a file. */
  readonly inside: object | undefined;
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
  private readonly ring: EntryRing;
  private readonly urls = new RedactedUrls();
  private job: Recorded | undefined;
  private retained: Retained | undefined;
  /** Time of the last entry. */
  private last = 0;
  /** Whole sectors stored since the last entry. */
  private stored = 0;
  /** Whole sectors read since the last entry; -1: what is read next is recorded. */
  private reads = 0;
  private readAt = 0;
  /** The next bytes are the lengths of a container's blocks. */
  private lengthsFollow = false;
  private readonly answers: unknown[] = [];
  private check: number = CHECK_START;

  /** `random`: in [0, 1). `most`: bytes of a recording, without those of boots before. */
  constructor(random: number, most = RECORDING_MAX) {
    this.ring = new EntryRing(most);
    this.reference = Math.floor(random * 0x1000000)
      .toString(16)
      .padStart(6, "0");
  }

  /** What the job is given at a boot, with the answers of what reads payload bytes recorded. */
  begin(options: JobOptions, facts: BootFacts, now: number): JobOptions {
    const { refusalOfSignature, capacityOf } = options;
    const { ring } = this;
    const { writer } = ring;
    this.last = now;
    ring.guard(() => {
      const values = [AGENT, this.reference, now, ...bootFacts(options, facts)];
      writer.counted(Value.array, values.length + 1);
      for (const value of values) writer.value(value);
      const records = writer.at;
      writer.value(this.urls.records(facts.stored));
      ring.begin(records);
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

  /** The job that was made of that. `retained`: the latest entries are kept there, whatever ends this boot. */
  follow(job: Recorded, retained: Retained | undefined): void {
    this.job = job;
    this.retained = retained;
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
    if (this.ring.wantsSnapshot) this.snapshot(now);
    if (this.failed !== undefined) this.onFailed?.();
  }

  /** An entry without fields. */
  private short(tag: number, now: number): void {
    if (!this.ring.fits()) return;
    this.flush(now);
    this.head(tag, now);
    this.keep();
  }

  private snapshot(now: number): void {
    const inside = this.job?.inside;
    if (inside === undefined) return;
    const { ring, urls } = this;
    const { writer } = ring;
    ring.guard(() => this.flush(now));
    ring.snapshot(() => {
      writer.byte(Tag.snapshot);
      writer.number(now);
      writer.number(this.checksum);
      new SnapshotWriter(writer, urls).value(inside);
    });
    this.last = now;
  }

  /** What a crash would lose. */
  private keep(): void {
    const { retained } = this;
    if (retained === undefined) return;
    const { head, tail } = this.ring.kept;
    retained.write(head, tail);
  }

  /** What is known of a sector, and of reads, before another entry. */
  private flush(now: number): void {
    if (this.ring.broken) return;
    const { writer } = this.ring;
    if (this.stored > 0) {
      writer.byte(Tag.stored);
      writer.varint(this.stored);
      this.stored = 0;
    }
    if (this.reads > 0) {
      this.head(Tag.reads, this.readAt);
      writer.varint(this.reads);
    }
    this.reads = 0;
    const { sector } = this;
    if (sector === undefined) return;
    this.sector = undefined;
    this.event(sector, Math.max(now, this.last));
  }

  private head(tag: number, now: number): void {
    const { writer } = this.ring;
    writer.byte(tag);
    writer.varint(now - this.last);
    this.last = now;
  }

  private other(event: JobEvent, now: number): void {
    const { type } = event;
    const answers = this.answers.splice(0);
    const { ring } = this;
    const { writer } = ring;
    if (!ring.fits()) return;
    ring.guard(() => {
      this.flush(now);
      this.event(event, now);
      for (const answer of answers) {
        writer.byte(Tag.answer);
        writer.value(answer);
      }
    });
    this.keep();
    // What a container needs to be expanded is read next.
    this.reads = type === "running-image" ? -1 : 0;
  }

  private event(event: JobEvent, now: number): void {
    const { writer } = this.ring;
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

  /** Goes on at the checksum of a snapshot. */
  resume(checksum: number): void {
    this.check = checksum | 0;
  }

  /** A line of the log that is worth keeping. `wait`: ms until the next attempt. */
  note(text: string, wait: number, now: number): void {
    const { ring } = this;
    if (!ring.fits()) return;
    ring.guard(() => {
      this.flush(now);
      this.head(Tag.note, now);
      ring.writer.text(text);
      ring.writer.number(wait);
    });
    this.keep();
  }

  /** What the job was told while it handles an event: it is recorded behind that. */
  private answer<T>(answer: T): T {
    this.answers.push(answer);
    return answer;
  }

  /** The recording, up to now. `failed`: what it ends with. `earlier`: what boots before have kept, the oldest first. */
  bytes(failed?: Failed, earlier: readonly Uint8Array[] = []): Uint8Array {
    const { ring } = this;
    ring.guard(() => this.flush(this.last));
    const end = new RecordingWriter(END_MAX);
    end.byte(Tag.end);
    end.number(this.checksum);
    end.value(failed?.cause);
    end.value(failed?.message);
    // Not all was recorded.
    end.value(ring.broken);
    return assemble(ring.writer.written, end.written, earlier);
  }

  /** What is kept over a planned restart: all of this boot, or its facts and its latest entries. */
  kept(): Uint8Array {
    this.ring.guard(() => this.flush(this.last));
    const { head, tail } = this.ring.kept;
    const kept = new Uint8Array(head.length + tail.length);
    kept.set(head);
    kept.set(tail, head.length);
    return kept;
  }
}

const headOf = (bytes: Uint8Array): Uint8Array => {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
  return bytes.subarray(0, Math.min(length, bytes.length));
};
