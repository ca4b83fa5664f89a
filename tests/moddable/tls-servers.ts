/**
 * TLS servers as they should be, and all sorts of others: each listens on a port of its own and is closed with the
 * rest.
 */
import { createECDH, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { TlsOptions } from "node:tls";

/** What an honest server sends back for "GET n". */
export const payload = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
/** As the app counts. */
export const sumOf = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => (sum * 31 + byte) % 65_521, 0);

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const u24 = (value: number): Buffer => Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]);
export const record = (type: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type, 3, 3]), u16(body.length), body]);
};
const message = (type: number, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([type]), u24(body.length), body]);
};
export const serverHello = (suite: number, version = 0x0303): Buffer =>
  message(2, u16(version), randomBytes(32), Buffer.from([0]), u16(suite), Buffer.from([0]));
export const certificates = (chain: readonly Uint8Array[]): Buffer => {
  const list = Buffer.concat(chain.map((der) => Buffer.concat([u24(der.length), der])));
  return message(11, u24(list.length), list);
};
/** Half of an ECDHE exchange with a key made up on the spot, "signed" by these bytes. */
export const keyExchange = (hash: number, kind: number, signature: Buffer): Buffer => {
  const point = createECDH("prime256v1").generateKeys();
  return message(
    12,
    Buffer.from([3, 0, 23, point.length]),
    point,
    Buffer.from([hash, kind]),
    u16(signature.length),
    signature,
  );
};
export const helloDone = (): Buffer => message(14);

export class Servers {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  /**
   * Answers "GET n" with n bytes and closes; anything else with how much it was and whether a certificate was shown.
   */
  tls(options: TlsOptions): Promise<number> {
    const server = createTlsServer({ maxVersion: "TLSv1.2", ...options }, (socket) => {
      let got = 0;
      socket.on("error", () => {});
      socket.on("data", (data: Buffer) => {
        got += data.length;
        const wanted = /^GET (\d+)$/.exec(data.toString("latin1"))?.[1];
        if (wanted !== undefined) socket.end(payload(Number(wanted)));
        else if (data.toString("latin1").endsWith("END"))
          socket.end(`got ${got}, ${socket.authorized ? "known" : "unknown"}`);
      });
    });
    server.on("tlsClientError", () => {});
    return this.#listen(server);
  }

  /** Answers the first bytes that come with these, and tells what comes after. */
  raw(answer: () => Buffer, after: (data: Buffer) => void = () => {}): Promise<number> {
    return this.#listen(
      createServer((socket) => {
        let first = true;
        socket.on("error", () => {});
        socket.on("data", (data) => {
          if (first) socket.write(answer());
          else after(data);
          first = false;
        });
      }),
    );
  }

  /** Between client and `port`: `change` sees what the server sends; undefined cuts both off. */
  between(port: number, change: (data: Buffer, total: number) => Buffer | undefined): Promise<number> {
    return this.#listen(
      createServer((near) => {
        const far = connect(port, "127.0.0.1");
        let total = 0;
        this.#sockets.add(far);
        near
          .on("error", () => far.destroy())
          .on("close", () => far.destroy())
          .on("data", (data) => far.write(data));
        far
          .on("error", () => near.destroy())
          .on("close", () => near.end())
          .on("data", (data) => {
            const changed = change(data, total);
            total += data.length;
            if (changed !== undefined) return void near.write(changed);
            near.destroy();
            far.destroy();
          });
      }),
    );
  }

  /** A port where nobody listens. */
  async nobody(): Promise<number> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    return port;
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #listen(server: Server): Promise<number> {
    this.#servers.push(server);
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  }
}
