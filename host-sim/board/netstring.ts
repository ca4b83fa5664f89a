const COLON = ":".charCodeAt(0);
const COMMA = Buffer.from(",");

/** One netstring (cr.yp.to/proto/netstrings.txt) of two parts. */
export function netstring(prefix: Uint8Array, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${prefix.length + bytes.length}:`), prefix, bytes, COMMA]);
}

/** Cuts a stream into netstrings. */
export class NetstringReader {
  readonly #onMessage: (message: Buffer) => void;
  #held: Buffer = Buffer.alloc(0);

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      const colon = this.#held.indexOf(COLON);
      if (colon < 0) return;
      const start = colon + 1;
      const end = start + Number(this.#held.toString("latin1", 0, colon));
      if (this.#held.length <= end) return;
      const message = this.#held.subarray(start, end);
      this.#held = this.#held.subarray(end + 1);
      this.#onMessage(message);
    }
  }
}
