/**
 * A whole NVS partition with the strings of one namespace, byte for byte as ESP-IDF's nvs_partition_gen.py writes it:
 * full pages, one active page, the rest erased, of which the last is the page that NVS keeps free.
 */
import { erased, setU32 } from "./bytes";
import { SECTOR_SIZE } from "./flash-cells";
import {
  ENTRIES,
  ENTRIES_OFFSET,
  ENTRY,
  NAMESPACES,
  NO_CHUNK,
  PageMark,
  TABLE_OFFSET,
  Type,
  VALUE_MAX,
  itemEntry,
  pageHeader,
  variableData,
} from "./nvs-format";

/** Bytes of a string in NVS, without the zero at its end. */
export const STRING_MAX = VALUE_MAX - 1;
/** Characters of a key, and of a namespace. */
export const KEY_MAX = 15;
/** The number of the only namespace. */
const FIRST = 1;

export interface NvsImage {
  readonly bytes: Uint8Array;
  /** Entries of 32 bytes that hold something. */
  readonly used: number;
  /** Pages that were begun. */
  readonly pages: number;
}

/**
 * `size`: bytes of the partition. Throws one line with the sizes where the strings do not fit, and the key of a string
 * that is too long or holds a zero byte.
 */
export function nvsImage(size: number, namespace: string, strings: ReadonlyMap<string, Uint8Array>): NvsImage {
  const bytes = erased(size);
  // One page stays free: NVS copies into it when it makes room.
  const pages = size / SECTOR_SIZE - 1;
  let page = -1;
  let next = ENTRIES;
  let used = 0;
  const begin = (): void => {
    if (page >= 0) setU32(bytes, page * SECTOR_SIZE, PageMark.full);
    if (++page >= pages)
      throw new Error(`the settings do not fit: nvs has ${size} bytes, of which ${pages * SECTOR_SIZE} can be filled`);
    bytes.set(pageHeader(PageMark.active, page), page * SECTOR_SIZE);
    next = 0;
  };
  const write = (entries: readonly Uint8Array[], span: number): void => {
    // The generator never fills the last entry; only a string that needs a whole page takes it.
    if (next + span >= ENTRIES && !(next === 0 && span === ENTRIES)) begin();
    let at = page * SECTOR_SIZE + ENTRIES_OFFSET + next * ENTRY;
    for (const part of entries) {
      bytes.set(part, at);
      at += part.length;
    }
    for (let index = next; index < next + span; index++)
      bytes[page * SECTOR_SIZE + TABLE_OFFSET + (index >> 2)]! &= ~(1 << ((index & 3) * 2));
    next += span;
    used += span;
  };
  checkKey("namespace", namespace);
  write([itemEntry(NAMESPACES, Type.u8, 1, NO_CHUNK, namespace, Uint8Array.of(FIRST))], 1);
  for (const [key, text] of strings) {
    checkKey("key", key);
    if (text.length > STRING_MAX) throw new Error(`${key}: ${text.length} bytes, NVS takes at most ${STRING_MAX}`);
    if (text.includes(0)) throw new Error(`${key}: a zero byte, which a string in NVS can not hold`);
    const value = new Uint8Array(text.length + 1);
    value.set(text);
    const span = 1 + Math.ceil(value.length / ENTRY);
    write([itemEntry(FIRST, Type.string, span, NO_CHUNK, key, variableData(value)), value], span);
  }
  return { bytes, used, pages: page + 1 };
}

function checkKey(what: string, key: string): void {
  if (!/^[\x21-\x7e]{1,15}$/.test(key)) throw new Error(`NVS: "${key}" is no ${what} of 1 to ${KEY_MAX} characters`);
}
