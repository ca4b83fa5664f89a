/**
 * Which part of a file a request asks for, and whether it asks at all: RFC 9110, sections 13 (conditions) and 14
 * (ranges). Pure.
 */

export interface Representation {
  /** Bytes. */
  readonly size: number;
  /** Strong, with its quotes. */
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** Header fields of the request, as Node gives them: lower-case names. */
export interface ConditionHeaders {
  readonly range?: string | undefined;
  readonly "if-range"?: string | undefined;
  readonly "if-match"?: string | undefined;
  readonly "if-none-match"?: string | undefined;
  readonly "if-modified-since"?: string | undefined;
  readonly "if-unmodified-since"?: string | undefined;
}

/** `start` and `end` are the first and the last byte. */
export type Decision =
  | { readonly status: 200 | 206; readonly start: number; readonly end: number }
  | { readonly status: 304 | 412 | 416 };

/** The order of the tests is that of RFC 9110, section 13.2.2. */
export function decide(method: string, headers: ConditionHeaders, file: Representation): Decision {
  const whole: Decision = { status: 200, start: 0, end: file.size - 1 };
  const ifMatch = headers["if-match"];
  const ifUnmodified = headers["if-unmodified-since"];
  if (ifMatch !== undefined) {
    if (!listed(ifMatch, file.etag, false)) return { status: 412 };
  } else if (ifUnmodified !== undefined && seconds(file.modified) > seconds(Date.parse(ifUnmodified))) {
    return { status: 412 };
  }
  const ifNoneMatch = headers["if-none-match"];
  const ifModified = headers["if-modified-since"];
  if (ifNoneMatch !== undefined) {
    if (listed(ifNoneMatch, file.etag, true)) return { status: 304 };
  } else if (ifModified !== undefined && seconds(file.modified) <= seconds(Date.parse(ifModified))) {
    return { status: 304 };
  }
  // Range is defined for GET alone (section 14.2).
  if (method !== "GET" || headers.range === undefined) return whole;
  const ifRange = headers["if-range"];
  if (ifRange !== undefined && !sameValidator(ifRange, file)) return whole;
  return range(headers.range, file.size) ?? whole;
}

/**
 * Undefined: to be ignored, as section 14.2 allows for other units, malformed specifiers and several ranges at once
 * (object stores answer those with the whole file too).
 */
function range(field: string, size: number): Decision | undefined {
  const spec = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(field);
  const [, first = "", last = ""] = spec ?? [];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Number(last);
    return length === 0 ? { status: 416 } : { status: 206, start: Math.max(0, size - length), end: size - 1 };
  }
  const start = Number(first);
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= size ? { status: 416 } : { status: 206, start, end };
}

/** If-Range compares strongly, and a date only by equality (section 13.1.5). */
function sameValidator(field: string, file: Representation): boolean {
  const value = field.trim();
  if (value.startsWith('"') || value.startsWith("W/")) return value === file.etag;
  return seconds(Date.parse(value)) === seconds(file.modified);
}

function listed(field: string, etag: string, weak: boolean): boolean {
  if (field.trim() === "*") return true;
  const tags = field.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => tag === etag || (weak && tag === `W/${etag}`));
}

/** Dates on the wire have no milliseconds. NaN, for a date that is none, compares as false everywhere. */
function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
