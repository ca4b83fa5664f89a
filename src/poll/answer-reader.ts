import { POLL_BODY_MAX } from "../constants";
import { BodyReader } from "../http/body";
import { HeadReader } from "../http/head";
import type { Framing } from "../http/response";

/** Read buffer, bytes: a head of a static server fits. */
const SCRATCH = 512;
const NOTHING = new Uint8Array(0);

/** What the bytes amount to. "more": nothing to do before further bytes come. "garbage": they are no HTTP/1.1. */
export type AnswerEvent = "more" | "head" | "end" | "long" | "garbage";

/** Reads whole answers of at most POLL_BODY_MAX bytes from a connection, in whatever framing and slices. */
export class AnswerReader {
  readonly head = new HeadReader();
  private readonly body = new BodyReader();
  private readonly scratch = new Uint8Array(SCRATCH);
  private at = 0;
  private end = 0;
  private inBody = false;
  private content = NOTHING;
  private fill = 0;

  /** A connection is about to be made, or the next answer of one follows. */
  reset(): void {
    this.head.reset();
    this.inBody = false;
    this.at = 0;
    this.end = 0;
    this.content = NOTHING;
    this.fill = 0;
  }

  target(): Uint8Array {
    return this.scratch;
  }

  received(count: number): void {
    this.at = 0;
    this.end = count;
  }

  /** Takes the body that follows the head. False: it is too long. */
  accept(framing: Framing): boolean {
    if (framing.kind === "length" && framing.length > POLL_BODY_MAX) return false;
    this.head.forget();
    this.inBody = true;
    this.content = new Uint8Array(framing.kind === "length" ? framing.length : POLL_BODY_MAX);
    this.body.begin(framing);
    return true;
  }

  /** To be called until it returns "more", or the connection is dropped. */
  next(): AnswerEvent {
    if (!this.inBody) {
      this.at = this.head.push(this.scratch, this.at, this.end);
      if (this.head.state === "malformed") return "garbage";
      return this.head.state === "done" ? "head" : "more";
    }
    while (!this.body.done) {
      if (this.body.broken) return "garbage";
      if (this.at >= this.end) return "more";
      const count = Math.min(this.body.direct, this.end - this.at);
      if (count === 0) this.at = this.body.frame(this.scratch, this.at, this.end);
      else if (this.fill + count > this.content.length) return "long";
      else this.take(count);
    }
    return "end";
  }

  private take(count: number): void {
    this.content.set(this.scratch.subarray(this.at, this.at + count), this.fill);
    this.fill += count;
    this.at += count;
    this.body.take(count);
  }

  get bytes(): Uint8Array {
    return this.content.subarray(0, this.fill);
  }

  /** No byte of the awaited answer has come. */
  get pristine(): boolean {
    return !this.inBody && this.head.pristine;
  }

  /** The connection has ended, and with that the body. */
  get endedWithConnection(): boolean {
    return this.inBody && this.body.endsWithConnection;
  }

  /** Bytes behind the answer, which nobody asked for. */
  get unread(): boolean {
    return this.at < this.end;
  }
}
