import { writeAscii } from "../http/text";
import type { HttpUrl } from "../http/url";
import type { HttpCall } from "../platforms/poll-platform";
import { encodeUtf8 } from "../util/utf8";

/**
 * The bytes of a call to `url`, which is the call's own or where that redirects to. `home`: it is the call's own server,
 * which alone gets its headers. `validator`: of the answer that is known already.
 */
export const requestOf = (call: HttpCall, url: HttpUrl, home: boolean, validator: string | undefined): Uint8Array => {
  const { method, headers = [], body } = call;
  const content = body === undefined ? undefined : encodeUtf8(body);
  const lines = [
    `${method} ${url.target} HTTP/1.1`,
    `Host: ${url.hostHeader}`,
    "User-Agent: xs-ota",
    "Accept: application/json",
    "Accept-Encoding: identity",
    ...(home ? headers : []),
  ];
  if (content !== undefined) lines.push("Content-Type: application/json", `Content-Length: ${content.length}`);
  // RFC 9110, section 13.1: an entity tag stands in quotes, behind W/ or not; a date does not.
  if (validator !== undefined)
    lines.push(`${validator.endsWith('"') ? "If-None-Match" : "If-Modified-Since"}: ${validator}`);
  const head = `${lines.join("\r\n")}\r\n\r\n`;
  const bytes = new Uint8Array(head.length + (content?.length ?? 0));
  const at = writeAscii(head, bytes, 0);
  if (content !== undefined) bytes.set(content, at);
  return bytes;
};
