/**
 * A `Store` whose records survive what NVS alone does not: each is kept twice, in turn under two keys, with a generation number in front.
 *
 * ESP-IDF's NVS repairs itself at mount, and a power cut in the middle of THAT can make it take a half-written string for a whole one
 * and strike out the old value (nvs_page.cpp: an unfinished entry goes from 11 to 00 in one program; torn to 10 it counts as written). The
 * new value then fails its CRC and nothing is left. With the last value under another key, something is: the value before the change,
 * as if the change had not begun. Numbers are single entries and need none of this.
 */
import type { Store } from "./ports";

/** hal/ports.ts. */
const BYTES_MAX = 3_900;
/** Appended to the key of the second copy; so keys of records have at most 14 characters. */
const SECOND = "'";

interface Copy {
  readonly key: string;
  readonly generation: number;
  readonly bytes: Uint8Array;
}

export class TwoCopies implements Store {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The key of the record that a key of the store below belongs to. */
  static recordOf(this: void, key: string): string {
    return key.endsWith(SECOND) ? key.slice(0, -SECOND.length) : key;
  }

  getNumber(key: string): number | undefined {
    return this.#store.getNumber(key);
  }

  setNumber(key: string, value: number): void {
    this.#store.setNumber(key, value);
  }

  getBytes(key: string): Uint8Array | undefined {
    return this.#copies(key)[0]?.bytes;
  }

  /** The store below gets one byte more than is given here. */
  setBytes(key: string, bytes: Uint8Array): void {
    if (key.length > 14) throw new Error(`record "${key}": a key of at most 14 characters`);
    if (bytes.length > BYTES_MAX) throw new Error(`record ${key}: ${bytes.length} bytes, at most ${BYTES_MAX} are taken`);
    const [newest] = this.#copies(key);
    if (newest !== undefined && same(newest.bytes, bytes)) return;
    const copy = new Uint8Array(bytes.length + 1);
    copy[0] = newest === undefined ? 0 : (newest.generation + 1) & 0xff;
    copy.set(bytes, 1);
    this.#store.setBytes(newest?.key === key ? key + SECOND : key, copy);
  }

  delete(key: string): void {
    const [newest] = this.#copies(key);
    const second = key + SECOND;
    // The older copy first: a cut between the two must not bring it back.
    const order = newest?.key === second ? [key, second] : [second, key];
    for (const each of order) if (each.length <= 15) this.#store.delete(each);
  }

  /** Newest first. */
  #copies(key: string): Copy[] {
    const found = [this.#copy(key), this.#copy(key + SECOND)].filter((copy) => copy !== undefined);
    const [first, second] = found;
    if (first === undefined || second === undefined) return found;
    return ((second.generation - first.generation) & 0xff) < 0x80 && second.generation !== first.generation ? [second, first] : [first, second];
  }

  #copy(key: string): Copy | undefined {
    if (key.length > 15) return undefined;
    const copy = this.#store.getBytes(key);
    return copy === undefined || copy.length === 0 ? undefined : { key, generation: copy[0]!, bytes: copy.subarray(1) };
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}
