import type { Framing, Response } from "../http/response";
import type { Cause } from "../job/types";

/**
 * Why an exchange can not simply go on. `message` and `reason` name the cause; the downloader chooses the next state
 * (downloader.ts).
 */
export type Incident =
  | { readonly kind: "redirect"; readonly location: string; readonly status: number }
  /** 401, 403: an expired URL, or a rate limiter. */
  | { readonly kind: "denied"; readonly message: string; readonly retryAfter: number }
  /** Transport failure: try again, not before `retryAfter` seconds. */
  | { readonly kind: "transient"; readonly message: string; readonly retryAfter: number }
  /** Trying again will hardly help. */
  | { readonly kind: "refused"; readonly cause: Cause; readonly message: string }
  /** The length is unknown and the first range may have gone past the end: ask for a single byte. */
  | { readonly kind: "probe" }
  /** The connection broke. */
  | { readonly kind: "broken"; readonly message: string }
  /** No failure: connect again without a wait, as long as connections bring sectors. */
  | { readonly kind: "reconnect"; readonly reason: string }
  /** Another file under the same URL, and no digest to decide which is meant. */
  | { readonly kind: "replaced"; readonly reason: string }
  /** The last sector was delivered. */
  | { readonly kind: "complete" };

/** What a response head means for the download. */
export type Verdict =
  | Extract<Incident, { readonly kind: "redirect" | "denied" | "transient" | "refused" | "probe" }>
  /** The body holds what is wanted: after `skip` bytes, `take` of them. `size` is the file's. */
  | {
      readonly kind: "body";
      readonly framing: Framing;
      readonly skip: number;
      readonly take: number;
      readonly size: number;
      /** Only the body's end proves that the file ends there too. */
      readonly unproven: boolean;
    }
  /** The file has another length than it should. */
  | { readonly kind: "other-size"; readonly message: string }
  /** The answer starts at another byte than asked. */
  | { readonly kind: "other-start"; readonly message: string };

/**
 * Checks what a response says of its bytes rather than its status: ThingsPanel answers ranges with 200. `wanted`:
 * offset of the next byte; `size` 0: unknown.
 */
export const verdictOn = (response: Response, wanted: number, size: number): Verdict => {
  const { status, range } = response;
  switch (status) {
    case 200:
    case 206:
      return onBody(response, wanted, size);
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      if (response.location === undefined) return refused("download", `HTTP ${status}: redirect without a Location`);
      return { kind: "redirect", location: response.location, status };
    case 401:
    case 403:
      return {
        kind: "denied",
        message: `HTTP ${status}: the URL has expired or is not allowed`,
        retryAfter: response.retryAfter ?? 0,
      };
    case 404:
    case 410:
      return refused("not-found", `HTTP ${status}: the file does not exist on the server`);
    case 400:
    case 416:
      if (range && range !== "malformed" && range.total >= 0 && size > 0 && range.total !== size)
        return otherSize(status, range.total, size);
      if (range && range !== "malformed" && range.total === 0)
        return refused("download", `HTTP ${status}: the file is empty`);
      return size === 0
        ? { kind: "probe" }
        : refused("download", `HTTP ${status}: the server refuses bytes ${wanted} and up`);
    case 408:
    case 425:
    case 429:
      return busy(response);
    default:
      if (status >= 500) return busy(response);
      return refused("download", `HTTP ${status}: unexpected answer`);
  }
};

const onBody = (response: Response, wanted: number, size: number): Verdict => {
  const { status, framing, range } = response;
  if (response.encoded)
    return refused("download", `HTTP ${status}: the body is encoded although identity was asked for`);
  if (framing === "ambiguous") return transient(`HTTP ${status}: contradictory Content-Length`);
  if (range === "malformed" || (range && range.first < 0))
    return refused("download", `HTTP ${status}: unreadable Content-Range`);
  if (range) {
    if (size > 0 && range.total >= 0 && range.total !== size) return otherSize(status, range.total, size);
    if (range.first !== wanted)
      return { kind: "other-start", message: `HTTP ${status}: bytes from ${range.first} in place of ${wanted}` };
    if (size === 0 && range.total < 0)
      return refused("download", `HTTP ${status}: the server does not tell the file's length`);
    if (size > 0 && range.last >= size)
      return refused("download", `HTTP ${status}: Content-Range goes beyond the file's end`);
    return {
      kind: "body",
      framing,
      skip: 0,
      take: range.last + 1 - wanted,
      size: size || range.total,
      unproven: false,
    };
  }
  if (status === 206) return refused("download", "HTTP 206: no Content-Range");
  return onWholeFile(response.type, framing, wanted, size);
};

/** 200 without Content-Range: the whole file from its first byte, or a page that has nothing to do with it. */
const onWholeFile = (type: string, framing: Framing, wanted: number, size: number): Verdict => {
  const length = framing.kind === "length" ? framing.length : -1;
  if (size === 0 || length !== size) {
    if (type === "application/json" || type.endsWith("+json"))
      return refused("not-found", "HTTP 200: a JSON document in place of the file");
    if (type === "text/html" || type.endsWith("/xml") || type.endsWith("+xml"))
      return refused("download", "HTTP 200: a web page in place of the file");
    if (length >= 0 && size > 0) return otherSize(200, length, size);
    if (length === 0) return refused("download", "HTTP 200: the file is empty");
    if (length < 0 && size === 0) return refused("download", "HTTP 200: the server does not tell the file's length");
  }
  const whole = size || length;
  if (whole <= wanted)
    return refused("download", `HTTP 200: the file has ${whole} bytes, ${wanted} are stored already`);
  return { kind: "body", framing, skip: wanted, take: whole - wanted, size: whole, unproven: length < 0 };
};

export const refused = (cause: Cause, message: string): Extract<Incident, { kind: "refused" }> => {
  return { kind: "refused", cause, message };
};

const otherSize = (status: number, actual: number, expected: number): Verdict => {
  return { kind: "other-size", message: `HTTP ${status}: the file has ${actual} bytes on the server, not ${expected}` };
};

export const transient = (message: string, retryAfter = 0): Extract<Incident, { kind: "transient" }> => {
  return { kind: "transient", message, retryAfter };
};

const busy = ({ status, retryAfter }: Response): Verdict => {
  return transient(`HTTP ${status}: the server is busy or broken`, retryAfter);
};
