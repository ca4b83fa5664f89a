import assert from "node:assert/strict";
import { test } from "node:test";
import { AbRecordStore } from "../../src/store/ab-record-store";
import type { LongStore } from "../../src/store/ab-record-store";

/**
 * A store in a map, with the keys that NVS takes. `failAt`: the write or deletion, counted from 0, that is a power cut.
 * `garble`: writes, counted from 0, that leave nothing readable behind, as one on top of a torn entry does; `ignore`:
 * those that do nothing and say nothing.
 */
class MapStore implements LongStore {
  readonly values = new Map<string, number | Uint8Array>();
  failAt = Infinity;
  garble = new Set<number>();
  ignore = new Set<number>();
  changes = 0;
  /** Keys in the order in which they were written or deleted. */
  readonly order: string[] = [];

  getNumber(key: string): number | undefined {
    return this.getLong(key);
  }
  setNumber(key: string, value: number): void {
    this.setLong(key, value);
  }
  getLong(key: string): number | undefined {
    const value = this.#read(key);
    return typeof value === "number" ? value : undefined;
  }
  setLong(key: string, value: number): void {
    this.#change(key, value);
  }
  getBytes(key: string): Uint8Array | undefined {
    const value = this.#read(key);
    return typeof value === "object" ? value : undefined;
  }
  setBytes(key: string, bytes: Uint8Array): void {
    this.#change(key, bytes.slice());
  }
  delete(key: string): void {
    this.#change(key, undefined);
  }
  #read(key: string): number | Uint8Array | undefined {
    if (key.length > 15) throw new Error(`"${key}" is not a key of 1 to 15 characters`);
    return this.values.get(key);
  }
  #change(key: string, value: number | Uint8Array | undefined): void {
    if (key.length < 1 || key.length > 15) throw new Error(`"${key}" is not a key of 1 to 15 characters`);
    const change = this.changes++;
    if (change >= this.failAt) throw new Error("power cut");
    this.order.push(key);
    if (this.ignore.has(change)) return;
    if (value === undefined || this.garble.has(change)) this.values.delete(key);
    else this.values.set(key, value);
  }

  /** What stands there beside the mark. */
  get records(): string[] {
    return [...this.values.keys()].filter((key) => AbRecordStore.recordOf(key) !== undefined);
  }
}

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString();

test("copies take turns, and losing the newest gives the one before", () => {
  const below = new MapStore();
  const store = new AbRecordStore(below);
  for (let round = 0; round < 600; round++) {
    store.setBytes("job", Buffer.from(`value ${round}`));
    store.setNumber("off", 0xffff_ff00 + (round & 0xff));
    assert.equal(text(new AbRecordStore(below).getBytes("job")), `value ${round}`);
    assert.equal(new AbRecordStore(below).getNumber("off"), 0xffff_ff00 + (round & 0xff));
    assert.equal(below.records.length, Math.min(2, round + 1) * 2);
    for (const [key, before] of [
      ["job", `value ${round - 1}`],
      ["off", 0xffff_ff00 + ((round - 1) & 0xff)],
    ] as const) {
      const newest = round % 2 === 0 ? key : `${key}'`;
      const kept = below.values.get(newest)!;
      below.values.delete(newest);
      assert.equal(key === "job" ? text(store.getBytes(key)) : store.getNumber(key), round === 0 ? undefined : before);
      below.values.set(newest, kept);
    }
  }
});

test("an older copy that comes back is not taken for the newest", () => {
  const below = new MapStore();
  const store = new AbRecordStore(below);
  store.setNumber("off", 1);
  const old = below.values.get("off")!;
  store.setNumber("off", 2);
  store.setNumber("off", 3);
  below.values.set("off", old);
  assert.equal(store.getNumber("off"), 2, "the one before, never the one before that");
});

test("an equal value writes nothing", () => {
  const below = new MapStore();
  const store = new AbRecordStore(below);
  store.setBytes("job", Buffer.from("a"));
  const before = below.changes;
  store.setBytes("job", Buffer.from("a"));
  store.setNumber("off", 5);
  store.setNumber("off", 5);
  assert.equal(below.changes, before + 1);
});

