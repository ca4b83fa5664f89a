import type { SocketError } from "../../hal/ports";
import type { DownloadEffect, DownloadOptions } from "./effects";

export type { DownloadEffect, DownloadOptions } from "./effects";

/** Fetches one file by HTTP/1.1 range requests, sector by sector. */
export class Downloader {
  #offset: number;

  constructor(options: DownloadOptions) {
    this.#offset = options.offset;
  }

  start(_now: number): DownloadEffect[] {
    return [];
  }

  opened(_now: number): DownloadEffect[] {
    return [];
  }

  closed(_error: SocketError | undefined, _now: number): DownloadEffect[] {
    return [];
  }

  tick(_now: number): DownloadEffect[] {
    return [];
  }

  /** Where the driver reads the socket into next; its length bounds the read, 0 = do not read now. */
  readTarget(): Uint8Array {
    return new Uint8Array(0);
  }

  /** `count` bytes were read into `readTarget()`. */
  received(_count: number, _now: number): DownloadEffect[] {
    return [];
  }

  /** A fresh URL for the same image: continue at the current offset. */
  renew(_url: string, _now: number): DownloadEffect[] {
    return [];
  }

  stop(): DownloadEffect[] {
    return [];
  }

  /** When `tick` is wanted next, or undefined. */
  deadline(): number | undefined {
    return undefined;
  }

  /** Bytes delivered as sectors. */
  get offset(): number {
    return this.#offset;
  }
}
