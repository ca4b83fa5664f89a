/**
 * A `Store` whose records survive what NVS alone does not: each is kept twice, in turn under two keys, with a
 * generation number in front.
 *
 * ESP-IDF's NVS takes a good deal for granted about a power cut. Three of these assumptions cost records when they do
 * not hold:
 *
 * - An interrupted entry begins with something else than 0xFFFFFFFF (nvs_page.cpp looks at no more than that). Where a torn program left the
 *   first word blank and other bits not, the next entry is programmed on top and fails its CRC, after the old value was struck out.
 * - An unfinished entry goes from 11 to 00 in one program. Torn to 10 it counts as written: a half-written string is taken for a whole
 *   one, and the old value is struck out in favour of it.
 * - A bit that strikes an old value out is 0 for good. A weak one may read 1 at a later start; the old value is then found first.
 *
 * With the last value under another key there is always one left, and the generation tells which of two is the newer:
 * what is written is read back and written again until it is there, and the first entry of a start that writes any is a
 * mark that nobody needs. After a power loss what was found is written anew, behind whatever the cut has left weak:
 * weak bits only ever cost a copy that nobody needs any more.
 */
import type { ResetReason, Store } from "../ports";

/**
 * A store as NVS is one: beside what `Store` has, numbers with room for a generation, in one entry all the same (u64).
 */
export interface LongStore extends Store {
  /**
   * 0 to 2^53 - 1, or undefined. Under a key of its own: a number and a long of the same key are not the same record.
   */
  getLong(key: string): number | undefined;
  setLong(key: string, value: number): void;
}

/** src/ports.ts. */
const BYTES_MAX = 3_900;
/** Appended to the key of the second copy; so keys of records have at most 14 characters. */
const SECOND = "'";
/** Takes the first entry of a start. No key of a record. */
const MARK = "#";
const MARKS = 0x1_0000;
/** Values of a number: the generation stands above them. */
const NUMBERS = 0x1_0000_0000;
/** Times that a value is written before the store counts as worn out. */
const TRIES = 3;

interface Copy<T> {
  readonly key: string;
  readonly generation: number;
  readonly value: T;
}

export class AbRecordStore implements Store {
  private readonly store: LongStore;
  private marked = false;
  /**
   * Keys that were found; those before the first write are written anew with it. Undefined where nothing can be torn.
   */
  private readonly found: Set<string> | undefined;

  /**
   * One for each start of the chip. `mayBeTorn`: the last run may have ended in the middle of a write, as all do but a
   * wanted restart.
   */
  constructor(store: LongStore, mayBeTorn = false) {
    this.store = store;
    this.found = mayBeTorn ? new Set() : undefined;
  }

  /** The key of the record that a key of the store below belongs to; undefined: to none. */
  static recordOf(this: void, key: string): string | undefined {
    if (key === MARK) return undefined;
    return key.endsWith(SECOND) ? key.slice(0, -SECOND.length) : key;
  }

  getNumber(key: string): number | undefined {
    return this.noted(key, this.newestOf(this.numbers(key)))?.value;
  }

  setNumber(key: string, value: number): void {
    checkKey(key);
    if (!(Number.isInteger(value) && value >= 0 && value < NUMBERS))
      throw new Error(`record ${key}: ${value} is not an unsigned 32-bit number`);
    if (this.newestOf(this.numbers(key))?.value === value) return;
    this.begin();
    this.putNumber(key, value);
  }

  getBytes(key: string): Uint8Array | undefined {
    return this.noted(key, this.newestOf(this.records(key)))?.value;
  }

  /** The store below gets one byte more than is given here. */
  setBytes(key: string, bytes: Uint8Array): void {
    checkKey(key);
    if (bytes.length > BYTES_MAX)
      throw new Error(`record ${key}: ${bytes.length} bytes, at most ${BYTES_MAX} are taken`);
    const newest = this.newestOf(this.records(key));
    if (newest !== undefined && same(newest.value, bytes)) return;
    this.begin();
    this.putBytes(key, bytes);
  }

