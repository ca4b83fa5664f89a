import type { Command } from "commander";
import { fileReason } from "../board/config/file-errors";
import { isDiskFull } from "../cloud/core/state/store-error";

/** Runs a command's work; what it throws becomes one line on stderr and exit code 1. */
export function orFail<Arguments extends unknown[]>(work: (...args: Arguments) => Promise<void> | void) {
  return async (...args: [...Arguments, Command]): Promise<void> => {
    const command = args.at(-1) as Command;
    try {
      await work(...(args.slice(0, -1) as unknown as Arguments));
    } catch (error) {
      command.error(`error: ${oneLine(error)}`);
    }
  };
}

function oneLine(error: unknown): string {
  const { code, message, syscall, path } = error as NodeJS.ErrnoException;
  if (isDiskFull(error)) return path === undefined ? "the disk is full" : `${path}: the disk is full`;
  // Of a file that nobody named better.
  if (syscall !== undefined && path !== undefined) return `${path}: ${fileReason(error)}`;
  const text = message || code || String(error);
  return text.split("\n", 1)[0]!;
}
