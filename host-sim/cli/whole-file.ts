/** Files that the command makes: whole, or not at all. */
import { randomBytes } from "node:crypto";
import { accessSync, constants, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileReason } from "../board/config/file-errors";

/**
 * Replaces the file by a rename, so that an interruption or a full disk leaves what was there. A link stays one, and its
 * target is replaced. A device or a pipe is written as it is. Throws one line; nothing half made stays then.
 */
export function writeWhole(path: string, bytes: Uint8Array): void {
  let next: string | undefined;
  try {
    const before = statSync(path, { throwIfNoEntry: false });
    if (before !== undefined && !before.isFile()) return writeFileSync(path, bytes);
    const target = before === undefined ? path : realpathSync(path);
    // A rename would replace a file that is not to be written.
    if (before !== undefined) accessSync(target, constants.W_OK);
    // A name of its own: the process id of another container may be the same.
    next = join(dirname(target), `.xs-ota-${randomBytes(6).toString("hex")}.tmp`);
    writeFileSync(next, bytes, { flag: "wx", ...(before === undefined ? {} : { mode: before.mode }) });
    renameSync(next, target);
  } catch (error) {
    if (next !== undefined) rmSync(next, { force: true });
    throw new Error(`${path} can not be written: ${fileReason(error)}`, { cause: error });
  }
}

/** A new file for its owner alone. Throws one line, with nothing left over, if it exists or can not be written. */
export function writeSecret(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === "EEXIST";
    if (!exists) rmSync(path, { force: true });
    throw new Error(
      exists
        ? `${path} exists already; a key is never overwritten`
        : `${path} can not be written: ${fileReason(error)}`,
      { cause: error },
    );
  }
}
