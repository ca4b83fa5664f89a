import { decodeUtf8, encodeUtf8 } from "./utf8";

/** Not JSON, or nested too deeply. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Without a byte order mark in front (RFC 8259, section 8.1, lets a parser skip it) and without NUL bytes around:
 * senders in C count the end of their string as part of the message.
 */
const trimmed = (bytes: Uint8Array): Uint8Array => {
  let start = 0;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  while (start < end && bytes[start] === 0) start++;
  if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) start += 3;
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
};

/**
 * Greatest depth of nesting that a parser would reach. Strings are skipped by JSON's own rules, so the parser never
 * goes deeper than this says.
 */
const depth = (bytes: Uint8Array): number => {
  let open = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    // "[" 5B and "{" 7B, "]" 5D and "}" 7D differ in one bit only.
    else if ((byte | 0x20) === 0x7b) deepest = Math.max(deepest, ++open);
    else if ((byte | 0x20) === 0x7d) open--;
  }
  return deepest;
};

/**
 * Parses JSON from UTF-8 bytes or text. Nesting deeper than `maxDepth` is refused before the engine's parser, which
 * is recursive, sees it. Throws `JsonError`, nothing else.
 */
export const parseJson = (input: Uint8Array | string, maxDepth: number): unknown => {
  const bytes = typeof input === "string" ? encodeUtf8(input) : trimmed(input);
  const text = typeof input === "string" ? input : decodeUtf8(bytes);
  if (depth(bytes) > maxDepth) throw new JsonError(`nested deeper than ${maxDepth}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new JsonError("not JSON");
  }
};

export type JsonObject = { readonly [key: string]: unknown };

/** `value` as an object, or undefined for everything else, arrays and null included. */
export const asObject = (value: unknown): JsonObject | undefined => {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
};

/** An own member: no sender can name an inherited one. */
export const member = (object: JsonObject, key: string): unknown => {
  return Object.prototype.hasOwnProperty.call(object, key) ? object[key] : undefined;
};

/** A string member. */
export const stringMember = (object: JsonObject, key: string): string | undefined => {
  const value = member(object, key);
  return typeof value === "string" ? value : undefined;
};

/**
 * A member that is a whole number, or a string of decimal digits with an optional sign: clouds send both for the same
 * field.
 */
export const integerMember = (object: JsonObject, key: string): number | undefined => {
  const value = member(object, key);
  const number = typeof value === "string" && /^-?[0-9]{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
};
