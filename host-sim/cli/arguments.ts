/** Arguments that several commands share. */
import { InvalidArgumentError } from "commander";
import { hostName } from "../board/config/host-name";
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

/** A name or an address to listen on, or under which others reach this machine. */
export function hostArgument(text: string): string {
  try {
    return hostName(text, "an option of its own");
  } catch (error) {
    const { message } = error as Error;
    throw new InvalidArgumentError(`${message.charAt(0).toUpperCase()}${message.slice(1)}.`);
  }
}

/** A URL of scheme, host and port, in the form in which browsers write an origin (RFC 6454, section 6.1). */
export function originArgument(text: string): string {
  const wrong = (): never => {
    throw new InvalidArgumentError(
      "It is a URL without a path, such as https://ota.example.com or http://127.0.0.1:18080.",
    );
  };
  if (!/^\s*https?:\/\/[^/?#@]+\/?\s*$/i.test(text) || !URL.canParse(text)) return wrong();
  const url = new URL(text);
  url.hostname = url.hostname.replace(/\.$/, "");
  return url.origin;
}

/** Seconds awake and asleep. */
export function sleepArgument(text: string): { readonly awake: number; readonly asleep: number } {
  const match = /^([1-9][0-9]{0,4}),([1-9][0-9]{0,6})$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError(
      "It is AWAKE,ASLEEP: whole seconds that the board is awake at most, up to 99999, and asleep, such as 20,600.",
    );
  return { awake: Number(match[1]), asleep: Number(match[2]) };
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

export function countArgument(text: string): number {
  if (!/^[1-9][0-9]{0,6}$/.test(text)) throw new InvalidArgumentError("It is a whole number from 1 on.");
  return Number(text);
}
