/**
 * Bytes to text and back, for the ASCII of HTTP. Plain loops over a few dozen bytes: XS has no TextDecoder, and
 * `String.fromCharCode(...bytes)` would put each byte on a stack of 384 slots.
 */

/** One character per byte (ISO 8859-1). Eight at a time: each concatenation allocates. */
export const latin1 = (bytes: Uint8Array, start: number, end: number): string => {
  let text = "";
  let at = start;
  for (; at + 8 <= end; at += 8) {
    text += String.fromCharCode(
      bytes[at]!,
      bytes[at + 1]!,
      bytes[at + 2]!,
      bytes[at + 3]!,
      bytes[at + 4]!,
      bytes[at + 5]!,
      bytes[at + 6]!,
      bytes[at + 7]!,
    );
  }
  for (; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return text;
};

/** Writes ASCII text to `into` from `at` on; returns where it ended. */
export const writeAscii = (text: string, into: Uint8Array, at: number): number => {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
  return at + text.length;
};

/**
 * The decimal number that `text` consists of from `start` to `end`, or -1: nothing else is accepted, nor more than 15
 * digits.
 */
export const decimal = (text: string, start = 0, end = text.length): number => {
  if (end <= start || end - start > 15) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
};

/**
 * The hexadecimal number that `text` consists of, or -1: at most 13 digits, which a JavaScript number holds exactly.
 */
export const hexadecimal = (text: string): number => {
  if (text.length === 0 || text.length > 13) return -1;
  let value = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const letter = code | 0x20;
    const digit = code >= 0x30 && code <= 0x39 ? code - 0x30 : letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
};

/** A message of the socket port, fit for a report: printable ASCII, not too long. */
export const oneLine = (message: string): string => {
  return message.replace(/[^ -~]+/g, " ").slice(0, 100);
};
