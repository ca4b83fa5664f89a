import { HTTP_HEAD_MAX, URL_MAX } from "../constants";
import { decimal, latin1 } from "./text";

/** The header fields that are read; all others are skipped without being copied. */
export type FieldName =
  | "connection"
  | "content-encoding"
  | "content-length"
  | "content-range"
  | "content-type"
  | "etag"
  | "last-modified"
  | "location"
  | "retry-after"
  | "transfer-encoding"
  | "www-authenticate"
  | "x-crc16";

const WANTED: readonly FieldName[] = Object.freeze<FieldName[]>([
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "etag",
  "last-modified",
  "location",
  "retry-after",
  "transfer-encoding",
  "www-authenticate",
  "x-crc16",
]);

/**
 * Longest line that is read: a Location with the longest URL. The rest of a longer line is skipped, its field counts as
 * absent. Of a Location it is known that it was there.
 */
const LINE_MAX = URL_MAX + 256;
/**
 * Bytes of a head, with the 1xx responses before it, after which it counts as endless. Heads of 100 KB occur (a proxy
 * that adds cookies); more is an attack.
 */
const HEAD_GIVE_UP = 32 * HTTP_HEAD_MAX;

const LOCATION = "location:";
const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * Reads a response head (RFC 9112 sections 2 to 5) from bytes in any slices: status line and wanted fields, names in
 * any case and order, folded lines joined, bare LF taken for a line's end, 1xx responses skipped. What it keeps is
 * bounded by HTTP_HEAD_MAX for the wanted fields and LINE_MAX for an unfinished line, however long the head is. It
 * never throws.
 */
export class HeadReader {
  /** "malformed" is final: the end of the head can not be found any more. */
  state: "reading" | "done" | "malformed" = "reading";
  status = 0;
  /** The x of HTTP/1.x. */
  minor = 0;
  /** A Location came that was too long to be read. */
  longLocation = false;
  /** No byte was read yet. */
  pristine = true;
  private fields = new Map<FieldName, string>();
  /** The field that a folded line would continue. */
  private last: FieldName | undefined;
  private statusSeen = false;
  private kept = 0;
  private total = 0;
  /** The beginning of a line whose end has not arrived. */
  private partial = "";
  private skipping = false;

  /** Ready for the next response. */
  reset(): void {
    this.state = "reading";
    this.pristine = true;
    this.total = 0;
    this.begin();
  }

  /** Frees the fields after they were read: they need not stay in memory while the body arrives. */
  forget(): void {
    this.fields.clear();
  }

  /**
   * The field's value without surrounding blanks; values of repeated fields joined with ", " (RFC 9110 section 5.3).
   */
  field(name: FieldName): string | undefined {
    return this.fields.get(name);
  }

  /** Takes bytes from `start` to `end`; returns the index behind the last one it used. */
  push(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (at < end) this.pristine = false;
    while (at < end && this.state === "reading") {
      const newline = bytes.indexOf(LF, at);
      const complete = newline >= 0 && newline < end;
      const stop = complete ? newline : end;
      const next = complete ? stop + 1 : stop;
      this.total += next - at;
      if (this.total > HEAD_GIVE_UP) this.state = "malformed";
      else if (!complete) this.keepPartial(bytes, at, stop);
      else if (this.partial !== "" || this.skipping) this.endPartial(bytes, at, stop);
      else this.line(bytes, at, stop);
      at = next;
    }
    return at;
  }

  private begin(): void {
    this.status = 0;
    this.minor = 0;
    this.longLocation = false;
    this.fields.clear();
    this.last = undefined;
    this.statusSeen = false;
    this.kept = 0;
    this.partial = "";
    this.skipping = false;
  }

  private keepPartial(bytes: Uint8Array, start: number, end: number): void {
    if (this.skipping) return;
    if (this.partial.length + end - start <= LINE_MAX) this.partial += latin1(bytes, start, end);
    else {
      this.dropped(this.partial + latin1(bytes, start, Math.min(end, start + LOCATION.length)));
      this.partial = "";
      this.skipping = true;
      if (!this.statusSeen) this.state = "malformed";
    }
  }

  /** A line is too long; `beginning`: of it. */
  private dropped(beginning: string): void {
    if (beginning.slice(0, LOCATION.length).toLowerCase() === LOCATION) this.longLocation = true;
  }

