/** Calls of a server's JSON API, for the operator's REST clients of real servers. */

import { setTimeout as wait } from "node:timers/promises";

/** Tries of a call, and the pause between two of them, ms: rate limits count seconds. */
const TRIES_MAX = 10;
const PAUSE = 1_000;

export type Json = Record<string, unknown>;

/** Whose API it is, as a message names it, and the URL before `path`. */
export interface JsonApi {
  readonly name: string;
  readonly root: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The JSON of the answer; undefined where it has none. Rejects with one line on anything but success. */
export async function callJson(
  { name, root, headers }: JsonApi,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const url = `${root}/${path}`;
  const json = body === undefined || body instanceof FormData ? {} : { "Content-Type": "application/json" };
  const response = await patiently(url, {
    method,
    headers: { ...headers, ...json },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.ok) return text === "" ? undefined : (JSON.parse(text) as unknown);
  throw new Error(`${method} ${path}: HTTP ${response.status}, ${reason(text, name)}`);
}

/** Asks again where a rate limit refuses, and where a busy server let no connection come about: nothing was done then. */
async function patiently(url: string, request: RequestInit): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const isLast = tries === TRIES_MAX;
    try {
      const response = await fetch(url, request);
      if (response.status !== 429 || isLast) return response;
      await response.text();
    } catch (error) {
      const cause = (error as Error).cause ?? error;
      if ((cause as { code?: unknown }).code !== "UND_ERR_CONNECT_TIMEOUT" || isLast)
        throw new Error(`${url}: ${String(cause)}`, { cause: error });
    }
    await wait(PAUSE);
  }
}

function reason(text: string, name: string): string {
  try {
    return String((JSON.parse(text) as Json)["message"] ?? "no reason given");
  } catch {
    return `no JSON of ${name}`;
  }
}
