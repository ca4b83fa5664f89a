/** Downloads (facts 50 to 56): ranges as the server takes them, which is not as RFC 9110 has them. */
import { answer, Refusal } from "../http/message";
import type { HttpAnswer, HttpRequest } from "../http/message";
import type { Artifact } from "./model";

interface Range {
  readonly first: number;
  readonly last: number;
}

/** Parts of a multipart answer are separated by it. */
const BOUNDARY = "THIS_STRING_SEPARATES_MULTIPART";

export function sendArtifact({ method, headers }: HttpRequest, file: Artifact): HttpAnswer {
  const { bytes, fileName, sha1, createdAt } = file;
  const ifMatch = headers["if-match"];
  // Wants the digest without quotes: the ETag as it was sent is refused (fact 52).
  if (ifMatch !== undefined && ifMatch !== "*" && ifMatch !== sha1) throw new Refusal(answer(412));
  const common = {
    "Content-Disposition": `attachment;filename=${fileName}`,
    "Last-Modified": new Date(createdAt).toUTCString(),
    ETag: `"${sha1}"`,
    "Accept-Ranges": "bytes",
  };
  const octets = { ...common, "Content-Type": "application/octet-stream" };
  const whole = (): HttpAnswer =>
    answer(200, { headers: { ...octets, "Content-Length": String(bytes.length) }, body: bytes });
  const range = headers["range"];
  // HEAD ignores a range.
  if (range === undefined || method !== "GET" || !unchanged(headers["if-range"], sha1, createdAt)) return whole();
  const ranges = parseRanges(range, bytes.length);
  if (ranges === undefined) return answer(416, { headers: { ...octets, "Content-Range": `bytes */${bytes.length}` } });
  const [only] = ranges;
  if (ranges.length > 1) return multipart(common, bytes, ranges);
  return answer(206, {
    headers: { ...octets, "Content-Range": contentRange(only!, bytes.length) },
    body: bytes.subarray(only!.first, only!.last + 1),
  });
}

export function sendDigest({ md5, fileName }: Artifact): HttpAnswer {
  const headers = {
    "Content-Disposition": `attachment;filename=${fileName}.MD5SUM`,
    "Content-Type": "text/plain;charset=ISO-8859-1",
  };
  return answer(200, { headers, body: Buffer.from(`${md5}  ${fileName}`) });
}

const contentRange = ({ first, last }: Range, size: number): string => `bytes ${first}-${last}/${size}`;

function unchanged(ifRange: string | undefined, sha1: string, createdAt: number): boolean {
  if (ifRange === undefined || ifRange === `"${sha1}"`) return true;
  const date = Date.parse(ifRange);
  return !Number.isNaN(date) && date >= Math.trunc(createdAt / 1_000) * 1_000;
}

/** Undefined: 416. So is a list with a blank in it, or with ranges that overlap (fact 51). */
function parseRanges(header: string, size: number): Range[] | undefined {
  const [, list] = /^bytes=([\d,-]+)$/.exec(header) ?? [];
  if (list === undefined) return undefined;
  const ranges: Range[] = [];
  for (const part of list.split(",")) {
    const [, from, to] = /^(\d*)-(\d*)$/.exec(part) ?? [];
    if (from === undefined || to === undefined || from + to === "") return undefined;
    const first = from === "" ? size - Number(to) : Number(from);
    const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
    if (first < 0 || first > last || first >= size || (from !== "" && to !== "" && Number(from) > Number(to)))
      return undefined;
    if (ranges.some((other) => first <= other.last && other.first <= last)) return undefined;
    ranges.push({ first, last });
  }
  return ranges;
}

function multipart(common: Record<string, string>, bytes: Uint8Array, ranges: readonly Range[]): HttpAnswer {
  const parts = ranges.flatMap((range, index) => [
    Buffer.from(
      `${index === 0 ? "" : "\r\n"}--${BOUNDARY}\r\nContent-Type: application/octet-stream\r\n` +
        `Content-Range: ${contentRange(range, bytes.length)}\r\n\r\n`,
    ),
    bytes.subarray(range.first, range.last + 1),
  ]);
  const headers = { ...common, "Content-Type": `multipart/byteranges; boundary=${BOUNDARY}` };
  return answer(206, { headers, body: Buffer.concat([...parts, Buffer.from(`\r\n--${BOUNDARY}--`)]) });
}
