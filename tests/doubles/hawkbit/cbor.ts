/**
 * CBOR as the server writes it (fact 12, trap 19): maps of indefinite length, and links as a list under another name
 * than in JSON.
 */
type Json = Record<string, unknown>;

/** The outermost map has a list of links even where the document has none. */
export function toCbor(document: Json): Uint8Array {
  return Buffer.concat(encode({ ...document, _links: document["_links"] ?? {} }));
}

function encode(value: unknown): Uint8Array[] {
  if (Array.isArray(value)) return [head(0x80, value.length), ...value.flatMap(encode)];
  if (typeof value === "object" && value !== null) return encodeMap(value as Json);
  if (typeof value === "number") return [value < 0 ? head(0x20, -1 - value) : head(0, value)];
  if (typeof value === "boolean") return [Uint8Array.of(value ? 0xf5 : 0xf4)];
  const text = Buffer.from(String(value));
  return [head(0x60, text.length), text];
}

function encodeMap({ _links, ...rest }: Json): Uint8Array[] {
  const entries = Object.entries(rest);
  if (_links !== undefined)
    entries.push(["links", Object.entries(_links as Json).map(([rel, link]) => ({ rel, ...(link as Json) }))]);
  return [
    Uint8Array.of(0xbf),
    ...entries.flatMap(([key, each]) => [...encode(key), ...encode(each)]),
    Uint8Array.of(0xff),
  ];
}

function head(major: number, count: number): Uint8Array {
  if (count < 24) return Uint8Array.of(major | count);
  if (count < 0x100) return Uint8Array.of(major | 24, count);
  if (count < 0x10000) return Uint8Array.of(major | 25, count >> 8, count & 0xff);
  return Uint8Array.of(major | 26, count >>> 24, (count >> 16) & 0xff, (count >> 8) & 0xff, count & 0xff);
}