test("a deleted record never comes back, wherever the power is cut", () => {
  for (const kind of ["bytes", "number"] as const) {
    for (const rounds of [1, 2, 3, 4]) {
      for (const failAt of [0, 1, 2]) {
        const below = new MapStore();
        const store = new AbRecordStore(below);
        const read = (): unknown => (kind === "bytes" ? text(store.getBytes("job")) : store.getNumber("job"));
        for (let round = 1; round <= rounds; round++) {
          if (kind === "bytes") store.setBytes("job", Buffer.from(`value ${round}`));
          else store.setNumber("job", round);
        }
        below.failAt = below.changes + failAt;
        try {
          store.delete("job");
        } catch {}
        assert.equal(
          read(),
          failAt === 2 ? undefined : kind === "bytes" ? `value ${rounds}` : rounds,
          `${kind}, ${rounds} rounds, cut ${failAt}`,
        );
      }
    }
  }
});

test("a value that does not read back is written again, while the old value is kept; a store that never takes it throws", () => {
  const below = new MapStore();
  const store = new AbRecordStore(below);
  store.setNumber("off", 1);
  store.setBytes("job", Buffer.from("old"));
  below.garble = new Set([below.changes, below.changes + 2]);
  store.setNumber("off", 2);
  store.setBytes("job", Buffer.from("new"));
  assert.equal(store.getNumber("off"), 2);
  assert.equal(text(store.getBytes("job")), "new");
  below.garble = new Set(Array.from({ length: 6 }, (_, index) => below.changes + index));
  assert.throws(() => store.setNumber("off", 3), { message: "record off: does not read back after 3 tries" });
  assert.throws(() => store.setBytes("job", Buffer.from("newer")), /record job: does not read back/);
  assert.equal(store.getNumber("off"), 2);
  assert.equal(text(store.getBytes("job")), "new");
});

test("the first write of a start is a mark that is no record; a start that writes nothing has none", () => {
  const below = new MapStore();
  for (let start = 0; start < 3; start++) {
    const before = below.changes;
    const store = new AbRecordStore(below);
    store.getNumber("off");
    store.delete("job");
    assert.deepEqual(
      [...below.values.keys()].filter((key) => AbRecordStore.recordOf(key) === undefined).length,
      Math.min(1, start),
    );
    store.setNumber("off", start + 1);
    store.setNumber("off", start + 2);
    assert.equal(below.changes, before + 2 + 1 + (start === 0 ? 2 : 1), "two deletions, the mark, and what changed");
    assert.deepEqual(below.records, ["off", "off'"]);
  }
});

test("after a run that may have ended in the middle of a write, what is found is written anew before anything else", () => {
  const below = new MapStore();
  const before = new AbRecordStore(below);
  before.setNumber("off", 7);
  before.setBytes("job", Buffer.from("job"));
  before.setNumber("unread", 1);
  for (const torn of [true, false]) {
    const old = new Map(below.values);
    const store = new AbRecordStore(below, torn);
    assert.deepEqual(
      [store.getNumber("off"), text(store.getBytes("job")), store.getNumber("none")],
      [7, "job", undefined],
    );
    store.setNumber("off", 7);
    assert.deepEqual(below.values, old, "nothing was written so far");
    store.setNumber("state", torn ? 1 : 2);
    // Weak bits may now take what the run before had written.
    if (torn)
      for (const [key, value] of old) if (below.values.get(key) === value && key !== "unread") below.values.delete(key);
    assert.deepEqual([store.getNumber("off"), text(store.getBytes("job")), store.getNumber("unread")], [7, "job", 1]);
    assert.equal(below.records.includes("unread'"), false, "what was not read is left alone");
  }
});

