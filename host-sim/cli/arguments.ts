/** Arguments that several commands share. */
import { InvalidArgumentError } from "commander";
import { PACKAGE_MAX } from "../cloud/core/files/package-writer";

/** Fits the firmware block (31 characters) and, as printable ASCII without quotes or spaces, every cloud's report. */
const VERSION = /^[0-9A-Za-z][0-9A-Za-z.+_-]{0,30}$/;

export function versionArgument(text: string): string {
  if (!VERSION.test(text))
    throw new InvalidArgumentError(
      "A version has 1 to 31 letters, digits, dots, plus, minus and underscores, such as 0.2.0.",
    );
  return text;
}

/** Length of a firmware file: no more than the local cloud takes. */
export function bytesArgument(text: string): number {
  if (!/^[1-9][0-9]{0,9}$/.test(text) || Number(text) > PACKAGE_MAX)
    throw new InvalidArgumentError(`It is a whole number of bytes, at most ${PACKAGE_MAX}.`);
  return Number(text);
}

export function secondsArgument(text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) throw new InvalidArgumentError("It is a whole number of seconds.");
  return Number(text);
}
