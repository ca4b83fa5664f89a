import type { Duplex } from "node:stream";

/**
 * Follows the framing of MQTT packets (MQTT 3.1.1, section 2.2) in a byte stream without keeping any of it. The
 * broker's parser collects whatever length a client announces, up to 256 MiB for each connection; this is what bounds
 * it.
 */
export class PacketFrames {
  readonly #limit: number;
  #at: "type" | "length" | "body" = "type";
  #length = 0;
  #shift = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False: a packet is longer than the limit, or its length is no valid number; the connection must go. */
  accept(bytes: Uint8Array): boolean {
    let index = 0;
    while (index < bytes.length) {
      if (this.#at === "body") {
        const part = Math.min(this.#length, bytes.length - index);
        this.#length -= part;
        index += part;
        if (this.#length === 0) this.#at = "type";
        continue;
      }
      const byte = bytes[index++]!;
      if (this.#at === "type") {
        this.#at = "length";
        this.#length = 0;
        this.#shift = 0;
        continue;
      }
      this.#length += (byte & 0x7f) * 2 ** this.#shift;
      this.#shift += 7;
      if (this.#length > this.#limit || this.#shift > 28) return false;
      if (byte < 0x80) this.#at = this.#length === 0 ? "type" : "body";
    }
    return true;
  }
}

/** Destroys the connection before a longer packet is collected. Sees what its one reader reads by `read()`. */
export function limitPackets(socket: Duplex, limit: number): void {
  const frames = new PacketFrames(limit);
  const read = socket.read.bind(socket);
  socket.read = (size?: number) => {
    const chunk = read(size) as Uint8Array | null;
    if (chunk === null || frames.accept(chunk)) return chunk;
    socket.destroy(new Error(`packet longer than ${limit} bytes`));
    return null;
  };
}
