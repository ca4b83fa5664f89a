/**
 * ESP-IDF's non-volatile storage in a partition of the simulated flash (nvs_storage.cpp), and on top of it the agent's
 * `Store`.
 *
 * A new value is written before the old one is struck out, so that a power cut leaves one of the two. What ESP-IDF's
 * mount would refuse is erased and begun anew, as its examples do.
 */
import type { LongStore } from "../../src/store/ab-record-store";
import { cobsDecode, cobsEncode } from "../../src/store/cobs";
import { concat, equalBytes, erased, getU16, getU32, setU32, u32 } from "./bytes";
import type { FlashChip } from "./flash-chip";
import { SECTOR_SIZE } from "./flash-chip";
import { BLOB_VERSIONS, NAMESPACES, NO_CHUNK, Type, VALUE_MAX } from "./nvs-format";
import type { Item } from "./nvs-format";
import type { NvsPage } from "./nvs-page";
import { NvsVersionError } from "./nvs-page";
import { NvsMountError, NvsPages } from "./nvs-pages";
import type { Partition } from "./partitions";

/** src/ports.ts, Store.setBytes, and the byte that src/store/ab-record-store.ts puts in front. */
const BYTES_MAX = 3_901;

interface Found {
  readonly page: NvsPage;
  readonly item: Item;
}

/** One namespace of an NVS partition. */
export class Nvs implements LongStore {
  readonly #namespaceName: string;
  readonly #pages: NvsPages;
  #namespace: number | undefined;

  /**
   * Mounts: reads every page and repairs what a power cut left behind. `mounted`: another namespace of the partition that
   * is in use already; two mounts would write over each other.
   */
  constructor(chip: FlashChip, partition: Partition, namespace: string, mounted?: Nvs) {
    this.#namespaceName = namespace;
    this.#pages = mounted === undefined ? mount(chip, partition) : mounted.#pages;
    this.#namespace = this.#findNamespace();
    this.#dropBrokenBlobs();
  }

  getNumber(key: string): number | undefined {
    const found = this.#find(Type.u32, key);
    return found === undefined ? undefined : getU32(found.page.data(found.item), 0);
  }

  setNumber(key: string, value: number): void {
    checkKey(key);
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
      throw new Error(`NVS ${key}: ${value} is not an unsigned 32-bit number`);
    if (this.getNumber(key) === value) return;
    this.#replace(Type.u32, key, u32(value));
  }

  /** nvs_get_u64. */
  getLong(key: string): number | undefined {
    const found = this.#find(Type.u64, key);
    if (found === undefined) return undefined;
    const data = found.page.data(found.item);
    const long = getU32(data, 4) * 2 ** 32 + getU32(data, 0);
    return Number.isSafeInteger(long) ? long : undefined;
  }

  /** nvs_set_u64. */
  setLong(key: string, value: number): void {
    checkKey(key);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new Error(`NVS ${key}: ${value} is not a whole number below 2^53`);
    if (this.getLong(key) === value) return;
    const data = new Uint8Array(8);
    setU32(data, 0, value);
    setU32(data, 4, Math.floor(value / 2 ** 32));
    this.#replace(Type.u64, key, data);
  }

  getBytes(key: string): Uint8Array | undefined {
    const stuffed = this.getString(key);
    return stuffed === undefined ? undefined : cobsDecode(stuffed);
  }

  /** As a string: a blob would not survive every power cut. */
  setBytes(key: string, bytes: Uint8Array): void {
    if (bytes.length > BYTES_MAX) throw new Error(`NVS ${key}: ${bytes.length} bytes, at most ${BYTES_MAX} are taken`);
    this.setString(key, cobsEncode(bytes));
  }

