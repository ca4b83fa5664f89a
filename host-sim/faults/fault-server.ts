/**
 * A file server with a fault as a parameter. It writes to plain sockets, so that each byte sent, or left out, is
 * deliberate.
 */
import { EventEmitter } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

export interface FaultRequest {
  readonly target: string;
  readonly head: string;
  readonly first: number;
  /** Inclusive, as asked; it may lie beyond the file's end. */
  readonly last: number;
  /** From 1, since the server listens. */
  readonly count: number;
  /** The connection, from 1, and the request on it, from 1. */
  readonly connection: number;
  readonly number: number;
}

/** One request and the means to answer it wrongly. Requests of one connection are served one after the other. */
export interface Exchange {
  readonly request: FaultRequest;
  readonly file: Uint8Array;
  /** Address of this server, for redirects. */
  readonly origin: string;
  /** Sends; resolves when the bytes have gone to the kernel. */
  send(bytes: string | Uint8Array): Promise<void>;
  /** Sends bytes of the file, which are counted. */
  body(bytes: Uint8Array): Promise<void>;
  /** The right answer to the range asked for, with further head lines ("A: b\r\n"). */
  partial(lines?: string, status?: string): Promise<void>;
  /** The whole file's bytes from 0 on, counted. */
  whole(): Promise<void>;
  /** Closes in good order once all was sent. */
  end(): void;
  /** Resets the connection (RST). */
  reset(): void;
  /** Sends nothing more on this connection; the server emits "held" with the bytes that it has sent on it. */
  hold(): void;
}

export interface HttpFault {
  /** What the server does, for the table. */
  readonly does: string;
  serve(exchange: Exchange): Promise<void>;
}

export interface FaultServerEvents {
  held: [bytes: number];
}

export class FaultServer extends EventEmitter<FaultServerEvents> {
  readonly requests: FaultRequest[] = [];
  /** Bytes of the file sent. */
  bodyBytes = 0;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #file: Uint8Array;
  readonly #fault: HttpFault;

  private constructor(file: Uint8Array, fault: HttpFault) {
    super();
    this.#file = file;
    this.#fault = fault;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Listens on a free port of `host`. */
  static async listen(file: Uint8Array, fault: HttpFault, host = "127.0.0.1"): Promise<FaultServer> {
    const server = new FaultServer(file, fault);
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", reject);
      server.#server.listen(0, host, resolve);
    });
    return server;
  }

  get origin(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    const connection = ++this.connections;
    this.#sockets.add(socket);
    let received = "";
    let number = 0;
    let turn = Promise.resolve();
    socket.setEncoding("latin1");
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (text: string) => {
      received += text;
      for (let end = received.indexOf("\r\n\r\n"); end >= 0; end = received.indexOf("\r\n\r\n")) {
        const request = parse(received.slice(0, end), this.requests.length + 1, connection, ++number);
        received = received.slice(end + 4);
        this.requests.push(request);
        turn = turn.then(() => (socket.writable ? this.#fault.serve(this.#exchange(request, socket)) : undefined));
      }
    });
  }

  #exchange(request: FaultRequest, socket: Socket): Exchange {
    const file = this.#file;
    const send = (bytes: string | Uint8Array): Promise<void> =>
      new Promise((resolve) => {
        if (socket.writable)
          socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, () => resolve());
        else resolve();
      });
    const body = (bytes: Uint8Array): Promise<void> => {
      this.bodyBytes += bytes.length;
      return send(bytes);
    };
    return {
      request,
      file,
      origin: this.origin,
      send,
      body,
      async partial(lines = "", status = "206 Partial Content") {
        await send(`HTTP/1.1 ${status}\r\n${rangeFields(request, file)}${lines}\r\n`);
        await body(slice(request, file));
      },
      whole: () => body(file),
      end: () => void socket.end(),
      reset: () => void socket.resetAndDestroy(),
      hold: () => {
        socket.pause();
        this.emit("held", socket.bytesWritten);
      },
    };
  }
}

/** The bytes asked for, as far as they exist. */
export function slice({ first, last }: FaultRequest, file: Uint8Array): Uint8Array {
  return file.subarray(first, last + 1);
}

/** Content-Length and Content-Range of the right answer. */
export function rangeFields(request: FaultRequest, file: Uint8Array): string {
  return `Content-Length: ${slice(request, file).length}\r\n${contentRange(request, file)}`;
}

export function contentRange({ first, last }: FaultRequest, file: Uint8Array): string {
  return `Content-Range: bytes ${first}-${Math.min(last, file.length - 1)}/${file.length}\r\n`;
}

function parse(head: string, count: number, connection: number, number: number): FaultRequest {
  const target = /^GET (\S+) HTTP\/1\.1\r\n/.exec(head)?.[1] ?? "";
  const range = /\r\nRange: bytes=(\d+)-(\d+)/i.exec(head);
  return {
    target,
    head,
    first: Number(range?.[1] ?? 0),
    last: Number(range?.[2] ?? Number.MAX_SAFE_INTEGER),
    count,
    connection,
    number,
  };
}
