import type { Socket } from "../ports";

/** More waiting than this means a peer that takes nothing: the connection is given up. */
const LIMIT = 16_384;

/** Bytes on their way into a socket that takes them piecemeal. */
export class Outbox {
  #waiting: Uint8Array[] = [];
  #length = 0;

  /** False: too much is waiting. */
  send(socket: Socket, bytes: Uint8Array): boolean {
    this.#waiting.push(bytes);
    this.#length += bytes.length;
    this.flush(socket);
    return this.#length <= LIMIT;
  }

  flush(socket: Socket): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const taken = socket.write(first);
      this.#length -= taken;
      if (taken < first.length) {
        this.#waiting[0] = first.subarray(taken);
        return;
      }
      this.#waiting.shift();
    }
  }
}
