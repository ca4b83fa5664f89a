import { HTTP_HEAD_MAX } from "../constants";
import type { Framing } from "./response";
import { hexadecimal, latin1 } from "./text";

/**
 * Characters of a chunk-size line that are read as text: 13 digits and a separator. Extensions behind them are skipped
 * unread.
 */
const SIZE_DIGITS_MAX = 16;
const LF = 0x0a;
const CR = 0x0d;

type Step = "payload" | "size" | "after-chunk" | "trailer" | "done" | "broken";

/**
 * Tells payload from framing in a response body (RFC 9112 sections 6 and 7). The payload itself never passes through:
 * the caller asks `direct` how many payload bytes come next, puts them where they belong and says so with `take`;
 * framing bytes in between (chunk sizes, extensions, trailers) are fed to `frame`. Nothing is stored but a line's few
 * digits.
 */
export class BodyReader {
  private step: Step = "done";
  private chunked = false;
  private left = 0;
  private digits = "";
  /** Bytes of the size line or the trailers so far. Bounded by HTTP_HEAD_MAX, or a peer could send them for ever. */
  private overhead = 0;
  private lineEmpty = true;

  begin(framing: Framing): void {
    this.chunked = framing.kind === "chunked";
    this.left = framing.kind === "close" ? Infinity : framing.length;
    if (this.chunked) this.expectSize();
    else this.step = this.left > 0 ? "payload" : "done";
  }

  /**
   * Payload bytes that come before the next framing byte: 0 = framing, or the end; Infinity in a body that ends with
   * the connection.
   */
  get direct(): number {
    return this.step === "payload" ? this.left : 0;
  }

  /** The end was reached; never in a body that ends with the connection. */
  get done(): boolean {
    return this.step === "done";
  }

  /** The framing is not that of RFC 9112. */
  get broken(): boolean {
    return this.step === "broken";
  }

  /** The body ends only with the connection. */
  get endsWithConnection(): boolean {
    return this.step === "payload" && this.left === Infinity;
  }

  /** `count` payload bytes, at most `direct`, were taken. */
  take(count: number): void {
    this.left -= count;
    if (this.left > 0) return;
    this.overhead = 0;
    this.step = this.chunked ? "after-chunk" : "done";
  }

  /**
   * Reads framing bytes from `start` until payload, the end or a break; returns the index behind the last byte used.
   */
  frame(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      switch (this.step) {
        case "size":
          at = this.sizeLine(bytes, at, end);
          break;
        case "after-chunk":
          at = this.lineEnd(bytes, at);
          break;
        case "trailer":
          at = this.trailer(bytes, at, end);
          break;
        default:
          return at;
      }
    }
    return at;
  }

  private expectSize(): void {
    this.step = "size";
    this.digits = "";
    this.overhead = 0;
  }

  /** chunk-size [chunk-ext] CRLF: the extension, from ";" or a blank on, is ignored. */
  private sizeLine(bytes: Uint8Array, start: number, end: number): number {
    const newline = bytes.indexOf(LF, start);
    const stop = newline >= 0 && newline < end ? newline : end;
    if (this.digits.length < SIZE_DIGITS_MAX) {
      this.digits += latin1(bytes, start, Math.min(stop, start + SIZE_DIGITS_MAX - this.digits.length));
    }
    const next = stop < end ? stop + 1 : end;
    if (this.spend(next - start) && stop < end) {
      const size = hexadecimal(sizeDigits(this.digits));
      this.left = size;
      this.overhead = 0;
      this.lineEmpty = true;
      this.step = size < 0 ? "broken" : size === 0 ? "trailer" : "payload";
    }
    return next;
  }

  private lineEnd(bytes: Uint8Array, at: number): number {
    if (bytes[at] === LF) this.expectSize();
    else if (bytes[at] !== CR || !this.spend(1) || this.overhead > 1) this.step = "broken";
    return at + 1;
  }

  /** Lines up to an empty one, unread. */
  private trailer(bytes: Uint8Array, start: number, end: number): number {
    const newline = bytes.indexOf(LF, start);
    const stop = newline >= 0 && newline < end ? newline : end;
    const empty = this.lineEmpty && (stop === start || (stop === start + 1 && bytes[start] === CR));
    this.lineEmpty = empty;
    const next = stop < end ? stop + 1 : end;
    if (this.spend(next - start) && stop < end) {
      if (empty) this.step = "done";
      this.lineEmpty = true;
    }
    return next;
  }

  private spend(count: number): boolean {
    this.overhead += count;
    if (this.overhead <= HTTP_HEAD_MAX) return true;
    this.step = "broken";
    return false;
  }
}

const sizeDigits = (line: string): string => {
  let end = 0;
  while (end < line.length && !";\r \t".includes(line[end]!)) end++;
  return line.slice(0, end);
};
