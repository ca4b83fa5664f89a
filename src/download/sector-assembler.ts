import { SECTOR } from "../constants";
import { BodyReader } from "../http/body";
import { HeadReader } from "../http/head";
import type { Framing } from "../http/response";

/** Read buffer for heads and chunk framing, bytes. Most heads (440 bytes on S3 and COS) fit in one or two reads. */
const SCRATCH = 512;
const NOTHING = new Uint8Array(0);
const AFTER_HEAD = Object.freeze({ reading: "more", done: "head", malformed: "malformed" } as const);

/** What the bytes amount to. "more": nothing to do before further bytes come. */
export type AssemblerEvent =
  | "more"
  /** A head is complete: call `accept` for its body, or drop the connection. */
  | "head"
  /** The sector buffer holds a whole sector, or the file's last bytes: call `sector()`, then `delivered()`. */
  | "sector"
  /** The response gave all that was to be taken; it has ended, or ends with the connection. */
  | "end"
  /** The response ended and bytes are missing. */
  | "short"
  /** The response goes on after all that was to be taken. */
  | "surplus"
  /** The head or the framing is not HTTP/1.1. */
  | "malformed";

export interface Acceptance {
  readonly framing: Framing;
  /** Bytes to drop before `take` bytes to keep. */
  readonly skip: number;
  readonly take: number;
  /** The last byte taken is the file's last. */
  readonly toEnd: boolean;
  /** The last sector is handed out only when the body's end has proved that the file ends there. */
  readonly unproven: boolean;
}

/**
 * Turns the bytes of a connection into heads and sectors: offers the place to read into next, tells heads from framing
 * from payload, and gathers payload in the sector buffer. Payload is read straight into that buffer; only what arrives
 * in one read with a head or with chunk framing is copied once. No read is offered that could complete more than one
 * sector, so a sector in the buffer is never overwritten. A buffer that is longer than a sector takes what waits behind
 * the sector's end with the same read: the peer hears of it before flash is written, which takes longer than a round trip.
 */
export class SectorAssembler {
  readonly head = new HeadReader();
  private readonly body = new BodyReader();
  private readonly buffer: Uint8Array;
  private readonly scratch = new Uint8Array(SCRATCH);
  /** Unread bytes of the scratch buffer. */
  private at = 0;
  private end = 0;
  /** Between a head and the end of its body. */
  inBody = false;
  /** Bytes in the sector buffer. */
  fill = 0;
  /** The latest target is in the sector buffer. */
  private straight = false;
  /** They lie behind the sector that was handed out. */
  private behind = false;
  private skip = 0;
  /** Bytes still to be taken from this response. */
  take = 0;
  private toEnd = false;
  private unproven = false;
  /** `next` has to call `progress`. */
  private unchecked = false;

  private trusted = true;
  private readonly keepsUnfinished: boolean;

  /** `keepsUnfinished`: bytes of an unfinished sector stay valid when the connection breaks. */
  constructor(buffer: Uint8Array, keepsUnfinished: boolean) {
    this.buffer = buffer;
    this.keepsUnfinished = keepsUnfinished;
  }

  /** The bytes of the unfinished sector are dropped with this connection. */
  distrust(): void {
    this.trusted = false;
  }

  /**
   * A new connection. An unfinished head is dropped. An unfinished sector is kept if it is trusted and more of it is
   * sure to come.
   */
  reset(): void {
    this.at = 0;
    this.end = 0;
    const keep = this.trusted && this.keepsUnfinished;
    this.trusted = true;
    if (!keep || (this.inBody && (this.take === 0 || this.unproven))) {
      this.fill = 0;
      this.behind = false;
    }
    this.expectHead();
  }

  /** The next response of this connection. What was read of it already stays, and so does an unfinished sector. */
  expectHead(): void {
    this.inBody = false;
    this.unchecked = false;
    this.head.reset();
  }

  accept({ framing, skip, take, toEnd, unproven }: Acceptance): void {
    this.head.forget();
    this.body.begin(framing);
    this.skip = skip;
    this.take = take;
    this.toEnd = toEnd;
    this.unproven = unproven;
    this.inBody = true;
    this.unchecked = true;
  }

