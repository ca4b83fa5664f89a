/**
 * One page of NVS, with ESP-IDF's order of flash operations and its repairs at mount (nvs_page.cpp): an entry is
 * programmed before its bits say so, an interrupted one is found by its first word and struck out, an item of several
 * entries counts only when all are there.
 */
import { erased, getU16, getU32, u32 } from "./bytes";
import type { FlashChip } from "./flash-chip";
import type { Item } from "./nvs-format";
import {
  ENTRIES,
  ENTRIES_OFFSET,
  ENTRY,
  Entry,
  FORMAT_VERSION,
  PageMark,
  TABLE_OFFSET,
  Type,
  VALUE_MAX,
  isVariable,
  itemEntry,
  nvsCrc,
  pageHeader,
  parseItem,
  variableData,
} from "./nvs-format";

export type PageState = "uninitialized" | "active" | "full" | "freeing" | "corrupt";

/** "No such entry", larger than every index. */
const NONE = Infinity;

/** NVS that a newer ESP-IDF wrote, ESP_ERR_NVS_NEW_VERSION_FOUND. */
export class NvsVersionError extends Error {}

export class NvsPage {
  state: PageState = "uninitialized";
  /** Meaningful while the page is active, full or freeing. */
  seq = 0;
  /** Entries that hold something. */
  used = 0;
  readonly #chip: FlashChip;
  readonly #address: number;
  /** The entries' bits as they are in flash. */
  readonly #table = erased(32);
  #nextFree = NONE;
  /** In the order of their indexes. */
  #items: Item[] = [];

  constructor(chip: FlashChip, address: number) {
    this.#chip = chip;
    this.#address = address;
  }

  get items(): readonly Item[] {
    return this.#items;
  }

