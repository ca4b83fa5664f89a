/**
 * The partition table: read from the very CSV files that the firmware is built with, kept in flash at 0x8000 in
 * ESP-IDF's binary format ("Partition Tables" in the ESP-IDF programming guide; gen_esp32part.py).
 */
import { md5 } from "../../src/vendor/js-md5";
import { equalBytes, getText, getU16, getU32, setText } from "./bytes";
import type { FlashChip } from "./flash-chip";
import { SECTOR_SIZE, hex } from "./flash-chip";

/** CONFIG_PARTITION_TABLE_OFFSET, and the sector the table has for itself. */
export const TABLE_ADDRESS = 0x8000;
/** ESP_PARTITION_TABLE_MAX_LEN (esp_flash_partitions.h). */
export const TABLE_LENGTH = 0xc00;
const ENTRY = 32;
/** ESP_PARTITION_MAGIC and ESP_PARTITION_MAGIC_MD5, as they lie in flash. */
const ENTRY_MAGIC = 0x50aa;
const MD5_MAGIC = 0xebeb;
/** App partitions begin at a page of the flash cache (gen_esp32part.py, ALIGNMENT). */
const APP_ALIGNMENT = 0x10000;

/** Types and subtypes (esp_partition_type_t, esp_partition_subtype_t). */
export const APP = 0;
export const DATA = 1;
export const OTADATA = 0;
export const NVS = 2;
export const NVS_KEYS = 4;
const OTA_0 = 0x10;
const OTA_15 = 0x1f;
/** Data subtypes below are ESP-IDF's own: boot choice, PHY, NVS, core dump, NVS keys, eFuse. */
const FREE_SUBTYPE = 6;

const TYPES: Readonly<Record<string, number>> = { app: APP, data: DATA };
const SUBTYPES: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  [APP]: {
    factory: 0,
    ...Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`ota_${index}`, OTA_0 + index])),
    test: 0x20,
  },
  [DATA]: {
    ota: OTADATA,
    phy: 1,
    nvs: NVS,
    coredump: 3,
    nvs_keys: NVS_KEYS,
    efuse: 5,
    undefined: 6,
    fat: 0x81,
    spiffs: 0x82,
    littlefs: 0x83,
  },
};

export interface Partition {
  readonly label: string;
  readonly type: number;
  readonly subtype: number;
  readonly address: number;
  /** Bytes. */
  readonly size: number;
}

/** A table that a board with two equal slots can run from; nothing else becomes one. */
export class PartitionTable {
  readonly partitions: readonly Partition[];
  readonly nvs: Partition;
  readonly otadata: Partition;
  /** ota_0 and ota_1: equal in size. */
  readonly slots: readonly [Partition, Partition];

  private constructor(partitions: readonly Partition[], flashSize: number) {
    checkEach(partitions, flashSize);
    this.partitions = partitions;
    this.nvs = theOne(partitions, DATA, NVS, "nvs");
    this.otadata = theOne(partitions, DATA, OTADATA, "otadata");
    this.slots = [theOne(partitions, APP, OTA_0, "ota_0"), theOne(partitions, APP, OTA_0 + 1, "ota_1")];
    if (this.otadata.size !== 2 * SECTOR_SIZE)
      throw new Error(`partition otadata: ${this.otadata.size} bytes, must be ${2 * SECTOR_SIZE}`);
    if (this.nvs.size < 3 * SECTOR_SIZE)
      throw new Error(`partition nvs: ${this.nvs.size} bytes, NVS needs at least ${3 * SECTOR_SIZE}`);
    const [a, b] = this.slots;
    if (a.size !== b.size) throw new Error(`the slots are not equal: ota_0 has ${a.size} bytes, ota_1 ${b.size}`);
    for (const partition of partitions) {
      if (partition.type !== APP || this.slots.includes(partition)) continue;
      throw new Error(
        `partition ${partition.label}: this board has two slots, ota_0 and ota_1, and no other app partition`,
      );
    }
  }

  /** `text`: a partitions.csv. Throws an Error that names the line or the partition. */
  static fromCsv(text: string, flashSize: number): PartitionTable {
    return new PartitionTable(partitionsOfCsv(text, flashSize), flashSize);
  }

