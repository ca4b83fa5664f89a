import type { HttpRequest } from "./message";

/** The one file of a multipart body. */
export function multipartFile({ headers, body }: HttpRequest): { readonly name: string; readonly bytes: Uint8Array } {
  const [, boundary] = /boundary=(\S+)/.exec(headers["content-type"] ?? "") ?? [];
  const bytes = Buffer.from(body);
  const start = bytes.indexOf("\r\n\r\n") + 4;
  const end = bytes.indexOf(`\r\n--${boundary}`, start);
  const [, name] = /filename="([^"]*)"/.exec(bytes.subarray(0, start).toString("utf8")) ?? [];
  if (boundary === undefined || start < 4 || end < 0 || name === undefined)
    throw new TypeError("a multipart body with one file is expected");
  return { name, bytes: bytes.subarray(start, end) };
}