  /** Page::load. `page`: room for one sector. Repairs what a power cut left behind. */
  load(page: Uint8Array): void {
    this.#chip.read(this.#address, page);
    const mark = getU32(page, 0);
    if (mark === PageMark.uninitialized) {
      this.state = isBlank(page) ? "uninitialized" : "corrupt";
      return;
    }
    this.state = "corrupt";
    if (getU32(page, 28) !== nvsCrc(page.subarray(4, 28))) return;
    if (page[8]! < FORMAT_VERSION) throw new NvsVersionError(`NVS page of version ${page[8]}`);
    const found = (["active", "full", "freeing"] as const).find((state) => PageMark[state] === mark);
    if (found === undefined) return;
    this.state = found;
    this.seq = getU32(page, 4);
    this.#table.set(page.subarray(TABLE_OFFSET, ENTRIES_OFFSET));
    for (let index = 0; index < ENTRIES; index++) if (this.#entry(index) === Entry.written) this.used++;
    if (found === "active") this.#loadActive(page);
    else this.#loadClosed(page);
  }

  /** Gives an uninitialized page its place in the order; written with its first item. */
  assign(seq: number): void {
    this.seq = seq;
  }

  /**
   * Page::writeItem. False: it does not fit this page. `value` is the whole value of a variable-length item, else the
   * entry's data field.
   */
  write(namespace: number, type: number, key: string, value: Uint8Array, chunk: number): boolean {
    if (this.state === "uninitialized") this.#initialize();
    if (this.state !== "active") return false;
    const variable = isVariable(type);
    const span = variable ? 1 + Math.ceil(value.length / ENTRY) : 1;
    if (this.#nextFree + span > ENTRIES) return false;
    const data = variable ? variableData(value) : value;
    this.#items.push({ index: this.#nextFree, namespace, type, span, chunk, key });
    this.#writeEntries(itemEntry(namespace, type, span, chunk, key, data));
    if (!variable) return true;
    const whole = value.length - (value.length % ENTRY);
    if (whole > 0) this.#writeEntries(value.subarray(0, whole));
    if (whole < value.length) {
      const tail = erased(ENTRY);
      tail.set(value.subarray(whole));
      this.#writeEntries(tail);
    }
    return true;
  }

  /** Page::findItem: the first item that `matches` and is still right in flash; one that is not is struck out. */
  find(matches: (item: Item) => boolean): Item | undefined {
    for (let place = 0; place < this.#items.length; place++) {
      const item = this.#items[place]!;
      if (!matches(item)) continue;
      if (parseItem(this.#readEntry(item.index), item.index) !== undefined) return item;
      this.erase(item.index);
      place--;
    }
    return undefined;
  }

  /** The data field of an item's entry. */
  data(item: Item): Uint8Array {
    return this.#readEntry(item.index).subarray(24, 32);
  }

  /**
   * Page::readItem of a variable-length item: undefined, and the item struck out, where the bytes do not match their
   * CRC.
   */
  value(item: Item): Uint8Array | undefined {
    const field = this.data(item);
    const value = new Uint8Array((item.span - 1) * ENTRY);
    if (value.length > 0) this.#chip.read(this.#entryAddress(item.index + 1), value);
    const bytes = value.subarray(0, getU16(field, 0));
    if (nvsCrc(bytes) === getU32(field, 4)) return bytes;
    this.erase(item.index);
    return undefined;
  }

  /** Page::eraseEntryAndSpan. */
  erase(index: number): void {
    let span = 1;
    if (this.#entry(index) === Entry.written) {
      const item = parseItem(this.#readEntry(index), index);
      this.#items = this.#items.filter((kept) => kept.index !== index);
      if (item === undefined) this.used--;
      else {
        span = item.span;
        for (let at = index; at < index + span; at++) if (this.#entry(at) === Entry.written) this.used--;
      }
    }
    this.#mark(index, index + span, Entry.erased);
    if (index + span > this.#nextFree) this.#nextFree = index + span;
  }

  /** Page::copyItems: everything, entry by entry. */
  copyTo(other: NvsPage): void {
    if (this.#items.length === 0) return;
    if (other.state === "uninitialized") other.#initialize();
    for (const item of this.#items) {
      other.#items.push({ ...item, index: other.#nextFree });
      for (let at = item.index; at < item.index + item.span; at++) other.#writeEntries(this.#readEntry(at));
    }
  }

  /** Page::erase: back to uninitialized. */
  wipe(): void {
    this.#chip.erase(this.#address);
    this.state = "uninitialized";
    this.used = 0;
    this.#table.fill(0xff);
    this.#nextFree = NONE;
    this.#items = [];
  }

  /** Clears the next bit of the state. */
  become(state: "full" | "freeing"): void {
    this.#chip.program(this.#address, u32(PageMark[state]));
    this.state = state;
  }

  /** Page::getVarDataTailroom: bytes of a blob that still fit here. */
  get tailroom(): number {
    if (this.state === "uninitialized") return VALUE_MAX;
    if (this.state !== "active") return 0;
    return this.#nextFree < ENTRIES - 1 ? (ENTRIES - this.#nextFree - 1) * ENTRY : 0;
  }

  #loadActive(page: Uint8Array): void {
    for (let index = 0; index < ENTRIES && this.#nextFree === NONE; index++) {
      if (this.#entry(index) === Entry.empty) this.#nextFree = index;
    }
    // A cut between an entry and its bits: the entry is not empty although the bits say so.
    while (this.#nextFree < ENTRIES && getU32(page, ENTRIES_OFFSET + this.#nextFree * ENTRY) !== 0xffffffff) {
      if (this.#entry(this.#nextFree) === Entry.written) this.used--;
      this.#mark(this.#nextFree, this.#nextFree + 1, Entry.erased);
      this.#nextFree++;
    }
    let last: Item | undefined;
    const end = Math.min(this.#nextFree, ENTRIES);
    for (let index = 0, span = 1; index < end; index += span) {
      span = 1;
      last = undefined;
      const state = this.#entry(index);
      if (state === Entry.erased) continue;
      const item = state === Entry.illegal ? undefined : parseItem(entryIn(page, index), index);
      if (item === undefined) {
        this.erase(index);
        continue;
      }
      span = item.span;
      const older = this.#items.find(
        (other) => other.namespace === item.namespace && other.chunk === item.chunk && other.key === item.key,
      );
      this.#items.push(item);
      if (!this.#complete(item)) {
        this.erase(index);
        continue;
      }
      if (older !== undefined) this.erase(older.index);
      last = item;
    }
    // ESP-IDF asks for the last item again, but for blob data without its chunk number: the older version's data is
    // then taken for a duplicate although its index still stands. Kept, because a real chip does it; see
    // src/store/cobs.ts.
    if (last?.type === Type.blobData) {
      const { namespace, key, index } = last;
      const first = this.#items.find(
        (item) => item.type === Type.blobData && item.namespace === namespace && item.key === key,
      );
      if (first !== undefined && first.index < index) this.erase(first.index);
    }
  }

  #loadClosed(page: Uint8Array): void {
    for (let index = 0; index < ENTRIES;) {
      if (this.#entry(index) !== Entry.written) {
        index++;
        continue;
      }
      const item = parseItem(entryIn(page, index), index);
      if (item === undefined) {
        this.erase(index++);
        continue;
      }
      this.#items.push(item);
      if (!this.#complete(item)) this.erase(index);
      index += item.span;
    }
  }

  #complete(item: Item): boolean {
    for (let at = item.index; at < item.index + item.span; at++) if (this.#entry(at) !== Entry.written) return false;
    return true;
  }

  #initialize(): void {
    this.#chip.program(this.#address, pageHeader(PageMark.active, this.seq));
    this.state = "active";
    this.#nextFree = 0;
  }

  #writeEntries(entries: Uint8Array): void {
    const count = entries.length / ENTRY;
    this.#chip.program(this.#entryAddress(this.#nextFree), entries);
    this.#mark(this.#nextFree, this.#nextFree + count, Entry.written);
    this.used += count;
    this.#nextFree += count;
  }

  #entryAddress(index: number): number {
    return this.#address + ENTRIES_OFFSET + index * ENTRY;
  }

  #readEntry(index: number): Uint8Array {
    const entry = new Uint8Array(ENTRY);
    this.#chip.read(this.#entryAddress(index), entry);
    return entry;
  }

  #entry(index: number): number {
    return (this.#table[index >> 2]! >> ((index & 3) * 2)) & 3;
  }

  /** Page::alterEntryRangeState: from the last entry to the first, one program for each word of 16 entries. */
  #mark(begin: number, end: number, state: number): void {
    for (let index = end - 1; index >= begin; index--) {
      const shift = (index & 3) * 2;
      this.#table[index >> 2] = (this.#table[index >> 2]! & ~(3 << shift)) | (state << shift);
      if (index === begin || index % 16 === 0) {
        const word = (index >> 4) * 4;
        this.#chip.program(this.#address + TABLE_OFFSET + word, this.#table.subarray(word, word + 4));
      }
    }
  }
}

function entryIn(page: Uint8Array, index: number): Uint8Array {
  return page.subarray(ENTRIES_OFFSET + index * ENTRY, ENTRIES_OFFSET + (index + 1) * ENTRY);
}

function isBlank(page: Uint8Array): boolean {
  for (let at = 0; at < page.length; at++) if (page[at] !== 0xff) return false;
  return true;
}