  /** From the bytes at `TABLE_ADDRESS`. Throws an Error that says what is wrong with them. */
  static fromBinary(bytes: Uint8Array, flashSize: number): PartitionTable {
    return new PartitionTable(partitionsOfBinary(bytes, true), flashSize);
  }

  /** Addresses of the app partitions in a table of any kind. None where `bytes` do not begin with a table. */
  static appsIn(bytes: Uint8Array): number[] {
    return entriesOf(bytes)
      .partitions.filter(({ type }) => type === APP)
      .map(({ address }) => address);
  }

  /** From the table in a chip. */
  static read(chip: FlashChip): PartitionTable {
    if (chip.size < TABLE_ADDRESS + SECTOR_SIZE) throw new Error("no partition table in flash");
    const bytes = new Uint8Array(TABLE_LENGTH);
    chip.read(TABLE_ADDRESS, bytes);
    return PartitionTable.fromBinary(bytes, chip.size);
  }

  toBinary(): Uint8Array {
    return tableOfPartitions(this.partitions);
  }

  /** Where the last partition ends, bytes from the start of flash. */
  get end(): number {
    return Math.max(...this.partitions.map(({ address, size }) => address + size));
  }

  /** Undefined if there is none of that name. */
  find(label: string): Partition | undefined {
    return this.partitions.find((partition) => partition.label === label);
  }

  /** A data partition that the application may fill as it likes. Throws where there is none of that name. */
  data(label: string): Partition {
    const found = this.find(label);
    if (found === undefined || found.type !== DATA) throw new Error(`no data partition ${label}`);
    if (found.subtype < FREE_SUBTYPE) throw new Error(`partition ${label} is the system's own`);
    return found;
  }
}

/** ota_0, ota_1, ..., of a table of any kind, in their order. */
export function otaSlotsOf(partitions: readonly Partition[]): Partition[] {
  return partitions
    .filter(({ type, subtype }) => type === APP && subtype >= OTA_0 && subtype <= OTA_15)
    .sort((a, b) => a.subtype - b.subtype);
}

/** The lines of a partitions.csv, whether or not a board with two slots can run from them. Throws naming the line. */
export function partitionsOfCsv(text: string, flashSize: number): Partition[] {
  const partitions: Partition[] = [];
  let next = TABLE_ADDRESS + SECTOR_SIZE;
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = raw.replace(/#.*/, "").trim();
    if (line === "") return;
    const at = `partition table, line ${index + 1}`;
    const [label = "", type = "", subtype = "", offset = "", size = ""] = line.split(",").map((field) => field.trim());
    if (!/^[\x21-\x7e]{1,16}$/.test(label)) throw new Error(`${at}: "${label}" is not a label of 1 to 16 characters`);
    const typeCode = number(type, TYPES, `${at}: type`, 0xfe);
    const alignment = typeCode === APP ? APP_ALIGNMENT : SECTOR_SIZE;
    const address =
      offset === "" ? Math.ceil(next / alignment) * alignment : number(offset, {}, `${at}: offset`, flashSize);
    const partition = {
      label,
      type: typeCode,
      subtype: number(subtype, SUBTYPES[typeCode] ?? {}, `${at}: subtype`, 0xfe),
      address,
      size: number(size, {}, `${at}: size`, flashSize),
    };
    partitions.push(partition);
    next = partition.address + partition.size;
  });
  return partitions;
}

/**
 * The same of the bytes at `TABLE_ADDRESS`. Throws where there is no table, or its MD5 does not match. Moddable's builds
 * have none (CONFIG_PARTITION_TABLE_MD5), unless `strict` asks for one.
 */
export function partitionsOfBinary(bytes: Uint8Array, strict = false): readonly Partition[] {
  const { partitions, end } = entriesOf(bytes);
  if (partitions.length === 0) throw new Error("no partition table in flash");
  const behind = bytes.subarray(end, Math.min(end + ENTRY, TABLE_LENGTH));
  const hasDigest = behind.length === ENTRY && getU16(behind, 0) === MD5_MAGIC;
  if (!hasDigest && strict) throw new Error("partition table in flash: no MD5 entry at its end");
  if (!hasDigest && behind.some((byte) => byte !== 0xff))
    throw new Error("partition table in flash: rubbish behind its last entry");
  if (hasDigest && !equalBytes(digest(bytes.subarray(0, end)), behind.subarray(16)))
    throw new Error("partition table in flash: MD5 does not match");
  return partitions;
}

