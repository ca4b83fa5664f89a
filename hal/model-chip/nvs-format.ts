/**
 * The bytes of ESP-IDF's non-volatile storage: pages of one sector, entries of 32 bytes.
 *
 *   page:  state u32 | seq u32 | version u8 | 0xFF x 19 | crc u32 (of seq .. before crc)   header, 32 bytes
 *          2 bits for each of 126 entries, 32 bytes
 *          126 entries
 *   item:  namespace u8 | type u8 | span u8 | chunk u8 | crc u32 | key[16] | data[8]       crc leaves itself out
 *          data of a variable-length item: size u16 | 0xFFFF | crc u32 of the bytes, which follow in span - 1 entries
 *          data of a blob index: size u32 | chunk count u8 | first chunk u8 | 0xFFFF
 *
 * Sources: ESP-IDF "NVS internals" (docs/en/api-reference/storage/nvs_flash.rst), nvs_page.hpp, nvs_types.hpp,
 * nvs_types.cpp.
 */
import { crc32 } from "../../src/util/crc32";
import { erased, getText, getU16, getU32, setText, setU16, setU32 } from "./bytes";

export const ENTRY = 32;
export const ENTRIES = 126;
export const TABLE_OFFSET = 32;
export const ENTRIES_OFFSET = 64;
/** Page::CHUNK_MAX_SIZE: what fits one page beside the item's own entry. */
export const VALUE_MAX = (ENTRIES - 1) * ENTRY;
/** Page::NVS_VERSION; versions count down. */
export const FORMAT_VERSION = 0xfe;

/** Page::PageState. A page walks down this list, clearing one bit at a time. */
export const PageMark = {
  uninitialized: 0xffffffff,
  active: 0xfffffffe,
  full: 0xfffffffc,
  freeing: 0xfffffff8,
} as const;

/** Page::EntryState, the two bits of an entry. */
export const Entry = { empty: 3, written: 2, illegal: 1, erased: 0 } as const;

/** nvs::ItemType. */
export const Type = {
  u8: 0x01,
  i8: 0x11,
  u16: 0x02,
  i16: 0x12,
  u32: 0x04,
  i32: 0x14,
  u64: 0x08,
  i64: 0x18,
  string: 0x21,
  oldBlob: 0x41,
  blobData: 0x42,
  blobIndex: 0x48,
} as const;

/** Item::CHUNK_ANY: the chunk number of everything that is no blob data. */
export const NO_CHUNK = 0xff;
/** VerOffset: first chunk number of the two versions of a blob, used in turn. */
export const BLOB_VERSIONS = [0x00, 0x80] as const;
/** Page::NS_INDEX: the namespace of the namespaces' names. */
export const NAMESPACES = 0;

export interface Item {
  /** Its first entry in the page. */
  readonly index: number;
  readonly namespace: number;
  readonly type: number;
  /** Entries it takes, this one included. */
  readonly span: number;
  readonly chunk: number;
  readonly key: string;
}

export function isVariable(type: number): boolean {
  return type === Type.string || type === Type.blobData || type === Type.oldBlob;
}

/** Item::calculateCrc32 and the checksum of the page header: esp_rom_crc32_le that begins with 0xFFFFFFFF. */
export function nvsCrc(bytes: Uint8Array, previous = 0xffffffff): number {
  return crc32(bytes, previous);
}

function itemCrc(entry: Uint8Array): number {
  return nvsCrc(entry.subarray(8, ENTRY), nvsCrc(entry.subarray(0, 4)));
}

/** An item's first entry. `data`: its 8 bytes or fewer; the rest stays 0xFF. */
export function itemEntry(
  namespace: number,
  type: number,
  span: number,
  chunk: number,
  key: string,
  data: Uint8Array,
): Uint8Array {
  const entry = erased(ENTRY);
  entry[0] = namespace;
  entry[1] = type;
  entry[2] = span;
  entry[3] = chunk;
  entry.fill(0, 8, 24);
  setText(entry, 8, key);
  entry.set(data, 24);
  setU32(entry, 4, itemCrc(entry));
  return entry;
}

/** Item::checkHeaderConsistency: undefined for what is no item that could stand at this place of a page. */
export function parseItem(entry: Uint8Array, index: number): Item | undefined {
  if (getU32(entry, 4) !== itemCrc(entry)) return undefined;
  const type = entry[1]!;
  const span = entry[2]!;
  const chunk = entry[3]!;
  if (isVariable(type)) {
    const size = getU16(entry, 24);
    if (span !== 1 + Math.ceil(size / ENTRY) || index + span > ENTRIES) return undefined;
    if (type === Type.blobData && chunk === NO_CHUNK) return undefined;
  } else {
    if (!Object.values(Type).includes(type as never) || span !== 1) return undefined;
    if (type === Type.blobIndex && chunk !== NO_CHUNK) return undefined;
  }
  return { index, namespace: entry[0]!, type, span, chunk, key: getText(entry, 8, 16) };
}

export function pageHeader(mark: number, seq: number): Uint8Array {
  const header = erased(32);
  setU32(header, 0, mark);
  setU32(header, 4, seq);
  header[8] = FORMAT_VERSION;
  setU32(header, 28, nvsCrc(header.subarray(4, 28)));
  return header;
}

/** The data field of a variable-length item. */
export function variableData(value: Uint8Array): Uint8Array {
  const data = erased(8);
  setU16(data, 0, value.length);
  setU32(data, 4, nvsCrc(value));
  return data;
}
