/** A request and an answer of a double, apart from how they travel: a socket of Node, or a connection in memory. */

export interface HttpRequest {
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** Of the peer. */
  readonly address: string;
  readonly scheme: "http" | "https";
}

export interface HttpAnswer {
  /** 0: no answer comes, the connection stays. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** "none": a 304 has neither a length nor a body. */
  readonly framing: "length" | "chunked" | "none";
  /** The server closes after it. */
  readonly close: boolean;
  /** The connection breaks before the body is whole. */
  readonly broken?: boolean;
}

const NOTHING = new Uint8Array();

export function answer(status: number, parts: Partial<Omit<HttpAnswer, "status">> = {}): HttpAnswer {
  return { status, headers: {}, body: NOTHING, framing: "length", close: false, ...parts };
}

export function jsonAnswer(status: number, value: unknown, parts: Partial<HttpAnswer> = {}): HttpAnswer {
  const headers = { "Content-Type": "application/json", ...parts.headers };
  return answer(status, { ...parts, headers, body: Buffer.from(JSON.stringify(value)) });
}

/** What a request is refused with, thrown from wherever that is known. */
export class Refusal extends Error {
  readonly answer: HttpAnswer;

  constructor(refused: HttpAnswer) {
    super(`refused with ${refused.status}`);
    this.answer = refused;
  }
}

export interface Query {
  readonly path: string;
  readonly query: URLSearchParams;
}

export function splitTarget(target: string): Query {
  const [path = "", query = ""] = target.split(/\?(.*)/s);
  return { path, query: new URLSearchParams(query) };
}

/** The JSON of a body, undefined where it is none. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
