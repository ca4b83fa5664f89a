/** A man in the middle: forwards TCP to any target, records what clients send, and can inject bytes. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import type { TestContext } from "node:test";

export class Wire {
  /** Port to which connections are forwarded. It may change at any time. */
  target: number;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #up: Buffer[] = [];
  #ended = 0;
  #wake: () => void = () => {};

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
  }

  static async open(t: TestContext, target: number): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server, target);
    server.on("connection", (client) => wire.#connected(client));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => wire.#close());
    return wire;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Everything that clients have sent. */
  heard(): Buffer {
    return Buffer.concat(this.#up);
  }

  /** Injects bytes into the stream from server to client. */
  inject(bytes: Uint8Array): void {
    for (const client of this.#clients) client.write(bytes);
  }

  /** Ends all connections. */
  cut(): void {
    for (const client of this.#clients) client.destroy();
  }

  /** Resolves when `count` further connections have ended; the open ones count. */
  async ended(count: number): Promise<void> {
    const before = this.#ended;
    while (this.#ended < before + count) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #connected(client: Socket): void {
    const server = connect(this.target, "127.0.0.1");
    this.#clients.add(client);
    client.on("data", (bytes: Buffer) => this.#up.push(bytes));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
    client.on("close", () => {
      this.#clients.delete(client);
      this.#ended++;
      this.#wake();
    });
  }

  #close(): void {
    this.#server.close();
    this.cut();
  }
}
