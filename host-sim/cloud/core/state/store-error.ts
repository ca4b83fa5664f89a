/** SQLITE_FULL (sqlite.org/rescode.html#full). */
const SQLITE_FULL = 13;

/** Something could not be kept. Its message is one line that anybody may see. */
export class StoreError extends Error {
  /** Insufficient Storage (RFC 4918, section 11.5). */
  readonly statusCode = 507;

  constructor(cause: unknown) {
    super(isDiskFull(cause) ? "the disk is full" : `the state can not be written: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** What the end or the beginning of it means, for people. `trouble`: the message of a `StoreError`. */
export function storageNews(trouble: string | undefined): string {
  return trouble === undefined
    ? "the state can be written again"
    : `${trouble}: nothing new is taken and no further device is asked until that is over`;
}

/** A file or a database could not be written for want of room. */
export function isDiskFull(error: unknown): boolean {
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || errcode === SQLITE_FULL;
}
