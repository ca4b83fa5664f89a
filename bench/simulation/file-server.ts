/** A file behind HTTP/1.1 with ranges and kept connections, with the head of Tencent's object store. */
import { perConnection } from "../../tests/kit/peer";
import type { Connection, Peer } from "../../tests/kit/peer";

export interface FileTraffic {
  requests: number;
  /** Bytes of the file that answers promised, and whose sending began. */
  promised: number;
}

/** Length of a head, about: its numbers differ by a few digits. */
export const HEAD_BYTES = 437;

/** As COS answers a ranged GET (seen field names; the values are made up and of the same length). */
export function responseHead(first: number, last: number, size: number, whole: boolean): Uint8Array {
  return Buffer.from(
    `HTTP/1.1 ${whole ? "200 OK" : "206 Partial Content"}\r\nContent-Type: application/octet-stream\r\nContent-Length: ${last + 1 - first}\r\n` +
      "Connection: keep-alive\r\nAccept-Ranges: bytes\r\n" +
      (whole ? "" : `Content-Range: bytes ${first}-${last}/${size}\r\n`) +
      'Date: Fri, 20 Nov 2026 08:00:00 GMT\r\nETag: "0123456789abcdef0123456789abcdef"\r\nLast-Modified: Thu, 19 Nov 2026 08:00:00 GMT\r\n' +
      "Server: tencent-cos\r\nx-cos-hash-crc64ecma: 12345678901234567890\r\nx-cos-request-id: NjU1YjA0ZjJfMTIzNDU2Nzhfabcdef\r\n\r\n",
    "latin1",
  );
}

export function fileServer(file: () => Uint8Array, traffic: FileTraffic): Peer {
  return perConnection((connection) => new FileSession(file, traffic, connection));
}

class FileSession {
  readonly #file: () => Uint8Array;
  readonly #traffic: FileTraffic;
  readonly #connection: Connection;
  #waiting = "";

  constructor(file: () => Uint8Array, traffic: FileTraffic, connection: Connection) {
    this.#file = file;
    this.#traffic = traffic;
    this.#connection = connection;
  }

  received(bytes: Uint8Array): void {
    if (this.#connection.closed) return;
    this.#waiting += Buffer.from(bytes).toString("latin1");
    for (let end = this.#waiting.indexOf("\r\n\r\n"); end >= 0; end = this.#waiting.indexOf("\r\n\r\n")) {
      this.#answer(this.#waiting.slice(0, end));
      this.#waiting = this.#waiting.slice(end + 4);
    }
  }

  #answer(head: string): void {
    const file = this.#file();
    const size = file.length;
    const range = /\r\nRange: bytes=(\d+)-(\d*)/i.exec(head);
    const first = range === null ? 0 : Number(range[1]);
    const last = range === null || range[2] === "" ? size - 1 : Math.min(size - 1, Number(range[2]));
    this.#traffic.requests++;
    this.#traffic.promised += last + 1 - first;
    this.#connection.send(responseHead(first, last, size, range === null));
    this.#connection.send(file.subarray(first, last + 1));
  }
}
