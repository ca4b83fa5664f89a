import { SECTOR } from "../constants";
import { BodyReader } from "../http/body";
import { HeadReader } from "../http/head";
import type { Framing } from "../http/response";

/** Heads and chunk framing are read through this many bytes; most heads fit in one or two reads. */
const SCRATCH = 512;
const NOTHING = new Uint8Array(0);
const AFTER_HEAD = Object.freeze({ reading: "more", done: "head", malformed: "malformed" } as const);

/** What came of the bytes. "more": nothing else to be done before further bytes come. */
export type IntakeEvent =
  | "more"
  /** A head is complete: `accept` its body, or drop the connection. */
  | "head"
  /** The sector buffer holds a whole sector, or the file's last bytes: `sector()`, then `delivered()`. */
  | "sector"
  /** The response gave all that was to be taken, and it ended, or would only with the connection. */
  | "end"
  /** It ended, or its length was a lie, and bytes are missing. */
  | "short"
  /** It goes on after all that was to be taken. */
  | "surplus"
  /** Neither head nor framing make sense. */
  | "malformed";

export interface Acceptance {
  readonly framing: Framing;
  /** Bytes to drop before `take` bytes to keep. */
  readonly skip: number;
  readonly take: number;
  /** The last byte taken is the file's last. */
  readonly toEnd: boolean;
  /** Hand out the last sector only when the body's end has proved that the file ends there. */
  readonly unproven: boolean;
}

/**
 * The byte side of a connection: offers the place to read into next, tells heads from framing from payload, and gathers
 * payload in the sector buffer. Payload is read straight into that buffer; only what arrives in one read with a head or with
 * chunk framing is copied once. No read is offered that could bring more than one sector to its end, so a sector in the
 * buffer is never overrun.
 */
export class Intake {
  readonly head = new HeadReader();
  readonly #body = new BodyReader();
  readonly #buffer: Uint8Array;
  readonly #scratch = new Uint8Array(SCRATCH);
  /** Unread bytes of the scratch buffer. */
  #at = 0;
  #end = 0;
  #inBody = false;
  #fill = 0;
  #skip = 0;
  #take = 0;
  #toEnd = false;
  #unproven = false;
  /** Set by bytes that went straight into the sector buffer, or by the body's end: looked at by `next`. */
  #fresh = false;

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer;
  }

  /**
   * A new connection: an unfinished head is dropped, and so is an unfinished sector unless it is to be kept and more of it is sure
   * to come.
   */
  reset(keep: boolean): void {
    this.#at = 0;
    this.#end = 0;
    if (!keep || (this.#inBody && (this.#take === 0 || this.#unproven))) this.#fill = 0;
    this.expectHead();
  }

  /** The next response of this connection; what was read of it already stays, and so does an unfinished sector. */
  expectHead(): void {
    this.#inBody = false;
    this.#fresh = false;
    this.head.reset();
  }

  accept({ framing, skip, take, toEnd, unproven }: Acceptance): void {
    this.head.forget();
    this.#body.begin(framing);
    this.#skip = skip;
    this.#take = take;
    this.#toEnd = toEnd;
    this.#unproven = unproven;
    this.#inBody = true;
    this.#fresh = true;
  }

  /** Bytes in the sector buffer. */
  get fill(): number {
    return this.#fill;
  }

  /** Bytes still to be taken from this response. */
  get take(): number {
    return this.#take;
  }

  /** No byte of the awaited response has come. */
  get pristine(): boolean {
    return !this.#inBody && this.head.pristine;
  }

  /** Between a head and the end of its body. */
  get inBody(): boolean {
    return this.#inBody;
  }

  /** The body will end with the connection. */
  get endsWithConnection(): boolean {
    return this.#inBody && this.#body.endsWithConnection;
  }

  sector(): Uint8Array {
    return this.#buffer.subarray(0, this.#fill);
  }

  /** The sector was delivered, or its bytes are not to be trusted. */
  delivered(): void {
    this.#fill = 0;
  }

  /** The place for the next read. */
  target(): Uint8Array {
    if (this.#at < this.#end) return NOTHING;
    const room = SECTOR - this.#fill;
    const payload = this.payload();
    if (payload > 0) return this.#buffer.subarray(this.#fill, this.#fill + Math.min(room, payload));
    // No room is left only while the whole file waits for its end: no payload may come then.
    return this.#scratch.subarray(0, Math.min(room || SCRATCH, SCRATCH));
  }

  /** `count` bytes were read into `target()`. */
  fed(count: number): void {
    if (this.payload() > 0) this.took(count);
    else {
      this.#at = 0;
      this.#end = count;
    }
  }

  /** Call until it says "more", or until the connection is given up. */
  next(): IntakeEvent {
    for (;;) {
      if (!this.#inBody) {
        if (this.#at >= this.#end) return "more";
        this.#at = this.head.push(this.#scratch, this.#at, this.#end);
        return AFTER_HEAD[this.head.state];
      }
      if (this.#fresh) {
        this.#fresh = false;
        const event = this.progress();
        if (event !== "more") return event;
      }
      if (this.#at >= this.#end) return "more";
      if (this.#body.direct > 0 && this.payload() === 0) return "surplus";
      this.readScratch();
    }
  }

  /** The connection ended where only that could end the body. */
  connectionEnded(): IntakeEvent {
    if (this.#take > 0) return "short";
    this.#unproven = false;
    return this.sectorReady() ? "sector" : "end";
  }

  /** Payload bytes that may be read straight into the sector buffer. */
  private payload(): number {
    return this.#inBody ? Math.min(this.#body.direct, this.#skip || this.#take) : 0;
  }

  private took(count: number): void {
    this.#body.take(count);
    if (this.#skip > 0) this.#skip -= count;
    else {
      this.#fill += count;
      this.#take -= count;
    }
    // In the middle of a sector, of the body and of a chunk there is nothing to look at.
    this.#fresh = this.#fill === SECTOR || this.#take === 0 || this.#body.direct === 0;
  }

  private readScratch(): void {
    if (this.#body.direct === 0) {
      this.#at = this.#body.frame(this.#scratch, this.#at, this.#end);
      this.#fresh = true;
      return;
    }
    const count = Math.min(this.payload(), this.#end - this.#at);
    if (this.#skip === 0) this.#buffer.set(this.#scratch.subarray(this.#at, this.#at + count), this.#fill);
    this.#at += count;
    this.took(count);
  }

  /** What the last bytes amount to. */
  private progress(): IntakeEvent {
    if (this.#body.broken) return "malformed";
    if (this.#body.done && this.#take === 0) this.#unproven = false;
    if (this.sectorReady()) {
      this.#fresh = true;
      return "sector";
    }
    if (this.#body.done) return this.#take > 0 ? "short" : "end";
    if (this.#take > 0 || this.#body.direct === 0) return "more";
    if (this.#body.endsWithConnection) return this.#unproven ? "more" : "end";
    return "surplus";
  }

  private sectorReady(): boolean {
    if (this.#fill === 0) return false;
    const last = this.#toEnd && this.#take === 0;
    return last ? !this.#unproven : this.#fill === SECTOR;
  }
}
