import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeHead, decodeJob, decodeOffset, decodeOutcome, decodeState, encodeHead, encodeJob, encodeOffset, encodeOutcome, encodeState, identityOf,
} from "../../src/job/record";
import type { JobRecord } from "../../src/job/record";
import type { Cause, Outcome } from "../../src/job/types";

const md5 = fc.stringMatching(/^[0-9a-f]{32}$/).map((hex) => ({ algorithm: "MD5" as const, hex }));
const sha256 = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => ({ algorithm: "SHA256" as const, hex }));
const records: fc.Arbitrary<JobRecord> = fc
  .record({
    platform: fc.constantFrom("tencent", "thingspanel"),
    slot: fc.constantFrom("ota_0", "ota_1"),
    version: fc.string({ minLength: 1, maxLength: 32 }),
    module: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
    size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    url: fc.webUrl(),
    digest: fc.option(fc.oneof(md5, sha256), { nil: undefined }),
    validator: fc.option(fc.string({ maxLength: 40 }), { nil: undefined }),
  })
  .map(({ platform, slot, version, module, size, url, digest, validator }) => ({
    platform,
    slot,
    offer: { version, size, url, ...(module === undefined ? {} : { module }), ...(digest === undefined ? {} : { digest }) },
    ...(validator === undefined ? {} : { validator }),
  }));

test("a job record reads back as it was written", () => {
  fc.assert(fc.property(records, (record) => assert.deepEqual(decodeJob(encodeJob(record)), record)));
});

test("a job record with any bit changed, or cut short, counts as absent", () => {
  fc.assert(
    fc.property(records, fc.nat(), fc.integer({ min: 0, max: 7 }), (record, where, bit) => {
      const bytes = encodeJob(record);
      const at = where % bytes.length;
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
      assert.equal(decodeJob(damaged), undefined);
      assert.equal(decodeJob(bytes.subarray(0, at)), undefined);
    }),
  );
});

test("arbitrary bytes never crash a reader", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 0xffffffff }), (bytes, identity) => {
      decodeJob(bytes);
      assert.equal(decodeHead(identity, bytes), undefined);
      assert.equal(decodeOutcome(identity, bytes), undefined);
    }),
  );
});

test("identity: url matters only without a digest, everything else always", () => {
  const offer = { version: "1.0", size: 5000, url: "http://a/1", digest: { algorithm: "MD5" as const, hex: "0".repeat(32) } };
  const base = { platform: "tencent", slot: "ota_1", offer };
  const same = identityOf(base);
  assert.equal(identityOf({ ...base, offer: { ...offer, url: "http://b/2" } }), same);
  const { digest: _digest, ...undigested } = offer;
  const others: JobRecord[] = [
    { ...base, slot: "ota_0" },
    { ...base, platform: "other" },
    { ...base, offer: { ...offer, version: "1.1" } },
    { ...base, offer: { ...offer, size: 5001 } },
    { ...base, offer: { ...offer, module: "MCU" } },
    { ...base, offer: { ...offer, digest: { algorithm: "MD5", hex: "1".repeat(32) } } },
    { ...base, offer: undigested },
    { ...base, offer: { ...undigested, url: "http://b/2" } },
  ];
  assert.equal(new Set([same, ...others.map(identityOf)]).size, others.length + 1);
});

test("offset and state of another image count as absent", () => {
  assert.equal(decodeOffset(0x12345678, encodeOffset(0x12345678, 65_535)), 65_535);
  assert.equal(decodeOffset(0x12345679, encodeOffset(0x12345678, 3)), undefined);
  assert.equal(decodeOffset(1, undefined), undefined);
  const state = { phase: "trial", activations: 3, trials: 2 } as const;
  assert.deepEqual(decodeState(7, encodeState(7, state)), state);
  assert.deepEqual(decodeState(8, encodeState(7, state)), { phase: "downloading", activations: 0, trials: 0 });
  assert.deepEqual(decodeState(7, encodeState(7, { phase: "confirmed", activations: 99, trials: 99 })), { phase: "confirmed", activations: 15, trials: 15 });
});

test("head and outcome belong to all 32 bits of their image's identity", () => {
  const head = Uint8Array.from({ length: 16 }, (_, index) => index);
  assert.deepEqual(decodeHead(0xabcd1234, encodeHead(0xabcd1234, head)), head);
  assert.equal(decodeHead(0xabce1234, encodeHead(0xabcd1234, head)), undefined);
  const causes: Cause[] = ["download-timeout", "not-found", "url-expired", "download", "digest-mismatch", "rejected", "flash", "rolled-back"];
  const outcomes: Outcome[] = [{ kind: "done" }, ...causes.map((cause) => ({ kind: "fail" as const, cause, message: `because ${cause} ✓` }))];
  for (const outcome of outcomes) {
    assert.deepEqual(decodeOutcome(5, encodeOutcome(5, outcome)), outcome);
    assert.equal(decodeOutcome(6, encodeOutcome(5, outcome)), undefined);
  }
});