  /** The body of a response that is of no use is read to its end and dropped. An unfinished sector stays. */
  drop(framing: Framing): void {
    this.accept({ framing, skip: Infinity, take: 0, toEnd: false, unproven: false });
  }

  /** Bytes were received that belong to no response yet. */
  get unread(): boolean {
    return this.at < this.end;
  }

  /** No byte of the awaited response has come. */
  get pristine(): boolean {
    return !this.inBody && this.head.pristine;
  }

  /** The body will end with the connection. */
  get endsWithConnection(): boolean {
    return this.inBody && this.body.endsWithConnection;
  }

  sector(): Uint8Array {
    return this.buffer.subarray(0, Math.min(this.fill, SECTOR));
  }

  /** The sector was handed out. It stays in its place until the next read. */
  delivered(): void {
    this.behind = this.fill > SECTOR;
    this.fill = this.behind ? this.fill - SECTOR : 0;
  }

  /** The place for the next read. */
  target(): Uint8Array {
    if (this.at < this.end) return NOTHING;
    if (this.behind) this.buffer.copyWithin(0, SECTOR, SECTOR + this.fill);
    this.behind = false;
    const room = SECTOR - this.fill;
    const payload = this.payload();
    this.straight = payload > 0;
    if (this.straight) {
      // The file's last sector is complete with a read of its own.
      const length = Math.min(payload, this.buffer.length - this.fill);
      return this.buffer.subarray(
        this.fill,
        this.fill + (this.toEnd && length === this.take ? Math.min(length, room) : length),
      );
    }
    // There is no room only while the file is complete and its end is not proved: no payload may come then.
    return this.scratch.subarray(0, Math.min(room || SCRATCH, SCRATCH));
  }

  /** `count` bytes were read into `target()`. */
  received(count: number): void {
    if (this.straight) this.took(count);
    else {
      this.at = 0;
      this.end = count;
    }
  }

  /** To be called until it returns "more" or the connection is dropped. */
  next(): AssemblerEvent {
    for (;;) {
      if (!this.inBody) {
        if (this.at >= this.end) return "more";
        this.at = this.head.push(this.scratch, this.at, this.end);
        return AFTER_HEAD[this.head.state];
      }
      if (this.unchecked) {
        this.unchecked = false;
        const event = this.progress();
        if (event !== "more") return event;
      }
      if (this.at >= this.end) return "more";
      if (this.body.direct > 0 && this.payload() === 0) return "surplus";
      this.readScratch();
    }
  }

  /** The connection ended, and with it a body that has no other end. */
  connectionEnded(): AssemblerEvent {
    if (this.take > 0) return "short";
    this.unproven = false;
    return this.sectorReady() ? "sector" : "end";
  }

  /** Payload bytes that may be read straight into the sector buffer. */
  private payload(): number {
    return this.inBody ? Math.min(this.body.direct, this.skip || this.take) : 0;
  }

  private took(count: number): void {
    this.body.take(count);
    if (this.skip > 0) this.skip -= count;
    else {
      this.fill += count;
      this.take -= count;
    }
    // In the middle of a sector, of the body and of a chunk there is nothing to check.
    this.unchecked = this.fill >= SECTOR || this.take === 0 || this.body.direct === 0;
  }

  private readScratch(): void {
    if (this.body.direct === 0) {
      this.at = this.body.frame(this.scratch, this.at, this.end);
      this.unchecked = true;
      return;
    }
    const count = Math.min(this.payload(), this.end - this.at);
    if (this.skip === 0) this.buffer.set(this.scratch.subarray(this.at, this.at + count), this.fill);
    this.at += count;
    this.took(count);
  }

  /** What the bytes read so far amount to. */
  private progress(): AssemblerEvent {
    if (this.body.broken) return "malformed";
    if (this.body.done && this.take === 0) this.unproven = false;
    if (this.sectorReady()) {
      this.unchecked = true;
      return "sector";
    }
    if (this.body.done) return this.take > 0 ? "short" : "end";
    if (this.take > 0 || this.skip > 0 || this.body.direct === 0) return "more";
    if (this.body.endsWithConnection) return this.unproven ? "more" : "end";
    return "surplus";
  }

  private sectorReady(): boolean {
    if (this.fill === 0) return false;
    const last = this.toEnd && this.take === 0;
    return last ? !this.unproven : this.fill >= SECTOR;
  }
}
