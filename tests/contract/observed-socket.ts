/** A socket of the port under test that notes what the port calls, and waits for it. */
import assert from "node:assert/strict";
import type { ConnectOptions, Network, Socket, SocketError } from "../../src/ports";

type Happening = { what: "opened" | "readable" | "writable" } | { what: "closed"; error: SocketError | undefined };

export class ObservedSocket {
  readonly seen: Happening[] = [];
  readonly socket: Socket;
  #wake: () => void = () => {};
  #synchronous = true;

  constructor(network: Network, options: ConnectOptions) {
    const note = (happening: Happening): void => {
      assert.equal(this.#synchronous, false, `${happening.what} was called from inside a call of the port`);
      this.seen.push(happening);
      this.#wake();
    };
    this.socket = network.connect(options, {
      opened: () => note({ what: "opened" }),
      readable: () => note({ what: "readable" }),
      writable: () => note({ what: "writable" }),
      closed: (error) => note({ what: "closed", error }),
    });
    this.#synchronous = false;
  }

  count(what: Happening["what"]): number {
    return this.seen.filter((happening) => happening.what === what).length;
  }

  async until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async opened(): Promise<this> {
    await this.until(() => this.seen.length > 0);
    assert.deepEqual(this.seen[0], { what: "opened" });
    return this;
  }

  async closed(): Promise<SocketError | undefined> {
    await this.until(() => this.count("closed") > 0);
    const last = this.seen.at(-1);
    assert.ok(last?.what === "closed", "something came after closed");
    return last.error;
  }

  /** A call of the port in which nothing may be called back. */
  quietly<T>(call: () => T): T {
    this.#synchronous = true;
    try {
      return call();
    } finally {
      this.#synchronous = false;
    }
  }

  read(length: number): Buffer {
    const into = Buffer.alloc(length);
    return into.subarray(
      0,
      this.quietly(() => this.socket.read(into)),
    );
  }

  /** Reads until `length` bytes are there, taking `step` at a time. */
  async take(length: number, step = 1000): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let have = 0; have < length;) {
      const part = this.read(Math.min(step, length - have));
      if (part.length === 0) {
        const before = this.seen.length;
        await this.until(() => this.seen.length > before);
      }
      parts.push(part);
      have += part.length;
    }
    return Buffer.concat(parts);
  }
}
