import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../../hal/ports";
import { TwoCopies } from "../../hal/two-copies";

/** A store in a map. `failAt`: the write or deletion, counted from 0, that is a power cut. */
class MapStore implements Store {
  readonly values = new Map<string, number | Uint8Array>();
  failAt = Infinity;
  changes = 0;

  getNumber(key: string): number | undefined {
    const value = this.values.get(key);
    return typeof value === "number" ? value : undefined;
  }
  setNumber(key: string, value: number): void {
    this.#change(() => this.values.set(key, value));
  }
  getBytes(key: string): Uint8Array | undefined {
    const value = this.values.get(key);
    return typeof value === "object" ? value : undefined;
  }
  setBytes(key: string, bytes: Uint8Array): void {
    this.#change(() => this.values.set(key, bytes.slice()));
  }
  delete(key: string): void {
    this.#change(() => this.values.delete(key));
  }
  #change(change: () => void): void {
    if (this.changes++ >= this.failAt) throw new Error("power cut");
    change();
  }
}

const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : Buffer.from(bytes).toString());

test("copies take turns, and losing the newest gives the one before", () => {
  const below = new MapStore();
  const store = new TwoCopies(below);
  for (let round = 0; round < 600; round++) {
    store.setBytes("job", Buffer.from(`value ${round}`));
    assert.equal(text(new TwoCopies(below).getBytes("job")), `value ${round}`);
    assert.equal(below.values.size, Math.min(2, round + 1));
    const newest = round % 2 === 0 ? "job" : "job'";
    const kept = below.values.get(newest)!;
    below.values.delete(newest);
    assert.equal(text(store.getBytes("job")), round === 0 ? undefined : `value ${round - 1}`);
    below.values.set(newest, kept);
  }
});

test("an equal value writes nothing, numbers pass through", () => {
  const below = new MapStore();
  const store = new TwoCopies(below);
  store.setBytes("job", Buffer.from("a"));
  store.setBytes("job", Buffer.from("a"));
  assert.equal(below.changes, 1);
  store.setNumber("off", 5);
  assert.equal(below.getNumber("off"), 5);
  assert.equal(store.getNumber("off"), 5);
});

test("a deleted record never comes back, wherever the power goes", () => {
  for (const rounds of [1, 2, 3, 4]) {
    for (const failAt of [0, 1, 2]) {
      const below = new MapStore();
      const store = new TwoCopies(below);
      for (let round = 1; round <= rounds; round++) store.setBytes("job", Buffer.from(`value ${round}`));
      below.failAt = below.changes + failAt;
      try {
        store.delete("job");
      } catch {}
      assert.equal(text(store.getBytes("job")), failAt < 2 ? `value ${rounds}` : undefined, `${rounds} rounds, cut ${failAt}`);
    }
  }
});

test("keys have room for the second copy; the length is that of the port", () => {
  const store = new TwoCopies(new MapStore());
  store.setBytes("fourteen-chars", Buffer.from("x"));
  assert.throws(() => store.setBytes("fifteen-letters", Buffer.from("x")), /at most 14 characters/);
  assert.equal(store.getBytes("fifteen-letters"), undefined);
  store.setNumber("fifteen-letters", 1);
  store.delete("fifteen-letters");
  assert.equal(store.getNumber("fifteen-letters"), undefined);
  store.setBytes("job", new Uint8Array(3900));
  assert.throws(() => store.setBytes("job", new Uint8Array(3901)), /3901 bytes, at most 3900/);
});

test("the key of a record from the key of either copy", () => {
  assert.deepEqual(["job", "job'"].map(TwoCopies.recordOf), ["job", "job"]);
});

test("what another hand left there is no record", () => {
  const below = new MapStore();
  below.values.set("job", new Uint8Array(0));
  assert.equal(new TwoCopies(below).getBytes("job"), undefined);
});
