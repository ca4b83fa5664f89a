/** Lower-case hex, two digits for each byte. */
export const toHex = (bytes: Uint8Array): string => {
  let text = "";
  bytes.forEach((byte) => (text += (byte < 16 ? "0" : "") + byte.toString(16)));
  return text;
};

/** Bytes of an even number of hex digits of either case; throws a `RangeError` for anything else. */
export const fromHex = (text: string): Uint8Array => {
  if (text.length % 2 !== 0) throw new RangeError(`hex: odd number of digits (${text.length})`);
  if (!/^[0-9a-f]*$/i.test(text)) throw new RangeError("hex: a character is not a hex digit");
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
};
