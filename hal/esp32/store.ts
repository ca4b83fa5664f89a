/**
 * The `Store` port over NVS (store.c). Numbers are NVS's uint32, longs its uint64, bytes are COBS-coded strings:
 * src/store/cobs.ts says why.
 */
import { decodeUtf8 } from "../../src/util/utf8";
import type { LongStore } from "../../src/store/ab-record-store";
import { cobsDecode, cobsEncode } from "../../src/store/cobs";

/** src/ports.ts, and the byte that src/store/ab-record-store.ts puts in front. */
const BYTES_MAX = 3_901;

/**
 * store.c. xsc binds a method to its C function where the body is nothing but the call (Moddable SDK, "XS in C",
 * Native).
 */
class Nvs {
  static getNumber(space: string, key: string): number | undefined {
    return native("xs_nvs_getNumber").call(this, space, key) as number | undefined;
  }
  static setNumber(space: string, key: string, value: number): void {
    native("xs_nvs_setNumber").call(this, space, key, value);
  }
  static getLong(space: string, key: string): number | undefined {
    return native("xs_nvs_getLong").call(this, space, key) as number | undefined;
  }
  static setLong(space: string, key: string, value: number): void {
    native("xs_nvs_setLong").call(this, space, key, value);
  }
  static getBytes(space: string, key: string): ArrayBuffer | undefined {
    return native("xs_nvs_getBytes").call(this, space, key) as ArrayBuffer | undefined;
  }
  static setBytes(space: string, key: string, bytes: Uint8Array): void {
    native("xs_nvs_setBytes").call(this, space, key, bytes);
  }
  static remove(space: string, key: string): void {
    native("xs_nvs_remove").call(this, space, key);
  }
}

export class NvsStore implements LongStore {
  private readonly space: string;

  /** `space`: NVS namespace, 1 to 15 characters. */
  constructor(space: string) {
    this.space = space;
  }

  getNumber(key: string): number | undefined {
    return Nvs.getNumber(this.space, key);
  }

  setNumber(key: string, value: number): void {
    if (!(Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff))
      throw new Error(`store ${key}: ${value} is no unsigned 32-bit number`);
    Nvs.setNumber(this.space, key, value);
  }

  getLong(key: string): number | undefined {
    return Nvs.getLong(this.space, key);
  }

  setLong(key: string, value: number): void {
    if (!(Number.isSafeInteger(value) && value >= 0))
      throw new Error(`store ${key}: ${value} is no whole number below 2^53`);
    Nvs.setLong(this.space, key, value);
  }

  getBytes(key: string): Uint8Array | undefined {
    const stuffed = terminated(this.space, key);
    return stuffed === undefined ? undefined : cobsDecode(stuffed);
  }

  setBytes(key: string, bytes: Uint8Array): void {
    if (bytes.length > BYTES_MAX)
      throw new Error(`store ${key}: ${bytes.length} bytes, at most ${BYTES_MAX} are taken`);
    const stuffed = cobsEncode(bytes);
    const string = new Uint8Array(stuffed.length + 1);
    string.set(stuffed);
    Nvs.setBytes(this.space, key, string);
  }

  /** A string as others put it there, such as ESP-IDF's nvs_partition_gen.py. */
  getText(key: string): string | undefined {
    const bytes = terminated(this.space, key);
    return bytes === undefined ? undefined : decodeUtf8(bytes);
  }

  delete(key: string): void {
    Nvs.remove(this.space, key);
  }
}

/** What NVS holds as a string, without the zero that ends it. */
const terminated = (space: string, key: string): Uint8Array | undefined => {
  const bytes = Nvs.getBytes(space, key);
  return bytes === undefined ? undefined : new Uint8Array(bytes, 0, bytes.byteLength - 1);
};