  delete(key: string): void {
    checkKey(key);
    for (const { page, item } of this.#all(key, (type) => type !== Type.blobData)) this.#erase(page, item);
  }

  /** nvs_get_str, without the zero byte at its end. */
  getString(key: string): Uint8Array | undefined {
    const found = this.#find(Type.string, key);
    return found?.page.value(found.item)?.subarray(0, -1);
  }

  /** nvs_set_str: `text` holds no zero byte. */
  setString(key: string, text: Uint8Array): void {
    checkKey(key);
    if (text.length >= VALUE_MAX || text.includes(0))
      throw new Error(`NVS ${key}: not a string of at most ${VALUE_MAX - 1} bytes`);
    const present = this.getString(key);
    if (present !== undefined && equalBytes(present, text)) return;
    this.#replace(Type.string, key, concat([text, new Uint8Array(1)]));
  }

  /** nvs_get_blob. */
  getBlob(key: string): Uint8Array | undefined {
    const index = this.#find(Type.blobIndex, key);
    if (index === undefined) return undefined;
    const { size, count, first } = blobIndex(index);
    const chunks: Uint8Array[] = [];
    for (let chunk = first; chunk < first + count; chunk++) {
      const found = this.#find(Type.blobData, key, chunk);
      const value = found?.page.value(found.item);
      if (value === undefined) break;
      chunks.push(value);
    }
    const bytes = concat(chunks);
    if (chunks.length === count && bytes.length === size) return bytes;
    this.#erase(index.page, index.item);
    return undefined;
  }

  /** nvs_set_blob. Not the agent's way to keep anything: see src/store/cobs.ts. */
  setBlob(key: string, bytes: Uint8Array): void {
    checkKey(key);
    if (bytes.length > BYTES_MAX) throw new Error(`NVS ${key}: ${bytes.length} bytes, at most ${BYTES_MAX} are taken`);
    const present = this.getBlob(key);
    if (present !== undefined && equalBytes(present, bytes)) return;
    const older = this.#all(key, (type) => type !== Type.blobData);
    const previous = older.find(({ item }) => item.type === Type.blobIndex);
    const version =
      previous !== undefined && blobIndex(previous).first === BLOB_VERSIONS[0] ? BLOB_VERSIONS[1] : BLOB_VERSIONS[0];
    this.#writeBlob(key, bytes, version);
    const index = this.#all(key, (type) => type === Type.blobIndex).find((found) => blobIndex(found).first === version);
    for (const { page, item } of this.#all(key, (type) => type !== Type.blobData)) {
      if (page !== index?.page || item !== index.item) this.#erase(page, item);
    }
  }

  /** Of what this namespace holds. */
  keys(): string[] {
    const own = this.#pages.pages.flatMap((page) => page.items.filter((item) => item.namespace === this.#namespace));
    return [...new Set(own.map((item) => item.key))];
  }

  #find(type: number, key: string, chunk = NO_CHUNK): Found | undefined {
    const namespace = this.#namespace;
    if (namespace === undefined) return undefined;
    for (const page of this.#pages.pages) {
      const item = page.find(
        (other) => other.key === key && other.type === type && other.namespace === namespace && other.chunk === chunk,
      );
      if (item !== undefined) return { page, item };
    }
    return undefined;
  }

