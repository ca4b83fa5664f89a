import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TLSSocket } from "node:tls";
import type { TlsIdentity } from "./certificates";
import { Listener } from "./listener";

/** Answers a request. False: it left the request to the next handler. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export interface HttpFrontOptions {
  readonly host: string;
  /** Plain HTTP; 0 = any free port; absent = none. */
  readonly port?: number;
  /** HTTPS; 0 = any free port; absent = none. */
  readonly tlsPort?: number;
  readonly tls?: TlsIdentity;
  /** Asked in this order, as they are when a request comes; the last answers whatever comes to it. */
  readonly handlers: readonly RequestHandler[];
  readonly connected: () => void;
}

const CONNECTIONS_MAX = 10_000;
/** Head of a request, milliseconds: a device that lost its power in between holds nothing for longer. */
const HEAD_TIMEOUT = 10_000;
/** A kept connection without a request; twice the agent's own timeout for a response. */
const IDLE_TIMEOUT = 30_000;
/** A connection on which nothing moves at all. */
const STALL_TIMEOUT = 60_000;
/**
 * Devices hold a whole TLS record in memory before they can read of it: small ones spare them 12 KiB (RFC 8446, section
 * 5.1).
 */
const TLS_RECORD = 4_096;

/** The HTTP and HTTPS listeners, for downloads and for whatever else the cloud serves. */
export class HttpFront {
  readonly #options: HttpFrontOptions;
  readonly #running = new Set<Promise<void>>();
  #plain: Listener | undefined;
  #secure: Listener | undefined;
  #portWanted: number;
  #tlsPortWanted: number;

  constructor(options: HttpFrontOptions) {
    this.#options = options;
    this.#portWanted = options.port ?? 0;
    this.#tlsPortWanted = options.tlsPort ?? 0;
  }

  /** Started again after `stop`, it takes the ports it had. Rejects with one line if a port can not be had. */
  async start(): Promise<void> {
    const { host, port, tlsPort, tls } = this.#options;
    const listener: RequestListener = (request, response) => {
      const answered = this.#answer(request, response).finally(() => this.#running.delete(answered));
      this.#running.add(answered);
    };
    try {
      if (port !== undefined) {
        this.#plain = await this.#open(createServer(listener), "HTTP", host, this.#portWanted);
        this.#portWanted = this.#plain.port;
      }
      if (tlsPort !== undefined && tls !== undefined) {
        const server = createTlsServer(tls.server, listener);
        server.on("secureConnection", (socket: TLSSocket) => socket.setMaxSendFragment(TLS_RECORD));
        this.#secure = await this.#open(server, "HTTPS", host, this.#tlsPortWanted);
        this.#tlsPortWanted = this.#secure.port;
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Cuts what is under way. */
  async stop(): Promise<void> {
    await Promise.all([this.#plain?.close(), this.#secure?.close()]);
    this.#plain = undefined;
    this.#secure = undefined;
    await Promise.all(this.#running);
  }

  /** Presents the certificate that is in the options now. */
  present(): void {
    if (this.#options.tls) this.#secure?.present(this.#options.tls.server);
  }

  /** Port of the plain listener; 0 if there is none. */
  get port(): number {
    return this.#plain?.port ?? 0;
  }

  /** Port of the TLS listener; 0 if there is none. */
  get tlsPort(): number {
    return this.#secure?.port ?? 0;
  }

  #open(server: Server, what: string, host: string, port: number): Promise<Listener> {
    server.headersTimeout = HEAD_TIMEOUT;
    server.keepAliveTimeout = IDLE_TIMEOUT;
    server.timeout = STALL_TIMEOUT;
    server.on("connection", this.#options.connected);
    return Listener.open(server, what, host, port, CONNECTIONS_MAX);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => request.destroy());
    for (const handler of this.#options.handlers.slice()) if (await handler(request, response)) return;
  }
}