/** The bytes at `TABLE_ADDRESS`, as gen_esp32part.py makes them. */
export function tableOfPartitions(partitions: readonly Partition[]): Uint8Array {
  const bytes = new Uint8Array(TABLE_LENGTH).fill(0xff);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const partition of partitions) {
    bytes.fill(0, at, at + ENTRY);
    view.setUint16(at, ENTRY_MAGIC, true);
    bytes[at + 2] = partition.type;
    bytes[at + 3] = partition.subtype;
    view.setUint32(at + 4, partition.address, true);
    view.setUint32(at + 8, partition.size, true);
    setText(bytes, at + 12, partition.label);
    at += ENTRY;
  }
  view.setUint16(at, MD5_MAGIC, true);
  bytes.set(digest(bytes.subarray(0, at)), at + 16);
  return bytes;
}

/** The partitions that `bytes` begin with, and the offset behind them. */
function entriesOf(bytes: Uint8Array): { readonly partitions: readonly Partition[]; readonly end: number } {
  const partitions: Partition[] = [];
  let at = 0;
  for (; at + ENTRY <= Math.min(bytes.length, TABLE_LENGTH) && getU16(bytes, at) === ENTRY_MAGIC; at += ENTRY) {
    partitions.push({
      label: getText(bytes, at + 12, 16),
      type: bytes[at + 2]!,
      subtype: bytes[at + 3]!,
      address: getU32(bytes, at + 4),
      size: getU32(bytes, at + 8),
    });
  }
  return { partitions, end: at };
}

function checkEach(partitions: readonly Partition[], flashSize: number): void {
  if (partitions.length > TABLE_LENGTH / ENTRY - 1)
    throw new Error(`${partitions.length} partitions do not fit the table`);
  const sorted = [...partitions].sort((a, b) => a.address - b.address);
  let end = TABLE_ADDRESS + SECTOR_SIZE;
  let before = "the partition table";
  for (const { label, type, address, size } of sorted) {
    const alignment = type === APP ? APP_ALIGNMENT : SECTOR_SIZE;
    if (address % alignment !== 0)
      throw new Error(`partition ${label}: address ${hex(address)} is not a multiple of ${hex(alignment)}`);
    if (size === 0 || size % SECTOR_SIZE !== 0)
      throw new Error(`partition ${label}: size ${hex(size)} is not a multiple of ${hex(SECTOR_SIZE)}`);
    if (address < end)
      throw new Error(`partition ${label} at ${hex(address)} overlaps ${before}, which ends at ${hex(end)}`);
    if (address + size > flashSize)
      throw new Error(`partition ${label} ends at ${hex(address + size)}, the flash at ${hex(flashSize)}`);
    if (sorted.some((other) => other.label === label && other.address !== address))
      throw new Error(`two partitions are called ${label}`);
    end = address + size;
    before = label;
  }
}

function theOne(partitions: readonly Partition[], type: number, subtype: number, what: string): Partition {
  const found = partitions.filter((partition) => partition.type === type && partition.subtype === subtype);
  if (found.length !== 1)
    throw new Error(`partition table: ${found.length === 0 ? "no" : "more than one"} ${what} partition`);
  return found[0]!;
}

/** A name of `words`, or a number: 123, 0x7b, 4K, 1M (gen_esp32part.py). */
function number(field: string, words: Readonly<Record<string, number>>, what: string, most: number): number {
  const word = Object.hasOwn(words, field) ? words[field] : undefined;
  if (word !== undefined) return word;
  const match = /^(0x[0-9a-f]+|[0-9]+)([km]?)$/i.exec(field);
  const value =
    match === null
      ? Number.NaN
      : Number(match[1]) * { "": 1, k: 1024, m: 1 << 20 }[match[2]!.toLowerCase() as "" | "k" | "m"];
  if (!(value <= most)) throw new Error(`${what} "${field}" is not understood`);
  return value;
}

/** MD5, which gen_esp32part.py puts behind the table. */
function digest(entries: Uint8Array): Uint8Array {
  return new Uint8Array(md5.arrayBuffer(entries));
}
