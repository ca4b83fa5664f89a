/** What both ways of serving a double have in common: Tomcat's bytes. */
import type { HttpAnswer } from "./message";

/** Tomcat's maxHttpRequestHeaderSize. */
export const HEADER_MAX = 8_192;

const HTML =
  "<!doctype html><html><head><title>HTTP Status 400</title></head><body><h1>HTTP Status 400</h1></body></html>";

/** To what is no request at all. */
export const BAD_REQUEST = [
  "HTTP/1.1 400 ",
  "Content-Type: text/html;charset=utf-8",
  `Content-Length: ${HTML.length}`,
  "Connection: close",
  "",
  HTML,
].join("\r\n");

/** Headers with those of the framing and of the connection. */
export function headersOf({ headers, framing, body }: HttpAnswer, close: boolean): Record<string, string> {
  return {
    ...headers,
    ...(framing === "length" ? { "Content-Length": headers["Content-Length"] ?? String(body.length) } : {}),
    ...(framing === "chunked" ? { "Transfer-Encoding": "chunked" } : {}),
    ...(close ? { Connection: "close" } : {}),
  };
}

/** A whole answer. `at`: of its Date, milliseconds since 1970. */
export function wireOf(answered: HttpAnswer, close: boolean, head: boolean, at: number): Uint8Array {
  const { status, body, framing, broken } = answered;
  const lines = Object.entries(headersOf(answered, close)).map(([name, value]) => `${name}: ${value}`);
  const text = [`HTTP/1.1 ${status} `, ...lines, `Date: ${new Date(at).toUTCString()}`, "", ""].join("\r\n");
  if (head || framing === "none") return Buffer.from(text);
  if (broken === true) return Buffer.concat([Buffer.from(text), body.subarray(0, body.length - 1)]);
  if (framing === "length") return Buffer.concat([Buffer.from(text), body]);
  const chunk = body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n")];
  return Buffer.concat([Buffer.from(text), ...chunk, Buffer.from("0\r\n\r\n")]);
}
