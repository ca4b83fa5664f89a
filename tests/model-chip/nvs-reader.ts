/**
 * A second reader of NVS partitions, written from ESP-IDF's programming guide ("Non-Volatile Storage Library,
 * Internals"). It shares no code with the model of the chip. It gives what a partition holds, and where it breaks the
 * format.
 */
export interface NvsContents {
  /** By key, in the named namespace: numbers, strings and blobs. */
  readonly values: Map<string, number | Buffer>;
  /** What breaks the format. */
  readonly complaints: string[];
  readonly freePages: number;
}

interface Page {
  readonly seq: number;
  readonly page: Buffer;
  /** Of the page in the partition. */
  readonly at: number;
}

interface Item {
  readonly entry: Buffer;
  readonly data: Buffer;
}

export function readNvs(partition: Buffer, namespace: string): NvsContents {
  const complaints: string[] = [];
  const { pages, freePages } = readPages(partition, complaints);
  const items = pages.flatMap((page) => readItems(page, complaints));
  return { values: readValues(items, namespace, complaints), complaints, freePages };
}

/** In the order of their writing. */
function readPages(partition: Buffer, complaints: string[]): { pages: Page[]; freePages: number } {
  const pages: Page[] = [];
  let freePages = 0;
  for (let at = 0; at < partition.length; at += 4096) {
    const page = partition.subarray(at, at + 4096);
    const state = page.readUInt32LE(0);
    // A page that is not initialized, or broken ("corrupt"), is free: it is erased before its next use.
    if (state === 0xffffffff || page.readUInt32LE(28) !== nvsCrc(page.subarray(4, 28))) {
      freePages++;
      continue;
    }
    if (state !== 0xfffffffe && state !== 0xfffffffc) complaints.push(`page ${at}: state ${state.toString(16)}`);
    if (page[8] !== 0xfe) complaints.push(`page ${at}: version ${page[8]}`);
    pages.push({ seq: page.readUInt32LE(4), page, at });
  }
  pages.sort((a, b) => a.seq - b.seq);
  if (freePages === 0) complaints.push("no free page");
  if (pages.slice(0, -1).some(({ page }) => page.readUInt32LE(0) === 0xfffffffe))
    complaints.push("an active page that is not the last");
  return { pages, freePages };
}

function readItems({ page, at }: Page, complaints: string[]): Item[] {
  const items: Item[] = [];
  for (let index = 0; index < 126;) {
    const bits = (page[32 + (index >> 2)]! >> ((index & 3) * 2)) & 3;
    const entry = page.subarray(64 + index * 32, 96 + index * 32);
    if (bits === 3 && !entry.every((byte) => byte === 0xff))
      complaints.push(`page ${at}, entry ${index}: empty, not blank`);
    if (bits === 1) complaints.push(`page ${at}, entry ${index}: illegal state`);
    if (bits !== 2) {
      index++;
      continue;
    }
    const sum = nvsCrc(Buffer.concat([entry.subarray(0, 4), entry.subarray(8)]));
    if (entry.readUInt32LE(4) !== sum) complaints.push(`page ${at}, entry ${index}: CRC`);
    const span = entry[2]!;
    const length = [0x21, 0x42].includes(entry[1]!) ? entry.readUInt16LE(24) : 0;
    const data = page.subarray(96 + index * 32, 96 + index * 32 + length);
    if (length > 0 && entry.readUInt32LE(28) !== nvsCrc(data)) complaints.push(`page ${at}, entry ${index}: data CRC`);
    for (let part = 1; part < span; part++) {
      if (((page[32 + ((index + part) >> 2)]! >> (((index + part) & 3) * 2)) & 3) !== 2)
        complaints.push(`page ${at}, entry ${index}: part ${part} missing`);
    }
    items.push({ entry, data });
    index += Math.max(1, span);
  }
  return items;
}

const keyOf = (entry: Buffer): string => entry.toString("latin1", 8, entry.indexOf(0, 8));

/** By key, in the named namespace. */
function readValues(items: readonly Item[], namespace: string, complaints: string[]): Map<string, number | Buffer> {
  const number = items.find(({ entry }) => entry[0] === 0 && entry[1] === 1 && keyOf(entry) === namespace)?.entry[24];
  const own = items.filter(({ entry }) => entry[0] === number);
  const values = new Map<string, number | Buffer>();
  for (const { entry, data } of own) {
    const key = keyOf(entry);
    if (entry[1] === 0x42) continue;
    if (values.has(key)) complaints.push(`${key} is there twice`);
    if (entry[1] === 0x04) values.set(key, entry.readUInt32LE(24));
    if (entry[1] === 0x21) values.set(key, data.subarray(0, -1));
    if (entry[1] !== 0x48) continue;
    const chunks = Array.from({ length: entry[28]! }, (_, chunk) =>
      own.find((item) => item.entry[1] === 0x42 && keyOf(item.entry) === key && item.entry[3] === entry[29]! + chunk),
    );
    const blob = Buffer.concat(chunks.map((chunk) => chunk?.data ?? Buffer.alloc(0)));
    if (chunks.includes(undefined) || blob.length !== entry.readUInt32LE(24))
      complaints.push(`${key}: blob is not whole`);
    values.set(key, blob);
  }
  return values;
}

/** CRC-32 bit by bit, begun with 0xFFFFFFFF in the convention of zlib. */
export function nvsCrc(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
