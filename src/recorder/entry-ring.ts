/**
 * The entries of a recording in memory, behind the facts of the boot. Where memory ends, those before the latest snapshot
 * are dropped and counted: what is left begins with a snapshot. The latest entries alone are kept over a restart.
 */
import { KEPT_MAX } from "../constants";
import { Tag, Value } from "./format";
import { RecordingWriter } from "./recording-writer";

/** Bytes of the end, the parts' heads and the checksum beside entries. */
const FRAME = 400;
/** Bytes of an entry; a longer one may find no room. Less in a small ring. */
const ENTRY_MAX = 640;
const ENTRIES_LEAST = 4;
/** Bytes between marks of entries. */
const MARK = 190;
/** Bytes of the entry that says what was dropped. */
const GAP_MAX = 8;

/** The beginning of an entry. */
interface Mark {
  at: number;
  /** Entries before it, since the facts or a gap. */
  entries: number;
}

/** What is kept over a restart: `tail` follows `head`. */
export interface Kept {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

export class EntryRing {
  readonly writer: RecordingWriter;
  /** A fault of the recorder's own: it has stopped. */
  broken = false;
  /** Entries that are gone. */
  dropped = 0;
  /** Texts that the facts leave known. */
  private texts = 0;
  private readonly most: number;
  private readonly entryMax: number;
  private entries = 0;
  /** Behind the facts. */
  private start = 0;
  /** A snapshot. At `start`: there is none since the last gap. */
  private readonly middle: Mark = { at: 0, entries: 0 };
  /** The latest two. */
  private readonly mark: Mark = { at: 0, entries: 0 };
  private readonly markBefore: Mark = { at: 0, entries: 0 };
  /** From here on room must be made. */
  private next = 0;
  /** The facts without the records of the store, then what was dropped before a tail. */
  private head: Uint8Array | undefined;
  private headEnd = 0;

  /** `most`: bytes of a whole recording. */
  constructor(most: number) {
    this.most = most - FRAME;
    this.entryMax = Math.min(ENTRY_MAX, Math.floor(this.most / ENTRIES_LEAST));
    this.writer = new RecordingWriter(this.most);
  }

  /** The facts are written; `records`: where the records of the store begin in them. */
  begin(records: number): void {
    const { writer } = this;
    this.texts = writer.texts;
    this.start = this.middle.at = this.mark.at = this.markBefore.at = writer.at;
    this.headEnd = records + 2;
    this.head = new Uint8Array(this.headEnd + GAP_MAX);
    this.head.set(writer.written.subarray(0, records));
    // A list without values in place of them.
    this.head[records] = Value.array;
  }

  /** `mark` stands here. */
  private place(mark: Mark): void {
    mark.at = this.writer.at;
    mark.entries = this.entries;
  }

  /** Room for one more entry, for which older ones go. */
  fits(): boolean {
    if (this.writer.at >= this.next && !this.makeRoom()) return false;
    this.entries++;
    return true;
  }

  /** Half of the room is used: a snapshot would let what is before it go. */
  get wantsSnapshot(): boolean {
    const { start, writer } = this;
    return writer.at > (start + this.most) / 2 && this.middle.at === start && !this.broken;
  }

  /** Between two entries. Where it finds no room behind the others, all of them go. */
  snapshot(write: () => void): void {
    if (this.snapshotHere(write)) return;
    this.place(this.middle);
    this.dropOldest();
    if (!this.snapshotHere(write)) this.stop();
  }

  /** What follows refers to no text of what is before it. False: it does not fit. */
  private snapshotHere(write: () => void): boolean {
    const { writer } = this;
    const { at } = writer;
    writer.texts = this.texts;
    try {
      write();
    } catch {
      writer.at = at;
      return false;
    }
    this.place(this.mark);
    this.place(this.markBefore);
    this.place(this.middle);
    this.middle.at = at;
    this.next = 0;
    return true;
  }

  /** A fault of the recorder must not become one of the job. */
  guard(write: () => void): void {
    const { at } = this.writer;
    try {
      write();
    } catch {
      this.writer.at = at;
      this.stop();
    }
  }

  private stop(): void {
    this.next = 0;
    this.broken = true;
  }

  /** Marks the beginning of an entry, and looks how far there is room. */
  private makeRoom(): boolean {
    const { writer } = this;
    if (this.broken) return false;
    if (!writer.room(this.entryMax) && this.middle.at !== this.start) this.dropOldest();
    const { at } = writer;
    this.markBefore.at = this.mark.at;
    this.markBefore.entries = this.mark.entries;
    this.place(this.mark);
    writer.byte(Tag.texts);
    writer.texts = this.texts;
    this.next = Math.min(at + MARK, Math.max(at + 1, writer.capacity - this.entryMax));
    return true;
  }

  /** The entries before the snapshot go. */
  private dropOldest(): void {
    const { writer, start, middle } = this;
    this.dropped += middle.entries;
    const gap = new Uint8Array(GAP_MAX);
    gap[0] = Tag.gap;
    const length = putVarint(gap, 1, this.dropped);
    const moved = middle.at - length - start;
    writer.drop(start, middle.at - length);
    gap.subarray(0, length).forEach((byte, index) => writer.patch(start + index, byte));
    for (const mark of [this.mark, this.markBefore]) {
      mark.at -= moved;
      mark.entries -= middle.entries;
    }
    this.entries -= middle.entries;
    middle.at = start;
  }

  /** All of this boot, or its facts and its latest entries. The views are valid until the next entry. */
  get kept(): Kept {
    const { writer, start, head = new Uint8Array(0), headEnd, mark, markBefore } = this;
    const room = writer.at - KEPT_MAX + head.length;
    let from = start;
    let lost = 0;
    if (from < room) {
      const latest = markBefore.at >= room ? markBefore : mark;
      const fits = latest.at >= room;
      from = fits ? latest.at : writer.at;
      lost = this.dropped + (fits ? latest.entries : this.entries);
    }
    const tail = writer.written.subarray(from);
    if (lost === 0) return { head: head.subarray(0, headEnd), tail };
    head[headEnd] = Tag.gap;
    return { head: head.subarray(0, putVarint(head, headEnd + 1, lost)), tail };
  }
}

/** Returns where it ends. */
const putVarint = (into: Uint8Array, at: number, value: number): number => {
  let rest = value;
  let end = at;
  for (; rest > 127; rest >>= 7) into[end++] = (rest & 127) | 128;
  into[end++] = rest;
  return end;
};
