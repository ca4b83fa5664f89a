/** Where a file's bytes come from: a file server (file-link.ts), or a platform's own way. The job does not tell them apart. */
import type { DownloadEvent, DownloadRequest } from "../download/outputs";
import type { Timed } from "../protocol/driver";

export interface ByteSource extends Timed {
  /** Begins; a download that is under way ends. Its events follow, until "finished", "download-failed" or `stop`. */
  start(download: DownloadRequest): void;
  /** A fresh URL for the same file. */
  renew(url: string): void;
  /** Asks for nothing more; what is under way is received. */
  drain(): void;
  /** Bytes are under way, or will be asked for. */
  readonly fetching: boolean;
  /** The device sleeps now and then: no answer may be longer than what is left of a wake. */
  sleeps: boolean;
  tick(): void;
  stop(): void;
}

/** What a source is given. */
export interface SourceOptions {
  readonly random: () => number;
  /** Hands an event to the job; a sector is in flash when it returns. */
  dispatch(event: DownloadEvent): void;
  /** `idle`: the line says why nothing happens for a while. */
  log(line: string, idle: boolean): void;
}
