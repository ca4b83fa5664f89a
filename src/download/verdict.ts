import type { Framing, Response } from "../http/response";
import { fault } from "./answers";
import type { Fault } from "./answers";

/** Why an exchange can not simply go on; the downloader chooses the next state (downloader.ts). */
export type Incident =
  | { readonly kind: "redirect"; readonly location: string; readonly status: number }
  /** An answer of the table. */
  | Fault
  /** An answer of the table; the connection is still good for the next request. */
  | { readonly kind: "kept"; readonly fault: Fault }
  /** A limiter refused requests before: the next one is sent after `wait` ms, over this connection. */
  | { readonly kind: "paced"; readonly wait: number }
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
  | Extract<Incident, { readonly kind: "redirect" | "fault" | "probe" }>
  /** The body holds what is wanted: after `skip` bytes, `take` of them. `size` is the file's. */
  | {
      readonly kind: "body";
      readonly framing: Framing;
      readonly skip: number;
      readonly take: number;
      readonly size: number;
      /** Only the body's end proves that the file ends there too. */
      readonly unproven: boolean;
    };

/**
 * Checks what a response says of its bytes rather than its status: ThingsPanel answers ranges with 200. `wanted`:
 * offset of the next byte; `size` 0: unknown; `tls`: it was asked for by https.
 */
export const verdictOn = (response: Response, wanted: number, size: number, tls: boolean): Verdict => {
  const { status, range, location } = response;
  switch (status) {
    case 200:
    case 206:
      return onBody(response, wanted, size);
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      if (response.longLocation) return fault("redirect-long", status);
      return location === undefined ? fault("redirect-nowhere", status) : { kind: "redirect", location, status };
    case 401:
      return response.asksPassword ? fault("password", status) : later(fault("denied", status), response);
    case 403:
      return later(fault("denied", status), response);
    case 404:
    case 410:
      return fault("missing", status);
    case 400:
    case 416:
      if (range && range !== "malformed" && range.total >= 0 && size > 0 && range.total !== size)
        return fault("size", status, range.total, size);
      if (range && range !== "malformed" && range.total === 0) return fault("nothing", status);
      if (size === 0) return { kind: "probe" };
      return status === 416 ? fault("range", status, wanted) : fault(tls ? "bad-tls" : "bad-plain", status);
    case 408:
    case 425:
      return later(fault("busy", status), response);
    case 429:
      return later(fault("throttled", status), response);
    case 503:
      return later(fault("unavailable", status), response);
    default:
      return status >= 500 ? later(fault("busy", status), response) : fault("status", status);
  }
};

const later = (answer: Fault, { retryAfter = 0 }: Response): Fault => ({ ...answer, retryAfter });

const onBody = (response: Response, wanted: number, size: number): Verdict => {
  const { status, framing, range } = response;
  if (response.encoded) return fault("encoded", status);
  if (framing === "ambiguous") return fault("lengths", status);
  if (range === "malformed" || (range && range.first < 0)) return fault("bad-range", status);
  if (!range) return status === 206 ? fault("no-range", status) : onWholeFile(response.type, framing, wanted, size);
  if (size > 0 && range.total >= 0 && range.total !== size)
    return fault(isPage(response.type) ? "page" : "size", status, range.total, size);
  if (range.first !== wanted) return fault("start", status, range.first, wanted);
  if (size === 0 && range.total < 0) return fault("no-length", status);
  if (size > 0 && range.last >= size) return fault("beyond", status);
  return {
    kind: "body",
    framing,
    skip: 0,
    take: range.last + 1 - wanted,
    size: size || range.total,
    unproven: false,
  };
};

/** 200 without Content-Range: the whole file from its first byte, or a page that has nothing to do with it. */
const onWholeFile = (type: string, framing: Framing, wanted: number, size: number): Verdict => {
  const length = framing.kind === "length" ? framing.length : -1;
  // ThingsPanel v0 says so of a missing file.
  if (length === 0) return fault("empty", 200);
  if (size === 0 || length !== size) {
    if (type === "application/json" || type.endsWith("+json")) return fault("json", 200);
    if (isPage(type)) return fault("page", 200);
    if (length >= 0 && size > 0) return fault("size", 200, length, size);
    if (length < 0 && size === 0) return fault("no-length", 200);
  }
  const whole = size || length;
  if (whole <= wanted) return fault("shrunk", 200, whole, wanted);
  return { kind: "body", framing, skip: wanted, take: whole - wanted, size: whole, unproven: length < 0 };
};

/** A media type of pages for people. */
export const isPage = (type: string): boolean => type === "text/html" || type.endsWith("/xml") || type.endsWith("+xml");