  delete(key: string): void {
    const newest = this.newestOf(this.numbers(key)) ?? this.newestOf(this.records(key));
    const second = key + SECOND;
    // The older copy first: a cut between the two must not bring it back.
    const order = newest?.key === second ? [key, second] : [second, key];
    order.forEach((each) => {
      if (each.length <= 15) this.store.delete(each);
    });
  }

  private noted<T>(key: string, copy: Copy<T> | undefined): Copy<T> | undefined {
    if (copy !== undefined) this.found?.add(key);
    return copy;
  }

  /** Before the first write of a start. */
  private begin(): void {
    if (this.marked) return;
    this.store.setLong(MARK, ((this.store.getLong(MARK) ?? 0) + 1) % MARKS);
    this.marked = true;
    this.found?.forEach((key) => {
      const number = this.newestOf(this.numbers(key));
      const record = this.newestOf(this.records(key));
      if (number !== undefined) this.putNumber(key, number.value);
      else if (record !== undefined) this.putBytes(key, record.value);
    });
  }

  private putNumber(key: string, value: number): void {
    const newest = this.newestOf(this.numbers(key));
    const long = nextGeneration(newest) * NUMBERS + value;
    const place = placeFor(key, newest);
    written(
      key,
      () => this.store.setLong(place, long),
      () => this.store.getLong(place) === long,
    );
  }

  private putBytes(key: string, bytes: Uint8Array): void {
    const newest = this.newestOf(this.records(key));
    const copy = new Uint8Array(bytes.length + 1);
    copy[0] = nextGeneration(newest);
    copy.set(bytes, 1);
    const place = placeFor(key, newest);
    written(
      key,
      () => this.store.setBytes(place, copy),
      () => {
        const found = this.store.getBytes(place);
        return found !== undefined && same(found, copy);
      },
    );
  }

  private newestOf<T>([first, second]: readonly (Copy<T> | undefined)[]): Copy<T> | undefined {
    if (first === undefined || second === undefined) return first ?? second;
    const behind = (first.generation - second.generation) & 0xff;
    return behind <= 0x80 ? first : second;
  }

  private numbers(key: string): (Copy<number> | undefined)[] {
    return copiesOf(key, (place) => {
      const long = this.store.getLong(place);
      return long === undefined
        ? undefined
        : { key: place, generation: Math.floor(long / NUMBERS) & 0xff, value: long % NUMBERS };
    });
  }

  private records(key: string): (Copy<Uint8Array> | undefined)[] {
    return copiesOf(key, (place) => {
      const bytes = this.store.getBytes(place);
      return bytes === undefined || bytes.length === 0
        ? undefined
        : { key: place, generation: bytes[0]!, value: bytes.subarray(1) };
    });
  }
}

/** Writes until it is there. */
const written = (key: string, write: () => void, isThere: () => boolean): void => {
  for (let tries = 0; tries < TRIES; tries++) {
    write();
    if (isThere()) return;
  }
  throw new Error(`record ${key}: does not read back after ${TRIES} tries`);
};

const checkKey = (key: string): void => {
  if (key.length > 14 || key === MARK)
    throw new Error(`record "${key}": a key of at most 14 characters, and not ${MARK}`);
};

const copiesOf = <T>(key: string, read: (place: string) => Copy<T> | undefined): (Copy<T> | undefined)[] => {
  return [key, key + SECOND].map((place) => (place.length > 15 ? undefined : read(place)));
};

/** Where the next value goes: not where the newest is. */
const placeFor = (key: string, newest: Copy<unknown> | undefined): string => {
  return newest?.key === key ? key + SECOND : key;
};

const nextGeneration = (newest: Copy<unknown> | undefined): number => {
  return newest === undefined ? 0 : (newest.generation + 1) & 0xff;
};

const same = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
};

/** The last run ended by a restart or a sleep of its own, which no write is in the middle of. */
export const endedInOrder = (reason: ResetReason): boolean => reason === "software" || reason === "deep-sleep";