  #all(key: string, fits: (type: number) => boolean): Found[] {
    return this.#pages.pages.flatMap((page) =>
      page.items
        .filter((item) => item.key === key && item.namespace === this.#namespace && fits(item.type))
        .map((item) => ({ page, item })),
    );
  }

  /** Writes a value of one item, then strikes out whatever else the key stood for. */
  #replace(type: number, key: string, value: Uint8Array): void {
    const namespace = (this.#namespace ??= this.#createNamespace());
    const page = this.#write(namespace, type, key, value, NO_CHUNK);
    const written = page.items.at(-1);
    for (const found of this.#all(key, (other) => other !== Type.blobData)) {
      if (found.page !== page || found.item !== written) this.#erase(found.page, found.item);
    }
  }

  /** Storage::writeItem: into the current page, or into a new one. */
  #write(namespace: number, type: number, key: string, value: Uint8Array, chunk: number): NvsPage {
    if (!this.#pages.current.write(namespace, type, key, value, chunk)) {
      this.#newPage(key);
      if (!this.#pages.current.write(namespace, type, key, value, chunk)) throw new Error(`NVS ${key}: no space`);
    }
    return this.#pages.current;
  }

  #newPage(key: string): void {
    if (this.#pages.current.state === "active") this.#pages.current.become("full");
    if (!this.#pages.turnOver()) throw new Error(`NVS ${key}: no space`);
  }

  /** Storage::writeMultiPageBlob: the chunks, then the index that makes them count. */
  #writeBlob(key: string, bytes: Uint8Array, version: number): void {
    const namespace = (this.#namespace ??= this.#createNamespace());
    const before = this.#pages.current.tailroom;
    if ((before < bytes.length || before === 0) && before < VALUE_MAX / 10) {
      this.#newPage(key);
      if (this.#pages.current.tailroom === before) throw new Error(`NVS ${key}: no space`);
    }
    let chunk = version;
    for (let done = 0, more = true; more; chunk++) {
      const room = this.#pages.current.tailroom;
      const count = Math.min(room, bytes.length - done);
      if (
        room === 0 ||
        !this.#pages.current.write(namespace, Type.blobData, key, bytes.subarray(done, done + count), chunk)
      ) {
        throw new Error(`NVS ${key}: no space`);
      }
      done += count;
      more = done < bytes.length;
      if (more || room - count < 32) this.#newPage(key);
    }
    const index = erased(8);
    setU32(index, 0, bytes.length);
    index[4] = chunk - version;
    index[5] = version;
    this.#write(namespace, Type.blobIndex, key, index, NO_CHUNK);
  }

  /**
   * Storage::eraseMultiPageBlob for a blob's index: the index first, its chunks are orphans then. Any other item:
   * itself.
   */
  #erase(page: NvsPage, item: Item): void {
    const { count, first } = item.type === Type.blobIndex ? blobIndex({ page, item }) : { count: 0, first: 0 };
    page.erase(item.index);
    for (let chunk = first; chunk < first + count; chunk++) {
      const found = this.#find(Type.blobData, item.key, chunk);
      if (found !== undefined) found.page.erase(found.item.index);
    }
  }

  #findNamespace(): number | undefined {
    for (const page of this.#pages.pages) {
      const item = page.find(
        (other) => other.namespace === NAMESPACES && other.type === Type.u8 && other.key === this.#namespaceName,
      );
      if (item !== undefined) return page.data(item)[0];
    }
    return undefined;
  }

  #createNamespace(): number {
    const taken = new Set<number>();
    for (const page of this.#pages.pages) {
      for (const item of page.items) if (item.namespace === NAMESPACES) taken.add(page.data(item)[0]!);
    }
    let number = 1;
    while (taken.has(number)) number++;
    if (number >= 255) throw new Error(`NVS: no room for namespace ${this.#namespaceName}`);
    this.#write(NAMESPACES, Type.u8, this.#namespaceName, Uint8Array.of(number), NO_CHUNK);
    return number;
  }

  /** Storage::eraseMismatchedBlobIndexes and eraseOrphanDataBlobs, in every namespace. */
  #dropBrokenBlobs(): void {
    const blobs: { index: Found; size: number; count: number; first: number }[] = [];
    const chunks: Found[] = [];
    for (const page of this.#pages.pages) {
      for (const item of page.items) {
        if (item.type === Type.blobIndex) blobs.push({ index: { page, item }, ...blobIndex({ page, item }) });
        else if (item.type === Type.blobData) chunks.push({ page, item });
      }
    }
    const owned = new Set<Found>();
    for (const { index, size, count, first } of blobs) {
      const { namespace, key } = index.item;
      const own = chunks.filter(
        ({ item }) =>
          item.namespace === namespace && item.key === key && item.chunk >= first && item.chunk < first + count,
      );
      const bytes = own.reduce((sum, { page, item }) => sum + getU16(page.data(item), 0), 0);
      if (own.length === count && bytes === size) for (const chunk of own) owned.add(chunk);
      else index.page.erase(index.item.index);
    }
    for (const chunk of chunks) if (!owned.has(chunk)) chunk.page.erase(chunk.item.index);
  }
}

function mount(chip: FlashChip, partition: Partition): NvsPages {
  try {
    return new NvsPages(chip, partition);
  } catch (error) {
    if (!(error instanceof NvsMountError || error instanceof NvsVersionError)) throw error;
  }
  for (let at = 0; at < partition.size; at += SECTOR_SIZE) chip.erase(partition.address + at);
  return new NvsPages(chip, partition);
}

function blobIndex({ page, item }: Found): { size: number; count: number; first: number } {
  const data = page.data(item);
  return { size: getU32(data, 0), count: data[4]!, first: data[5]! };
}

function checkKey(key: string): void {
  if (!/^[\x21-\x7e]{1,15}$/.test(key)) throw new Error(`NVS: "${key}" is not a key of 1 to 15 characters`);
}
