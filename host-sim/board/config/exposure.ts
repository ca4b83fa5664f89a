import { statSync } from "node:fs";

/**
 * A file with a secret that others on this machine may read or write: one line that says so. Windows has no such bits.
 */
export function exposure(path: string): string | undefined {
  const exposed = process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0;
  return exposed ? `${path} holds a secret that others may read: chmod 600 is better` : undefined;
}
