import type { AddressInfo, Server, Socket } from "node:net";
import { Server as TlsServer, type TlsOptions } from "node:tls";

const causes: Record<string, string> = {
  EADDRINUSE: "is in use",
  EACCES: "needs rights that this user does not have",
  EADDRNOTAVAIL: "cannot be had: the address is not one of this machine",
  ENOTFOUND: "cannot be had: the host name is unknown",
};

/**
 * A listening server together with its connections, so that closing it leaves nothing behind.
 * `port` 0 takes any free one.
 */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects with one line that names what could not listen, where and why. */
  static open(server: Server, what: string, host: string, port: number, maxConnections: number): Promise<Listener> {
    const listener = new Listener(server);
    server.maxConnections = maxConnections;
    server.on("connection", (socket: Socket) => {
      listener.#sockets.add(socket);
      socket.once("close", () => listener.#sockets.delete(socket));
    });
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        reject(new Error(`${what}: port ${port} on ${host} ${causes[error.code ?? ""] ?? `failed: ${error.message}`}`));
      };
      server.once("error", failed);
      server.listen(port, host, () => {
        server.off("error", failed);
        // Out of file descriptors: that one connection is not accepted, and its client tries again.
        server.on("error", () => undefined);
        resolve(listener);
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Presents another certificate to those that connect from now on. */
  present(tls: TlsOptions): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(tls);
  }

  /** Destroys the connections too. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}
