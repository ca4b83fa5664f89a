import type { HttpUrl } from "../http/url";
import { writeAscii } from "../http/text";

/** Room for two numbers of 15 digits, the dash and the empty line. */
const RANGE_ROOM = 36;

/**
 * The part of the request that all ranges of a file share, up to the numbers: each request costs a native copy and a
 * few digits. `Range` is the last field for that reason. There is no If-Range: a changed validator is seen in the
 * response's head before a byte of the body is taken, whereas If-Range makes the server send the whole file (S3 and COS
 * honour it, ThingsPanel does not).
 */
export const requestPrefix = (url: HttpUrl, headers: readonly string[] = []): Uint8Array => {
  const text =
    `GET ${url.target} HTTP/1.1\r\nHost: ${url.hostHeader}\r\nUser-Agent: xs-ota\r\n` +
    headers.map((line) => `${line}\r\n`).join("") +
    "Accept-Encoding: identity\r\nConnection: keep-alive\r\nRange: bytes=";
  const bytes = new Uint8Array(text.length);
  writeAscii(text, bytes, 0);
  return bytes;
};

/** One request for the bytes `first` to `end` - 1. */
export const rangeRequest = (prefix: Uint8Array, first: number, end: number): Uint8Array => {
  const bytes = new Uint8Array(prefix.length + RANGE_ROOM);
  bytes.set(prefix);
  return bytes.subarray(0, writeAscii(`${first}-${end - 1}\r\n\r\n`, bytes, prefix.length));
};
