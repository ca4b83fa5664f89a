/**
 * What stands in front of a ThingsBoard server's HTTP API: it hands requests on, and answers some of them itself, so that
 * a real server seems to fail as well. It also serves a file of its own.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, request as requestOf } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in chunks. */
  readonly json?: object;
}

const FILE = "/file.bin";
/** Requests for bytes from here on are those of the middle of a download. */
const MIDDLE = 100_000;

export class Front {
  readonly refusals: Refusal[] = [];
  readonly #server: Server;
  readonly #origin: URL;
  #file: Uint8Array = new Uint8Array();

  private constructor(origin: URL) {
    this.#origin = origin;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async open(origin: string): Promise<Front> {
    const front = new Front(new URL(origin));
    front.#server.listen(0, "127.0.0.1");
    await once(front.#server, "listening");
    return front;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Returns the URL of the file. */
  serve(file: Uint8Array): string {
    this.#file = file;
    return `http://127.0.0.1:${this.port}${FILE}`;
  }

  /** Lower-case hex of the file's SHA-256. */
  get digest(): string {
    return createHash("sha256").update(this.#file).digest("hex");
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (request.url === FILE) return this.#send(response, Number(from), Number(to));
    const refusal = Number(from) >= MIDDLE ? this.refusals.shift() : undefined;
    if (refusal === undefined) return this.#handOn(request, response);
    response.writeHead(refusal.status, { "Content-Type": "application/json", ...refusal.headers });
    response.flushHeaders();
    response.end(refusal.json === undefined ? undefined : JSON.stringify(refusal.json));
  }

  #send(response: ServerResponse, from: number, to: number): void {
    const part = this.#file.subarray(from, to + 1);
    const range = `bytes ${from}-${from + part.length - 1}/${this.#file.length}`;
    response.writeHead(206, { "Content-Length": part.length, "Content-Range": range }).end(part);
  }

  #handOn({ method, url, headers }: IncomingMessage, response: ServerResponse): void {
    const { hostname, port } = this.#origin;
    const onward = requestOf({ host: hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    onward.end();
  }
}
