/** The record of a staged container, and the phase in which it is expanded. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodePhase, encodePhase } from "../../src/job/job-codecs";
import { decodeStaged, encodeStaged } from "../../src/job/staged-codec";
import type { Staged } from "../../src/job/staged-codec";

const u32 = fc.nat(0xffff_ffff);
const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const md5 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const plain = { noNullPrototype: true };
const staged: fc.Arbitrary<Staged> = fc.record(
  {
    from: u32,
    length: u32,
    at: u32,
    part: fc.record({ offset: u32, length: u32, sha256 }, plain),
    base: fc.record({ id: sha256, length: u32 }, plain),
    file: fc.record({ length: u32, sha256, md5 }, plain),
    image: sha256,
  },
  plain,
);

test("the record of a staged container comes back as it was, for its own job only", () => {
  fc.assert(
    fc.property(u32, u32, staged, (identity, other, record) => {
      const stored = encodeStaged(identity, record);
      assert.deepEqual(decodeStaged(identity, stored), record);
      if (other !== identity) assert.equal(decodeStaged(other, stored), undefined);
    }),
  );
});

test("a record that is damaged, too short or too long counts as absent", () => {
  fc.assert(
    fc.property(u32, staged, fc.nat(), fc.integer({ min: 1, max: 255 }), (identity, record, place, bits) => {
      const stored = encodeStaged(identity, record);
      const damaged = stored.slice();
      damaged[place % damaged.length]! ^= bits;
      assert.equal(decodeStaged(identity, damaged), undefined);
      assert.equal(decodeStaged(identity, stored.subarray(0, place % stored.length)), undefined);
      assert.equal(decodeStaged(identity, new Uint8Array([...stored, 0])), undefined);
    }),
  );
  assert.equal(decodeStaged(1, undefined), undefined);
});

test("expanding is noted while downloading only, and firmware without containers begins anew", () => {
  for (const refetched of [false, true]) {
    const state = { phase: "downloading", activations: 1, trials: 2, refetched, expanding: true } as const;
    const stored = encodePhase(7, state);
    assert.deepEqual(decodePhase(7, stored), state);
    // Edition 1, and firmware that knows of `refetched` alone: an unknown phase is downloading.
    for (const known of [0, 0x1000]) assert.ok((stored & 0xffff & ~known) >>> 8 > 3);
    assert.equal(
      encodePhase(7, { ...state, phase: "trial" }),
      encodePhase(7, { ...state, phase: "trial", refetched: false, expanding: false }),
    );
  }
});
