/**
 * What every implementation of the `Store` port does, power cuts aside (the simulated board has tests of its own for
 * those).
 */
import type { Store } from "../../src/ports";
import type { Case } from "./cases";
import { casesOn, equal, pattern, sameBytes, throws } from "./cases";

export interface StoreBench {
  /** The store of a new device: empty. */
  readonly store: Store;
  /** Restarts the device: what has been set must be there. */
  restart(): Store;
  /** After the case. */
  close?(): void;
}

export function storeContract(make: () => StoreBench): Case[] {
  const on = casesOn(make);

  return [
    on("a new store is empty", ({ store }) => {
      equal(store.getNumber("offset"), undefined, "number");
      equal(store.getBytes("job"), undefined, "bytes");
    }),
    on("numbers: the whole unsigned 32-bit range", (bench) => {
      for (const value of [0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff]) {
        bench.store.setNumber("n", value);
        equal(bench.store.getNumber("n"), value, "after set");
      }
      equal(bench.restart().getNumber("n"), 0xffffffff, "after a restart");
    }),
    on("numbers out of range are refused", ({ store }) => {
      for (const value of [-1, 0x100000000, 1.5, Number.NaN])
        throws(() => store.setNumber("n", value), `setNumber(${value})`);
      equal(store.getNumber("n"), undefined, "nothing was set");
    }),
    on("bytes: any length from 0 to 3900, any content", (bench) => {
      for (const length of [0, 1, 7, 31, 32, 33, 253, 254, 255, 600, 3900]) {
        bench.store.setBytes("b", pattern(length, length + 1));
        sameBytes(bench.store.getBytes("b"), pattern(length, length + 1), `${length} bytes`);
      }
      for (const value of [0x00, 0xff]) {
        bench.store.setBytes("same", new Uint8Array(700).fill(value));
        sameBytes(bench.store.getBytes("same"), new Uint8Array(700).fill(value), `all ${value}`);
      }
      const store = bench.restart();
      sameBytes(store.getBytes("b"), pattern(3900, 3901), "after a restart");
      sameBytes(store.getBytes("same"), new Uint8Array(700).fill(0xff), "after a restart");
    }),
    on("more than 3900 bytes are refused, and the old value stays", ({ store }) => {
      store.setBytes("b", pattern(10));
      throws(() => store.setBytes("b", new Uint8Array(3901)), "setBytes of 3901");
      sameBytes(store.getBytes("b"), pattern(10), "old value");
    }),
    on("bytes are copied in and out", ({ store }) => {
      const given = pattern(40);
      store.setBytes("b", given.subarray(4, 20));
      given.fill(0);
      const first = store.getBytes("b")!;
      sameBytes(first, pattern(40).subarray(4, 20), "what was given at the time");
      first.fill(0);
      sameBytes(store.getBytes("b"), pattern(40).subarray(4, 20), "not changed through what was returned");
    }),
    on("keys of 1 to 14 characters, each for itself", (bench) => {
      const keys = ["a", "ab", "A", "a_b-c.d", "fourteen-chars"];
      keys.forEach((key, index) => bench.store.setNumber(key, index));
      const store = bench.restart();
      keys.forEach((key, index) => equal(store.getNumber(key), index, key));
    }),
    on("other keys are refused", ({ store }) => {
      for (const key of ["", "sixteen-letters-"]) {
        throws(() => store.setNumber(key, 1), `setNumber("${key}")`);
        throws(() => store.setBytes(key, pattern(1)), `setBytes("${key}")`);
      }
    }),
    on("delete, also of what is not there", (bench) => {
      bench.store.setNumber("n", 1);
      bench.store.setBytes("b", pattern(100));
      bench.store.setNumber("kept", 2);
      bench.store.delete("n");
      bench.store.delete("b");
      bench.store.delete("never");
      const gone = (store: Store): void => {
        equal(store.getNumber("n"), undefined, "number");
        equal(store.getBytes("b"), undefined, "bytes");
        equal(store.getNumber("kept"), 2, "another key");
      };
      gone(bench.store);
      gone(bench.restart());
    }),
    on("a number is no bytes and bytes are no number", ({ store }) => {
      store.setNumber("n", 1);
      store.setBytes("b", pattern(4));
      equal(store.getBytes("n"), undefined, "bytes of a number");
      equal(store.getNumber("b"), undefined, "number of bytes");
    }),
    on("thousands of changes of one key leave the others alone", (bench) => {
      bench.store.setBytes("job", pattern(200, 7));
      bench.store.setNumber("attempt", 3);
      for (let offset = 0; offset < 3000; offset++) bench.store.setNumber("offset", offset);
      const kept = (store: Store): void => {
        equal(store.getNumber("offset"), 2999, "the changing one");
        equal(store.getNumber("attempt"), 3, "a number");
        sameBytes(store.getBytes("job"), pattern(200, 7), "bytes");
      };
      kept(bench.store);
      kept(bench.restart());
    }),
    on("records that grow and shrink do not fill the store", (bench) => {
      for (let round = 0; round < 300; round++) {
        bench.store.setBytes("job", pattern((round * 37) % 900, round));
        bench.store.setBytes("reply", pattern((round * 11) % 300, round + 1));
      }
      sameBytes(bench.restart().getBytes("job"), pattern((299 * 37) % 900, 299), "the last one");
    }),
  ];
}