test("the mark comes before anything else that a start writes, then what was found, then what is new", () => {
  for (const write of [
    (store: AbRecordStore) => store.setNumber("state", 1),
    (store: AbRecordStore) => store.setBytes("head", Buffer.from("head")),
  ]) {
    const below = new MapStore();
    const before = new AbRecordStore(below);
    before.setNumber("off", 7);
    before.setBytes("job", Buffer.from("job"));
    const store = new AbRecordStore(below, true);
    store.getNumber("off");
    store.getBytes("job");
    below.order.length = 0;
    write(store);
    const [mark, ...records] = below.order;
    assert.equal(AbRecordStore.recordOf(mark!), undefined);
    assert.deepEqual(records.slice(0, -1), ["off'", "job'"]);
    assert.match(records.at(-1)!, /^(state|head)$/);
  }
});

test("a mark that can not be written is written with the next record, and so is what was found", () => {
  const below = new MapStore();
  new AbRecordStore(below).setNumber("off", 7);
  const store = new AbRecordStore(below, true);
  store.getNumber("off");
  below.failAt = below.changes;
  assert.throws(() => store.setNumber("state", 1), /power cut/);
  below.failAt = Infinity;
  below.order.length = 0;
  store.setNumber("state", 2);
  assert.deepEqual(below.order, ["#", "off'", "state"]);
});

test("a record that is found and then deleted is not written anew, nor is one that read as absent and can be read a moment later", () => {
  const below = new MapStore();
  const before = new AbRecordStore(below);
  for (const key of ["off", "state"]) before.setNumber(key, 7);
  for (const key of ["job", "head"]) before.setBytes(key, Buffer.from(key));
  const store = new AbRecordStore(below, true);
  assert.deepEqual([store.getNumber("off"), text(store.getBytes("job"))], [7, "job"]);
  for (const key of ["off", "job"]) store.delete(key);
  // Bits that a cut has left undecided: what the start has not seen it has judged without.
  const undecided = ["state", "head"].map((key) => [key, below.values.get(key)!] as const);
  for (const [key] of undecided) below.values.delete(key);
  assert.deepEqual([store.getNumber("state"), store.getBytes("head")], [undefined, undefined]);
  for (const [key, value] of undecided) below.values.set(key, value);
  below.order.length = 0;
  store.setNumber("floor", 1);
  assert.deepEqual(below.order, ["#", "floor"]);
});

test("a write without effect and without error is made again: the record is compared when read back", () => {
  const below = new MapStore();
  const store = new AbRecordStore(below);
  for (const value of ["one", "two"]) store.setBytes("job", Buffer.from(value));
  for (const value of [1, 2]) store.setNumber("off", value);
  below.ignore = new Set([below.changes, below.changes + 2]);
  store.setBytes("job", Buffer.from("three"));
  store.setNumber("off", 3);
  assert.deepEqual([text(store.getBytes("job")), store.getNumber("off")], ["three", 3]);
});

test("keys have room for the second copy; the lengths are those of the port", () => {
  const store = new AbRecordStore(new MapStore());
  store.setBytes("fourteen-chars", Buffer.from("x"));
  assert.throws(() => store.setBytes("fifteen-letters", Buffer.from("x")), /at most 14 characters/);
  assert.throws(() => store.setNumber("fifteen-letters", 1), /at most 14 characters/);
  assert.equal(store.getBytes("fifteen-letters"), undefined);
  store.delete("fifteen-letters");
  store.setBytes("job", new Uint8Array(3900));
  assert.throws(() => store.setBytes("job", new Uint8Array(3901)), /3901 bytes, at most 3900/);
  assert.throws(() => store.setNumber("#", 1), /and not #/);
  for (const value of [-1, 1.5, 2 ** 32])
    assert.throws(() => store.setNumber("off", value), /not an unsigned 32-bit number/);
});

test("the key of a record from the key of either copy", () => {
  assert.deepEqual(["job", "job'", "#"].map(AbRecordStore.recordOf), ["job", "job", undefined]);
});

test("bytes that another program stored are no record", () => {
  const below = new MapStore();
  below.values.set("job", new Uint8Array(0));
  assert.equal(new AbRecordStore(below).getBytes("job"), undefined);
});
