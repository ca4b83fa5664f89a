/**
 * UTF-8 without TextEncoder, which XS does not have.
 *
 * Both directions go by whole code points: on XS indexing a string is a scan from its start (`charCodeAt` in a loop is
 * quadratic), and two halves of a surrogate pair joined later do not become one character.
 */

const REPLACEMENT = 0xfffd;
/** First byte of a character by the number of bytes that follow (RFC 3629, section 3). */
const LEAD: readonly number[] = Object.freeze([0, 0xc0, 0xe0, 0xf0]);
/** Code points joined at a time: they are arguments on the stack, and a chip's stack is small. */
const PIECE = 32;

/** Bytes that one code point beyond ASCII takes; a lone surrogate counts as U+FFFD, like everything here. */
const width = (point: number): number => {
  return point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
};

/** Length of `text` in bytes of UTF-8. */
export const utf8Length = (text: string): number => {
  let length = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    // Most text is ASCII, and a call costs more than the rest of the line.
    length += point < 0x80 ? 1 : width(point);
  }
  return length;
};

/** A lone surrogate becomes U+FFFD (WHATWG Encoding, "UTF-8 encoder"). */
export const encodeUtf8 = (text: string): Uint8Array => {
  // Most text is ASCII: it takes one pass, not one for its length and another.
  const bytes = new Uint8Array(text.length);
  let at = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    if (point >= 0x80) return encodeBeyondAscii(text);
    bytes[at++] = point;
  }
  return bytes;
};

const encodeBeyondAscii = (text: string): Uint8Array => {
  const bytes = new Uint8Array(utf8Length(text));
  encodeUtf8Into(text, bytes, 0);
  return bytes;
};

/** Writes `text` into `bytes` from index `at` on, where there must be room; returns the index behind it. */
export const encodeUtf8Into = (text: string, bytes: Uint8Array, at: number): number => {
  for (const character of text) {
    let point = character.codePointAt(0)!;
    if (point < 0x80) {
      bytes[at++] = point;
      continue;
    }
    if (point >= 0xd800 && point <= 0xdfff) point = REPLACEMENT;
    const tail = width(point) - 1;
    bytes[at++] = LEAD[tail]! | (point >> (6 * tail));
    for (let left = tail - 1; left >= 0; left--) bytes[at++] = 0x80 | ((point >> (6 * left)) & 0x3f);
  }
  return at;
};

/**
 * Malformed bytes become U+FFFD, one for each maximal broken part (WHATWG Encoding, "UTF-8 decoder"; no byte order mark
 * is removed).
 */
export const decodeUtf8 = (bytes: Uint8Array): string => {
  const pieces: string[] = [];
  let points: number[] = [];
  const { length } = bytes;
  let at = 0;
  while (at < length) {
    const lead = bytes[at++]!;
    let point = lead;
    if (lead >= 0x80) {
      const tail =
        lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
      point = tail ? lead & (0x3f >> tail) : REPLACEMENT;
      // The second byte has a narrower range where it would spell an overlong form, a surrogate or more than U+10FFFF.
      let lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      let highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      for (let left = tail; left > 0; left--) {
        const next = at < length ? bytes[at]! : -1;
        if (next < lowest || next > highest) {
          point = REPLACEMENT;
          break;
        }
        point = (point << 6) | (next & 0x3f);
        at++;
        lowest = 0x80;
        highest = 0xbf;
      }
    }
    points.push(point);
    if (points.length === PIECE) {
      pieces.push(String.fromCodePoint.apply(undefined, points));
      points = [];
    }
  }
  pieces.push(String.fromCodePoint.apply(undefined, points));
  return pieces.join("");
};

/** The longest beginning of `text` that takes at most `maxBytes` bytes of UTF-8 and cuts no character. */
export const truncateUtf8 = (text: string, maxBytes: number): string => {
  let bytes = 0;
  let units = 0;
  for (const character of text) {
    const point = character.codePointAt(0)!;
    bytes += point < 0x80 ? 1 : width(point);
    if (bytes > maxBytes) return text.slice(0, units);
    units += character.length;
  }
  return text;
};
