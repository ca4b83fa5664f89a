/** A double on a network in memory, with the bytes that it sends behind a port. Bodies of requests have a length. */
import type { Connection, Peer } from "../../kit/peer";
import type { HttpAnswer, HttpRequest } from "./message";
import { BAD_REQUEST, HEADER_MAX, wireOf } from "./wire";

export interface HttpPeerOptions {
  answer(request: HttpRequest): HttpAnswer;
  /** The answer is about to reach the device; false keeps it from that. */
  arriving?(request: HttpRequest, answered: HttpAnswer): boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly requestsPerConnection?: number;
  readonly address?: string;
}

interface State {
  bytes: Buffer;
  requests: number;
}

const NOTHING = Buffer.alloc(0);

export class HttpPeer implements Peer {
  readonly #options: HttpPeerOptions;
  readonly #open = new Map<Connection, State>();

  constructor(options: HttpPeerOptions) {
    this.#options = options;
  }

  opened(connection: Connection): void {
    this.#open.set(connection, { bytes: NOTHING, requests: 0 });
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
  }

  received(bytes: Uint8Array, connection: Connection): void {
    const state = this.#open.get(connection);
    if (state === undefined) return;
    state.bytes = Buffer.concat([state.bytes, bytes]);
    while (!connection.closed && this.#next(state, connection));
  }

  /** False: there is no whole request yet, or none any more. */
  #next(state: State, connection: Connection): boolean {
    const end = state.bytes.indexOf("\r\n\r\n");
    const head = end < 0 ? undefined : readHead(state.bytes.subarray(0, end).toString("latin1"));
    if (end > HEADER_MAX || (end < 0 && state.bytes.length > HEADER_MAX) || (end >= 0 && head === undefined)) {
      connection.send(Buffer.from(BAD_REQUEST));
      connection.end();
      return false;
    }
    if (head === undefined) return false;
    const length = Number(head.headers["content-length"] ?? 0);
    const from = end + 4;
    if (state.bytes.length < from + length) return false;
    const body = state.bytes.subarray(from, from + length);
    state.bytes = state.bytes.subarray(from + length);
    const { answer, address = "192.0.2.9", requestsPerConnection = Infinity, now } = this.#options;
    const request: HttpRequest = { ...head, body, address, scheme: "http" };
    const answered = answer(request);
    if (answered.status === 0) return false;
    const asked = head.headers["connection"]?.toLowerCase() === "close";
    const close = answered.close || asked || ++state.requests >= requestsPerConnection;
    const { arriving } = this.#options;
    connection.send(
      wireOf(answered, close, head.method === "HEAD", now()),
      arriving && (() => arriving(request, answered)),
    );
    if (answered.broken === true) connection.reset();
    else if (close) connection.end();
    return true;
  }
}

/** Undefined: no request of HTTP/1.1, or one without a Host. */
function readHead(text: string): Pick<HttpRequest, "method" | "target" | "headers"> | undefined {
  const [line = "", ...lines] = text.split("\r\n");
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(line) ?? [];
  const headers: Record<string, string> = {};
  for (const each of lines) {
    const [, name, value] = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(each) ?? [];
    if (name === undefined) return undefined;
    headers[name.toLowerCase()] = value!;
  }
  if (method === undefined || target === undefined || headers["host"] === undefined) return undefined;
  return { method, target, headers };
}
