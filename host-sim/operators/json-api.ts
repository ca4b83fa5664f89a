/** Calls of a server's JSON API, for the operator's REST clients of real servers. */

import { setTimeout as wait } from "node:timers/promises";

/** Tries of a call that a rate limit refuses, and between two of them, ms: limits count seconds. */
const LIMITED_TRIES = 10;
const LIMITED_WAIT = 1_000;

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
  const ask = (): Promise<Response> =>
    fetch(url, {
      method,
      headers: { ...headers, ...json },
      ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new Error(`${url}: ${String((error as Error).cause ?? error)}`);
    });
  let response = await ask();
  for (let tries = 1; response.status === 429 && tries < LIMITED_TRIES; tries++) {
    await response.text();
    await wait(LIMITED_WAIT);
    response = await ask();
  }
  const text = await response.text();
  if (response.ok) return text === "" ? undefined : (JSON.parse(text) as unknown);
  throw new Error(`${method} ${path}: HTTP ${response.status}, ${reason(text, name)}`);
}

function reason(text: string, name: string): string {
  try {
    return String((JSON.parse(text) as Json)["message"] ?? "no reason given");
  } catch {
    return `no JSON of ${name}`;
  }
}
