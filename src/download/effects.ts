import type { Cause } from "../job/types";

/** What the downloader asks of its driver, which handles each effect in order. After `stop()` the rest of the list is void. */
export type DownloadEffect =
  | { readonly type: "connect"; readonly host: string; readonly port: number; readonly tls: boolean }
  /** A whole request; the bytes stay as they are until they have left. */
  | { readonly type: "send"; readonly bytes: Uint8Array }
  /** Close the socket, or give up the connect. */
  | { readonly type: "close" }
  /** Once, before the first sector (and once more after each `restart`). `validator`: strong ETag, else Last-Modified. */
  | { readonly type: "total"; readonly size: number; readonly validator: string | undefined }
  /**
   * A finished sector: a view on the sector buffer, valid until the effect was handled. `offset` is a multiple of 4096; only
   * the file's last sector may be shorter. At most one in a list.
   */
  | { readonly type: "sector"; readonly offset: number; readonly bytes: Uint8Array }
  /** Sectors from here on were delivered and are not to be trusted: they come again. A multiple of 4096. */
  | { readonly type: "rewind"; readonly offset: number; readonly reason: string }
  /** The file changed underneath and no digest guards it: everything stored is void, the download starts again at 0 by itself. */
  | { readonly type: "restart"; readonly reason: string }
  /** The validator changed in mid-download; the digest will decide (for information). */
  | { readonly type: "changed" }
  /** Backing off after an attempt that failed. */
  | { readonly type: "waiting"; readonly milliseconds: number; readonly reason: string }
  | { readonly type: "finished" }
  /** 401 or 403, twice with a wait in between: obtain a fresh URL and call `renew`, or give up and call `stop`. Nothing happens until then. */
  | { readonly type: "expired"; readonly message: string; readonly status: number }
  /** The end. `message` is one line naming the cause and the HTTP status; it never holds a URL's query. */
  | { readonly type: "failed"; readonly cause: Cause; readonly message: string; readonly status?: number };

export interface DownloadOptions {
  readonly url: string;
  /** Bytes stored already: a multiple of 4096, or `size`. */
  readonly offset: number;
  /** Length of the file; 0 = unknown, learnt from the first response. */
  readonly size: number;
  /** Validator seen when the stored bytes were fetched. */
  readonly validator?: string;
  /** A digest over the whole file will be checked: a changed validator is then no reason to start again. */
  readonly hasDigest: boolean;
  readonly allowHttp: boolean;
  /** The sector buffer: 4096 bytes, the caller's; the downloader's own between `start` and the end, outside `sector` effects. */
  readonly buffer: Uint8Array;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Bytes per request, a multiple of 4096 up to RANGE_MAX; default RANGE. */
  readonly range?: number;
  /** Check ThingsPanel's X-CRC16 on each range: costs a JavaScript loop over the image, and one request per sector. */
  readonly crc16?: boolean;
}
