/** Servers with a wrong certificate or a broken TLS, by name. */
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { TlsOptions } from "node:tls";
import { Authority, selfSigned } from "../cloud/core/listeners/certificates";

export interface TlsFault {
  /** What the server does, for the table. */
  readonly does: string;
  /**
   * "certificate": the peer is refused; "tls": no handshake comes about; "cut": it works, until the connection is cut
   * in mid-record.
   */
  readonly kind: "certificate" | "tls" | "cut";
  /**
   * How the server presents itself to a device that trusts `authority` and knows it as 127.0.0.1; undefined: in plain
   * text.
   */
  server(authority: Authority): Promise<TlsOptions | undefined>;
}

const DAY = 86_400_000;
const NAMES = ["127.0.0.1"];

async function issued(
  credentials: Promise<{ readonly key: string; readonly certificate: string }>,
): Promise<TlsOptions> {
  const { key, certificate } = await credentials;
  return { key, cert: certificate };
}

const between = (from: number, to: number): { readonly notBefore: Date; readonly notAfter: Date } => ({
  notBefore: new Date(Date.now() + from * DAY),
  notAfter: new Date(Date.now() + to * DAY),
});

export const TLS_FAULTS: Readonly<Record<string, TlsFault>> = {
  "wrong CA": {
    does: "has a certificate of an authority that nobody trusts",
    kind: "certificate",
    server: async () => issued((await Authority.create("ec")).server(NAMES)),
  },
  expired: {
    does: "has a certificate that ended yesterday",
    kind: "certificate",
    server: (authority) => issued(authority.server(NAMES, between(-30, -1))),
  },
  "not yet valid": {
    does: "has a certificate that begins tomorrow",
    kind: "certificate",
    server: (authority) => issued(authority.server(NAMES, between(1, 30))),
  },
  "wrong host name": {
    does: "has a certificate for another name",
    kind: "certificate",
    server: (authority) => issued(authority.server(["other.example", "127.0.0.2"])),
  },
  "self-signed": { does: "vouches for itself", kind: "certificate", server: () => issued(selfSigned(NAMES)) },
  "TLS 1.0": {
    does: "speaks TLS 1.0 at most",
    kind: "tls",
    server: async (authority) => ({
      ...(await issued(authority.server(NAMES))),
      minVersion: "TLSv1",
      maxVersion: "TLSv1",
      ciphers: "DEFAULT@SECLEVEL=0",
    }),
  },
  "plain text": { does: "answers in plain text", kind: "tls", server: async () => undefined },
  truncation: {
    does: "has each connection cut after 22,000 bytes, in mid-record",
    kind: "cut",
    server: (authority) => issued(authority.server(NAMES)),
  },
};

/**
 * What a cut leaves of a connection, bytes from the server: a handshake and one record (at most 16 KiB, RFC 8446,
 * section 5.1) get through, which TLS hands over only when it is whole.
 */
const CUT_AFTER = 22_000;

/** Such a server at a free port of 127.0.0.1. It counts the bytes that it decrypts, and hands them to `serve`. */
export class TlsFaultServer {
  /** Bytes that the server was given to read by its TLS, or got in plain text that is no TLS record. */
  applicationBytes = 0;
  connections = 0;
  /** Port of 127.0.0.1 to which it relays once the fault is over. */
  elsewhere: number | undefined;
  readonly #front: Server;
  readonly #inner: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(fault: TlsFault, options: TlsOptions | undefined, serve: (socket: Socket) => void) {
    const take = (socket: Socket): void => {
      this.#keep(socket);
      socket.on(
        "data",
        (bytes: Buffer) => (this.applicationBytes += options === undefined && bytes[0] === 0x16 ? 0 : bytes.length),
      );
      if (options === undefined)
        socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
      else serve(socket);
    };
    this.#inner = options === undefined ? createServer(take) : createTlsServer(options, take);
    this.#inner.on("tlsClientError", () => undefined);
    this.#front = createServer((near) => this.#relay(near, fault.kind === "cut" ? CUT_AFTER : Infinity));
  }

  static async listen(fault: TlsFault, authority: Authority, serve: (socket: Socket) => void): Promise<TlsFaultServer> {
    const server = new TlsFaultServer(fault, await fault.server(authority), serve);
    for (const one of [server.#inner, server.#front])
      await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get port(): number {
    return (this.#front.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([this.#inner, this.#front].map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #relay(near: Socket, limit: number): void {
    this.connections++;
    const faulty = this.elsewhere === undefined;
    const far = connect(this.elsewhere ?? (this.#inner.address() as AddressInfo).port, "127.0.0.1");
    let left = faulty ? limit : Infinity;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#keep(from);
      from.on("close", () => to.destroy());
    }
    near.on("data", (bytes: Buffer) => void far.write(bytes));
    far.on("data", (bytes: Buffer) => {
      near.write(bytes.subarray(0, Math.max(0, left)));
      left -= bytes.length;
      // In good order on the level of TCP: only TLS can tell that something is missing.
      if (left <= 0) near.end();
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
