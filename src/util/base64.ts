const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * Decodes standard base64 with its padding (RFC 4648, section 4): no white space, no URL alphabet. Throws a
 * `RangeError` that never shows the text, which is often a secret. Bits beyond the last byte are ignored: some
 * platforms issue secrets that have bits there, and other decoders accept them.
 */
export const decodeBase64 = (text: string): Uint8Array => {
  if (text.length % 4 !== 0) throw new RangeError(`base64: ${text.length} characters, not a multiple of 4`);
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array((digits * 3) >> 2);
  let bits = 0;
  let held = 0;
  let at = 0;
  let position = 0;
  for (const character of text) {
    if (position === digits) break;
    const value = ALPHABET.indexOf(character);
    if (value < 0) throw new RangeError(`base64: character ${position + 1} is not in the alphabet A-Z a-z 0-9 + /`);
    position++;
    bits = ((bits << 6) | value) & 0xfff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = (bits >> held) & 0xff;
    }
  }
  return bytes;
};

/** Encodes by RFC 4648, section 4. */
export const encodeBase64 = (bytes: Uint8Array): string => {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const left = bytes.length - at;
    text +=
      ALPHABET[bits >> 18]! +
      ALPHABET[(bits >> 12) & 63]! +
      (left > 1 ? ALPHABET[(bits >> 6) & 63]! : "=") +
      (left > 2 ? ALPHABET[bits & 63]! : "=");
  }
  return text;
};
