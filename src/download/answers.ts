/**
 * What an answer of a file server means for the download, where it is not the bytes that are wanted. docs/NETWORK.md
 * shows the table.
 */
import type { Cause } from "../job/types";
import { frozen } from "../util/frozen";

/**
 * wait     the next attempt comes after a wait, until the stall budget without a new sector is used up
 * refuse   a few tries within a minute; then the job fails with the row's cause
 * renew    once more after a wait; then a fresh URL is asked for
 */
export type Rule = "wait" | "refuse" | "renew";

/**
 * By name: the rule, the cause of the failure that ends it, and the words; `$` stands for what is particular. "keep":
 * where the server keeps the connection open, the next request goes over it.
 */
export const ANSWERS = frozen({
  /** 429 */
  throttled: ["wait", "download-timeout", "the server is asked too often", "keep"],
  /** 503 */
  unavailable: ["wait", "download-timeout", "the server is busy or broken", "keep"],
  /** 408, 425, any other 5xx */
  busy: ["wait", "download-timeout", "the server is busy or broken"],
  /** 401 and 403: an expired URL, or a limiter */
  denied: ["renew", "url-expired", "the URL has expired or is not allowed", "keep"],
  /** 401 that asks for a password (Basic, Digest) */
  password: ["refuse", "download", "the server asks for a user name and password; offer a URL that needs none"],
  /** 404 and 410 */
  missing: ["refuse", "not-found", "the file does not exist on the server"],
  /** 200 with a body of length 0 */
  empty: ["refuse", "not-found", "an empty answer, the file is not there"],
  /** 200 with a JSON document of another length than the file */
  json: ["refuse", "not-found", "a JSON document in place of the file"],
  /** 200 or 206 with HTML or XML of another length than the file */
  page: ["refuse", "download", "a web page in place of the file"],
  /** 400 to plain http */
  "bad-plain": ["refuse", "download", "the server refuses the request; if its port is for TLS, the URL must say https"],
  /** 400 to https */
  "bad-tls": ["refuse", "download", "the server refuses the request; does it ask for a client certificate?"],
  /** 416 */
  range: ["refuse", "download", "the server refuses bytes $ and up"],
  /** 400 or 416 to a request for one byte, where the size is unknown */
  ranges: ["refuse", "download", "the server refuses every range"],
  /** 416 that names a length of 0 */
  nothing: ["refuse", "download", "the file is empty"],
  /** any other status */
  status: ["refuse", "download", "unexpected answer"],
  /** a redirect without Location */
  "redirect-nowhere": ["refuse", "download", "redirect without a Location"],
  /** a Location of more than 2,048 bytes */
  "redirect-long": ["refuse", "download", "the redirect's Location is too long"],
  /** a sixth redirect in a row */
  "redirect-loop": ["refuse", "download", "more than $ redirects"],
  /** a redirect from https to http */
  "redirect-plain": ["refuse", "download", "redirect from https to http refused"],
  /** a Location that is no usable URL */
  "redirect-target": ["refuse", "download", "redirect refused: $"],
  /** Content-Encoding gzip, deflate, br, compress or zstd, or another Transfer-Encoding than chunked and identity */
  encoded: ["refuse", "download", "the body is encoded although identity was asked for"],
  /** 206 without Content-Range */
  "no-range": ["refuse", "download", "no Content-Range"],
  /** a Content-Range that is none */
  "bad-range": ["refuse", "download", "unreadable Content-Range"],
  /** a Content-Range beyond the file's length */
  beyond: ["refuse", "download", "Content-Range goes beyond the file's end"],
  /** neither Content-Length nor a total, and the offer has no size */
  "no-length": ["refuse", "download", "the server does not tell the file's length"],
  /** another length than the offer's */
  size: ["refuse", "download", "the file has $ bytes on the server, not $"],
  /** other bytes than asked for */
  start: ["refuse", "download", "bytes from $ in place of $"],
  /** a file shorter than what is stored of it */
  shrunk: ["refuse", "download", "the file has $ bytes, $ are stored already"],
  /** a body without a known length that goes on behind the file's end */
  longer: ["refuse", "download", "the file is longer on the server"],
  /** lengths that contradict each other */
  lengths: ["wait", "download-timeout", "contradictory Content-Length"],
  /** a body that ends before its length */
  short: ["wait", "download-timeout", "the body ended early"],
  /** a body that goes on behind its range */
  surplus: ["wait", "download-timeout", "the body is longer than Content-Range says"],
  /** X-CRC16 of other bytes */
  crc: ["wait", "download-timeout", "X-CRC16 does not fit the bytes"],
  /** bytes that are no HTTP/1.1 */
  garbage: ["wait", "download-timeout", "the server's answer is not HTTP/1.1"],
  /** silence: 15 s; 30 and then 60 s for a first byte, once one took longer */
  silence: ["wait", "download-timeout", "nothing received for $ s"],
  /** no connection, or no TLS session, in time */
  "no-connection": ["wait", "download-timeout", "no connection within $ s"],
  /** the socket's error: name not found, refused, reset, TLS */
  socket: ["wait", "download-timeout", "$"],
  /** a certificate that cannot be trusted */
  certificate: ["refuse", "download", "$"],
} satisfies { readonly [name: string]: readonly [Rule, Cause, string, "keep"?] });

export type AnswerName = keyof typeof ANSWERS;

/** An answer by its name, in words. */
export interface Fault {
  readonly kind: "fault";
  readonly answer: AnswerName;
  /** One line that never holds a URL. */
  readonly message: string;
  /** Not to be asked again before that, seconds. */
  readonly retryAfter: number;
}

/** `status` 0: there is no HTTP status. `details` replace the `$` of the words, in order. */
export const fault = (answer: AnswerName, status: number, ...details: readonly (string | number)[]): Fault => {
  let words: string = ANSWERS[answer][2];
  details.forEach((detail) => (words = words.replace("$", () => String(detail))));
  return { kind: "fault", answer, message: status === 0 ? words : `HTTP ${status}: ${words}`, retryAfter: 0 };
};
