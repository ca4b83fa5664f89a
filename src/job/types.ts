/** The words that job, platforms, downloader and runner share. Types only. */

export interface OfferDigest {
  readonly algorithm: "MD5" | "SHA256";
  /** Lower-case hex, 32 or 64 digits. */
  readonly hex: string;
}

/** What a report is about: the target version, and the module exactly as received (absent stays absent). */
export interface Task {
  readonly version: string;
  readonly module?: string;
  /** What the cloud calls this task, where it does. Opaque, and no part of the image's identity. */
  readonly id?: string;
  /** The file is only to be stored and proven, for a later task that installs it. */
  readonly fetchOnly?: boolean;
}

/** One pushed image. */
export interface Offer extends Task {
  /** Bytes; 0 = unknown. */
  readonly size: number;
  /** Absolute, passed on verbatim. */
  readonly url: string;
  readonly digest?: OfferDigest;
  /**
   * Name of the component that it updates, where that is not the firmware itself (RFC 9019): the component's installer
   * takes it.
   */
  readonly component?: string;
  /** A container that makes the same file, for devices that have a use for it. */
  readonly delta?: { readonly url: string; readonly size: number; readonly digest: OfferDigest };
}

/** Why a job failed, independent of the cloud; each platform has its own table of codes. */
export type Cause =
  /** No new sector for the whole stall budget. */
  | "download-timeout"
  /** HTTP 404, or an error document in place of the file. */
  | "not-found"
  /** HTTP 403 or 401, and asking for a fresh URL did not help. */
  | "url-expired"
  /** Any other download failure: wrong total, certificate, protocol. */
  | "download"
  /** What is in flash is not what was offered. */
  | "digest-mismatch"
  /**
   * Refused by policy before or after the download: too large, not an image, other chip, other product, unsigned,
   * downgrade.
   */
  | "rejected"
  /** Not signed by a trusted key. */
  | "signature"
  /** Flash does not hold what was written. */
  | "flash"
  /** The new firmware was tried and rolled back. */
  | "rolled-back";

export type Outcome =
  | { readonly kind: "done" }
  | {
      readonly kind: "fail";
      readonly cause: Cause;
      /** One line for people, at most 128 bytes of UTF-8. */
      readonly message: string;
    };
