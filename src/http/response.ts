import type { HeadReader } from "./head";
import { decimal, hexadecimal } from "./text";

/** How the end of a response body is known (RFC 9112 section 6.3). `length` is 0 where the framing does not tell it. */
export interface Framing {
  readonly kind: "length" | "chunked" | "close";
  readonly length: number;
}

/** A Content-Range (RFC 9110 section 14.4). */
export interface ContentRange {
  /** Both -1 in the form that only tells the total (`bytes *` + `/1234`, with a 416). */
  readonly first: number;
  readonly last: number;
  /** -1: unknown. */
  readonly total: number;
}

/** What a response head says, read and checked. */
export interface Response {
  readonly status: number;
  /** The server will take another request on this connection. */
  readonly keepAlive: boolean;
  /** "ambiguous": the lengths contradict each other, so the end of the body is unknown. */
  readonly framing: Framing | "ambiguous";
  /** "malformed": the field is there and unusable. */
  readonly range: ContentRange | "malformed" | undefined;
  /** A content coding that compresses, or a transfer coding other than identity and chunked. */
  readonly encoded: boolean;
  /** Media type in lower case, without parameters; "" where absent. */
  readonly type: string;
  readonly location: string | undefined;
  /** Its Location is longer than any URL that is accepted. */
  readonly longLocation: boolean;
  /** WWW-Authenticate asks for a user name and password (RFC 7617, RFC 7616). */
  readonly asksPassword: boolean;
  /** Strong ETag, else Last-Modified: what tells one file from the next under the same URL (RFC 9110 section 8.8). */
  readonly validator: string | undefined;
  /** Seconds. Dates are ignored: the device may have no clock. */
  readonly retryAfter: number | undefined;
  /** The X-CRC16 field: 0 to 65535, -1 if unreadable. */
  readonly crc16: number | undefined;
}

/** Longest validator remembered: real ones have 34 characters (quoted MD5) or 29 (a date). */
const VALIDATOR_MAX = 128;

/**
 * Content codings that compress (RFC 9110 section 8.4.1, RFC 7932, RFC 8878). Stores keep any text that an uploader gave
 * as Content-Encoding ("UTF-8", "aws-chunked") and send the file's own bytes: another label changes nothing.
 */
const COMPRESSION = Object.freeze(["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress"]);

/** Interprets a head that was read to its end. */
export const interpret = (head: HeadReader): Response => {
  const coding = head.field("transfer-encoding")?.toLowerCase();
  // RFC 2616, section 3.6.2, had it as a coding that changes nothing.
  const transferCoding = coding === "identity" ? undefined : coding;
  const contentCoding = head.field("content-encoding")?.toLowerCase();
  const challenge = head.field("www-authenticate");
  const connection = head.field("connection")?.toLowerCase();
  const framing = framingOf(transferCoding, head.field("content-length"));
  const retryAfter = decimal(head.field("retry-after") ?? "");
  const crc16 = head.field("x-crc16");
  const lengthsCompete = transferCoding !== undefined && head.field("content-length") !== undefined;
  const persistent = head.minor > 0 ? !hasToken(connection, "close") : hasToken(connection, "keep-alive");
  return {
    status: head.status,
    keepAlive: persistent && framing !== "ambiguous" && framing.kind !== "close" && !lengthsCompete,
    framing,
    range: contentRange(head.field("content-range")),
    encoded:
      (transferCoding ?? "chunked") !== "chunked" ||
      (contentCoding !== undefined && COMPRESSION.some((label) => hasToken(contentCoding, label))),
    type: mediaType(head.field("content-type")),
    location: head.field("location"),
    longLocation: head.longLocation,
    asksPassword: challenge !== undefined && asksPassword(challenge.toLowerCase()),
    validator: validatorOf(head.field("etag"), head.field("last-modified")),
    retryAfter: retryAfter < 0 ? undefined : retryAfter,
    crc16: crc16 === undefined ? undefined : hexadecimal(crc16),
  };
};

/** Transfer-Encoding wins over Content-Length; lengths that differ are no length (RFC 9112 section 6.3). */
const framingOf = (transferCoding: string | undefined, contentLength: string | undefined): Framing | "ambiguous" => {
  if (transferCoding !== undefined) return { kind: transferCoding === "chunked" ? "chunked" : "close", length: 0 };
  if (contentLength === undefined) return { kind: "close", length: 0 };
  const lengths = contentLength.includes(",") ? contentLength.split(",").map((each) => each.trim()) : [contentLength];
  const first = lengths[0]!;
  const length = decimal(first);
  return length < 0 || lengths.some((each) => each !== first) ? "ambiguous" : { kind: "length", length };
};

const contentRange = (value: string | undefined): ContentRange | "malformed" | undefined => {
  if (value === undefined) return undefined;
  const slash = value.indexOf("/");
  if (slash < 6 || value.slice(0, 6).toLowerCase() !== "bytes ") return "malformed";
  const whole = value.slice(slash + 1).trim();
  const total = whole === "*" ? -1 : decimal(whole);
  if (total < 0 && whole !== "*") return "malformed";
  const span = value.slice(6, slash).trim();
  if (span === "*") return total < 0 ? "malformed" : { first: -1, last: -1, total };
  const dash = span.indexOf("-");
  const first = dash < 0 ? -1 : decimal(span, 0, dash);
  const last = dash < 0 ? -1 : decimal(span, dash + 1);
  if (first < 0 || last < first || (total >= 0 && last >= total)) return "malformed";
  return { first, last, total };
};

const validatorOf = (etag: string | undefined, lastModified: string | undefined): string | undefined => {
  const validator = etag !== undefined && etag.startsWith('"') ? etag : lastModified;
  return validator !== undefined && validator !== "" && validator.length <= VALIDATOR_MAX ? validator : undefined;
};

const mediaType = (value: string | undefined): string => {
  if (value === undefined) return "";
  const semicolon = value.indexOf(";");
  return (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
};

const asksPassword = (challenge: string): boolean => challenge.startsWith("basic") || challenge.startsWith("digest");

const hasToken = (list: string | undefined, token: string): boolean => {
  return list !== undefined && list.split(",").some((each) => each.trim() === token);
};
