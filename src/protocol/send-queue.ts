import type { Socket } from "../ports";

/**
 * More than this in the queue, bytes: the peer takes nothing and the connection is given up. Four requests of the
 * longest URL fit.
 */
const LIMIT = 16_384;

/** Bytes that a socket has not taken yet. */
export class SendQueue {
  private queue: Uint8Array[] = [];
  private length = 0;

  /** False: too much is queued. */
  send(socket: Socket, bytes: Uint8Array): boolean {
    this.queue.push(bytes);
    this.length += bytes.length;
    this.flush(socket);
    return this.length <= LIMIT;
  }

  flush(socket: Socket): void {
    for (let first = this.queue[0]; first !== undefined; first = this.queue[0]) {
      const taken = socket.write(first);
      this.length -= taken;
      if (taken < first.length) {
        this.queue[0] = first.subarray(taken);
        return;
      }
      this.queue.shift();
    }
  }
}
