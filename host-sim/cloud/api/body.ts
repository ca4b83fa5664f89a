import type { IncomingMessage } from "node:http";
import { ApiError } from "./errors";

/** Bytes of a JSON body: a pasted list of 20,000 device names fits. */
const JSON_MAX = 2 * 1024 * 1024;

/** Rejects with an `ApiError`. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json *(;|$)/i.test(request.headers["content-type"] ?? ""))
    throw new ApiError(415, "the body is to be application/json");
  const parts: Buffer[] = [];
  for await (const part of limited(request, JSON_MAX)) parts.push(part);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts)));
  } catch {
    throw new ApiError(400, "the body is not JSON");
  }
}

/** The body as it comes, and no more of it than `limit` bytes: 413 then. */
export async function* limited(request: IncomingMessage, limit: number): AsyncGenerator<Buffer> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limit)
    throw new ApiError(
      413,
      `the body has ${announced.toLocaleString("en")} bytes; at most ${limit.toLocaleString("en")} are taken`,
    );
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > limit) throw new ApiError(413, `at most ${limit.toLocaleString("en")} bytes are taken`);
    yield part;
  }
}
