import { request, type IncomingMessage } from "node:http";

/** Listens to the cloud's event stream, and looks again whenever something has changed. */
export class Changes {
  readonly #stream: IncomingMessage;
  #changed = (): void => undefined;
  #ended: Error | undefined;

  private constructor(stream: IncomingMessage) {
    this.#stream = stream;
    stream.on("data", () => this.#changed());
    stream.on("error", () => undefined);
    stream.on("close", () => {
      this.#ended = new Error("the event stream has ended");
      this.#changed();
    });
  }

  /** `origin`: scheme, host and port of the cloud. */
  static open(origin: string, token: string): Promise<Changes> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      const sent = request(`${origin}/cloud/v1/events`, { headers, agent: false }, (response) =>
        resolve(new Changes(response)),
      );
      sent.on("error", reject);
      sent.end();
    });
  }

  /** Resolves when `holds` does. Rejects with what it throws, or when the cloud is gone. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    for (;;) {
      const change = new Promise<void>((resolve) => (this.#changed = resolve));
      if (await holds()) return;
      if (this.#ended) throw this.#ended;
      await change;
    }
  }

  close(): void {
    this.#stream.destroy();
  }
}
