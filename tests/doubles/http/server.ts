/**
 * Node's HTTP server in front of a double, with what Tomcat does on a connection: an empty reason phrase, no
 * `Connection: keep-alive`, the last request of a connection answered with `Connection: close` and what was pipelined
 * behind it dropped (hawkbit.md, facts 7 to 11).
 */
import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { HttpAnswer, HttpRequest } from "./message";
import { BAD_REQUEST, HEADER_MAX, headersOf } from "./wire";

export interface HttpServerOptions {
  answer(request: HttpRequest): HttpAnswer;
  /** Requests of one connection, the last of which closes it. */
  readonly requestsPerConnection?: number;
  /** PEM: served over TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** An idle connection is closed after so many milliseconds: 60 s, of which Node adds the last itself. */
const IDLE = 59_000;
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #sockets = new Map<Socket, { requests: number }>();
  #server: Server | undefined;
  #port = 0;
  /** Connections that were ever accepted. */
  connections = 0;

  constructor(options: HttpServerOptions) {
    this.#options = options;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://127.0.0.1:${this.#port}`;
  }

  get isListening(): boolean {
    return this.#server !== undefined;
  }

  /** Started again after `stop`, it has the port that it had. */
  async start(): Promise<void> {
    const { tls } = this.#options;
    const options: ServerOptions = { maxHeaderSize: HEADER_MAX, requireHostHeader: false, keepAliveTimeout: IDLE };
    const handle = (request: IncomingMessage, response: ServerResponse): void => void this.#request(request, response);
    const server = tls === undefined ? createHttp(options, handle) : createHttps({ ...options, ...tls }, handle);
    server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
      this.connections++;
      this.#sockets.set(socket, { requests: 0 });
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("clientError", (_error, socket) => socket.end(BAD_REQUEST));
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { requestsPerConnection = Infinity, tls } = this.#options;
    const connection = this.#sockets.get(request.socket);
    // Pipelined behind the last request of the connection.
    if (connection === undefined || ++connection.requests > requestsPerConnection) return;
    const last = connection.requests === requestsPerConnection;
    const body: Buffer[] = [];
    try {
      for await (const part of request) body.push(part as Buffer);
    } catch {
      // The connection broke within the body: no request.
      return;
    }
    if (request.headers.host === undefined) return void request.socket.end(BAD_REQUEST);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
    );
    const answered = this.#options.answer({
      method: request.method!,
      target: request.url!,
      headers,
      body: Buffer.concat(body),
      address: request.socket.remoteAddress ?? "",
      scheme: tls === undefined ? "http" : "https",
    });
    if (answered.status === 0) return;
    write(response, answered, last || answered.close || request.headers.connection?.toLowerCase() === "close");
  }
}

function write(response: ServerResponse, answered: HttpAnswer, close: boolean): void {
  const { status, body, framing, broken } = answered;
  // Node adds "keep-alive", Tomcat does not.
  if (response.shouldKeepAlive) response.removeHeader("Connection");
  response.writeHead(status, "", headersOf(answered, close));
  if (broken === true) {
    response.write(body.subarray(0, body.length - 1), () => response.socket?.destroy());
    return;
  }
  response.end(response.req.method === "HEAD" || framing === "none" ? undefined : body);
}
