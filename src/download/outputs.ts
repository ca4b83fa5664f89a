import type { HttpUrl } from "../http/url";
import type { Cause } from "../job/types";
import type { IoEffect } from "../protocol/machine";

export type ServerConnect = {
  readonly type: "connect";
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
};

/**
 * What a download tells the update job, whose events these are (job/effects.ts). After `stop()` the rest of a list is
 * void.
 */
export type DownloadEvent =
  /** Once before the first sector, and once after each "start-over". `validator`: strong ETag, else Last-Modified. */
  | { readonly type: "total"; readonly size: number; readonly validator: string | undefined }
  /**
   * A complete sector: a view on the sector buffer, valid until the event was handled. `offset` is a multiple of 4096;
   * only the file's last sector may be shorter. At most one in a list.
   */
  | { readonly type: "sector"; readonly offset: number; readonly bytes: Uint8Array }
  /** Sectors from `offset` on were delivered and are not to be trusted: they come again. A multiple of 4096. */
  | { readonly type: "rewind"; readonly offset: number }
  /**
   * The file changed on the server and no digest guards it: everything stored is void, the download starts again at 0
   * by itself.
   */
  | { readonly type: "start-over"; readonly reason: string }
  /** No new sector for STALL_REPORT, and why; once in a stall. The download goes on. */
  | { readonly type: "stalled"; readonly message: string }
  | { readonly type: "finished" }
  /**
   * 401 or 403, twice with a wait in between: obtain a fresh URL and call `renew`, or give up and call `stop`. Nothing
   * happens until then.
   */
  | { readonly type: "expired"; readonly message: string }
  /** The end. `message` is one line naming the cause and the HTTP status; it never holds a URL's query. */
  | { readonly type: "download-failed"; readonly cause: Cause; readonly message: string };

/**
 * A line for the engineer at the console; it never holds a URL's query. `idle`: it says why nothing happens for a
 * while.
 */
export type LogLine = { readonly type: "log"; readonly line: string; readonly idle?: boolean };

export type DownloadOutput = ServerConnect | Exclude<IoEffect, { type: "connect" }> | DownloadEvent | LogLine;

/** The file that a job wants; see DownloadOptions. */
export interface DownloadRequest {
  readonly url: string;
  readonly offset: number;
  readonly size: number;
  readonly end?: number;
  readonly validator: string | undefined;
  readonly hasDigest: boolean;
}

/** What a platform says of the requests for a file. */
export interface FileHeaders {
  /** "Name: value" each, for the download from this URL. Default: none. */
  fileHeaders?(url: HttpUrl): readonly string[];
}

export interface DownloadOptions {
  readonly url: string;
  /** Absent: no headers, and a file that is missing fails the download after a few tries. Else "expired" tells of it. */
  readonly platform?: FileHeaders;
  /** Bytes stored already: a multiple of 4096, or `size`. */
  readonly offset: number;
  /** Length of the file in bytes; 0: unknown, learnt from the first response. */
  readonly size: number;
  /** Nothing is wanted from here on: a multiple of 4096. Default: the end of the file. */
  readonly end?: number;
  /** Validator seen when the stored bytes were fetched. */
  readonly validator?: string;
  /** A digest over the whole file will be checked: a changed validator is then no reason to start over. */
  readonly hasDigest: boolean;
  readonly allowHttp: boolean;
  /**
   * The sector buffer: 4096 bytes, and room for what is read behind a sector, less than a sector (SECTOR_SURPLUS). It is
   * the caller's; the downloader's own between `start` and the end, the first sector of it outside "sector" events only.
   */
  readonly buffer: Uint8Array;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Bytes per request, a multiple of 4096 up to RANGE_MAX; default RANGE. */
  readonly range?: number;
  /** Check ThingsPanel's X-CRC16 on each range: costs a JavaScript loop over the image, and one request per sector. */
  readonly crc16?: boolean;
}
