/** One connection as bytes: what a client library hides. */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";

export class RawClient {
  readonly socket: Socket;
  #received = "";

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1").on("data", (text: string) => (this.#received += text));
    socket.on("error", () => undefined);
  }

  /** `url`: http://host:port */
  static async open(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const client = new RawClient(socket);
    await once(socket, "connect");
    return client;
  }

  get received(): string {
    return this.#received;
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Resolves when so much of it has come; with what came. */
  async until(part: RegExp): Promise<string> {
    while (!part.test(this.#received)) await once(this.socket, "data");
    return this.#received;
  }

  /** Resolves when the server has closed; with all that came. */
  async closed(): Promise<string> {
    if (!this.socket.closed) await once(this.socket, "close");
    return this.#received;
  }
}