  private endPartial(bytes: Uint8Array, start: number, end: number): void {
    this.keepPartial(bytes, start, end);
    const line = this.partial;
    const skipped = this.skipping;
    this.partial = "";
    this.skipping = false;
    if (skipped) this.last = undefined;
    else this.take(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  /** A whole line in the bytes: only a field that is wanted becomes text, and of it the value alone is kept. */
  private line(bytes: Uint8Array, start: number, newline: number): void {
    const end = newline > start && bytes[newline - 1] === CR ? newline - 1 : newline;
    const first = bytes[start];
    if (!this.statusSeen || end === start || first === SPACE || first === TAB) {
      this.take(latin1(bytes, start, end));
      return;
    }
    if (end - start > LINE_MAX) this.dropped(latin1(bytes, start, start + LOCATION.length));
    const name = candidate(bytes, start);
    const colon = start + (name?.length ?? 0);
    const wanted = name !== undefined && end - start <= LINE_MAX && latin1(bytes, start, colon).toLowerCase() === name;
    this.last = wanted ? name : undefined;
    if (wanted) this.keep(name, latin1(bytes, bytes[colon + 1] === SPACE ? colon + 2 : colon + 1, end), ", ");
  }

  private take(line: string): void {
    if (!this.statusSeen) {
      // An empty line before the status line is ignored (RFC 9112 section 2.2 says so for requests).
      if (line !== "") this.statusLine(line);
    } else if (line === "") this.endOfHead();
    else if (line.startsWith(" ") || line.startsWith("\t")) this.keep(this.last, line, " ");
    else {
      const colon = line.indexOf(":");
      const name = colon > 0 ? line.slice(0, colon).toLowerCase() : "";
      this.last = WANTED.find((wanted) => wanted === name);
      this.keep(this.last, line.slice(colon + 1), ", ");
    }
  }

  private keep(name: FieldName | undefined, text: string, joint: string): void {
    if (!name) return;
    this.kept += text.length;
    if (this.kept > HTTP_HEAD_MAX) {
      this.state = "malformed";
      return;
    }
    const before = this.fields.get(name);
    const value = text.trim();
    this.fields.set(name, before === undefined ? value : before + joint + value);
  }

  /** HTTP/1.x SP 3DIGIT [SP reason] (RFC 9112 section 4). */
  private statusLine(line: string): void {
    let at = 8;
    while (line.charCodeAt(at) === SPACE) at++;
    const minor = decimal(line, 7, 8);
    const status = at > 8 && at + 3 <= line.length ? decimal(line, at, at + 3) : -1;
    const ends = line.length === at + 3 || line.charCodeAt(at + 3) === SPACE;
    if (!line.startsWith("HTTP/1.") || minor < 0 || status < 0 || !ends) {
      this.state = "malformed";
      return;
    }
    this.statusSeen = true;
    this.minor = minor === 0 ? 0 : 1;
    this.status = status;
  }

  private endOfHead(): void {
    // 101 switches to a protocol that was not asked for.
    if (this.status < 100 || this.status === 101) this.state = "malformed";
    else if (this.status < 200) this.begin();
    else this.state = "done";
  }
}

/**
 * The only wanted field that a line can be, by its first letter and the position of its colon. Most lines are dismissed
 * by one letter, and none is searched for its colon. A position behind the line's end is harmless: the name is
 * compared.
 */
const candidate = (bytes: Uint8Array, start: number): FieldName | undefined => {
  switch (bytes[start]! | 0x20) {
    case 0x63: // c
      if (bytes[start + 13] === COLON) return "content-range";
      if (bytes[start + 14] === COLON) return "content-length";
      if (bytes[start + 12] === COLON) return "content-type";
      if (bytes[start + 10] === COLON) return "connection";
      return bytes[start + 16] === COLON ? "content-encoding" : undefined;
    case 0x65: // e
      return bytes[start + 4] === COLON ? "etag" : undefined;
    case 0x6c: // l
      if (bytes[start + 8] === COLON) return "location";
      return bytes[start + 13] === COLON ? "last-modified" : undefined;
    case 0x72: // r
      return bytes[start + 11] === COLON ? "retry-after" : undefined;
    case 0x74: // t
      return bytes[start + 17] === COLON ? "transfer-encoding" : undefined;
    case 0x77: // w
      return bytes[start + 16] === COLON ? "www-authenticate" : undefined;
    case 0x78: // x
      return bytes[start + 7] === COLON ? "x-crc16" : undefined;
    default:
      return undefined;
  }
};
