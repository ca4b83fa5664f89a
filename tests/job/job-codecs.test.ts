import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeAnswer,
  decodeHeader,
  decodeJob,
  decodeOffset,
  decodeOutcome,
  decodePhase,
  encodeAnswer,
  encodeHeader,
  encodeJob,
  encodeOffset,
  encodeOutcome,
  encodePhase,
  identityOf,
} from "../../src/job/job-codecs";
import type { JobRecord } from "../../src/job/job-codecs";
import type { Cause, Outcome } from "../../src/job/types";
import { crc32 } from "../../src/util/crc32";

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
    offer: {
      version,
      size,
      url,
      ...(module === undefined ? {} : { module }),
      ...(digest === undefined ? {} : { digest }),
    },
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
      assert.equal(decodeHeader(identity, bytes), undefined);
      assert.equal(decodeOutcome(identity, bytes), undefined);
      assert.equal(decodeAnswer(bytes), undefined);
    }),
  );
});

test("identity: url matters only without a digest, everything else always", () => {
  const offer = {
    version: "1.0",
    size: 5000,
    url: "http://a/1",
    digest: { algorithm: "MD5" as const, hex: "0".repeat(32) },
  };
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
  const state = { phase: "trial", activations: 3, trials: 2, refetched: false } as const;
  assert.deepEqual(decodePhase(7, encodePhase(7, state)), state);
  assert.deepEqual(decodePhase(8, encodePhase(7, state)), {
    phase: "downloading",
    activations: 0,
    trials: 0,
    refetched: false,
  });
  assert.deepEqual(
    decodePhase(7, encodePhase(7, { phase: "confirmed", activations: 99, trials: 99, refetched: false })),
    { phase: "confirmed", activations: 15, trials: 15, refetched: false },
  );
});

test("one more download and fresh URLs are noted while downloading only, and edition 1 takes them for a download", () => {
  const plain = { activations: 1, trials: 1, refetched: false } as const;
  for (const noted of [{ refetched: true }, { renewals: 1 }, { refetched: true, expanding: true, renewals: 3 }]) {
    const state = { ...plain, phase: "downloading", ...noted } as const;
    const stored = encodePhase(7, state);
    assert.deepEqual(decodePhase(7, stored), state);
    // As edition 1 reads it: an unknown phase is downloading.
    assert.equal(["downloading", "committing", "trial", "confirmed"][(stored & 0xffff) >>> 8], undefined);
    for (const phase of ["committing", "trial", "confirmed"] as const)
      assert.equal(encodePhase(7, { ...state, phase }), encodePhase(7, { ...plain, phase }));
  }
});

test("head and outcome belong to all 32 bits of their image's identity", () => {
  const head = Uint8Array.from({ length: 16 }, (_, index) => index);
  assert.deepEqual(decodeHeader(0xabcd1234, encodeHeader(0xabcd1234, head)), head);
  assert.equal(decodeHeader(0xabce1234, encodeHeader(0xabcd1234, head)), undefined);
  const causes: Cause[] = [
    "download-timeout",
    "not-found",
    "url-expired",
    "download",
    "digest-mismatch",
    "rejected",
    "flash",
    "rolled-back",
  ];
  const outcomes: Outcome[] = [
    { kind: "done" },
    ...causes.map((cause) => ({ kind: "fail" as const, cause, message: `because ${cause} ✓` })),
  ];
  for (const outcome of outcomes) {
    assert.deepEqual(decodeOutcome(5, encodeOutcome(5, outcome)), outcome);
    assert.equal(decodeOutcome(6, encodeOutcome(5, outcome)), undefined);
  }
});

type Part = number | string | undefined | Uint8Array;

/** A record that is whole by its CRC-32: numbers are bytes, texts go with their length, undefined is an absent text. */
function whole(...parts: readonly Part[]): Uint8Array {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === "number") return Buffer.of(part);
      if (typeof part === "object") return Buffer.from(part);
      const text = Buffer.from(part ?? "");
      const length = Buffer.alloc(2);
      length.writeUInt16LE(part === undefined ? 0xffff : text.length);
      return Buffer.concat([length, text]);
    }),
  );
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(body));
  return new Uint8Array(Buffer.concat([body, crc]));
}

const HEX = "0".repeat(32);
const JOB = [1, "tencent", "ota_1", undefined, "1.0", "5000", "MD5", HEX, "http://a/1", undefined] as const;
const OWNER = [0x78, 0x56, 0x34, 0x12] as const;
const IDENTITY = 0x12345678;

/** One part replaced. */
const changed = (
  parts: readonly (number | string | undefined)[],
  at: number,
  part: number | string | undefined,
): Uint8Array => whole(...parts.map((each, index) => (index === at ? part : each)));

test("a job record that is whole but says what no job is counts as absent", () => {
  assert.deepEqual(decodeJob(whole(...JOB)), {
    platform: "tencent",
    slot: "ota_1",
    offer: { version: "1.0", size: 5000, url: "http://a/1", digest: { algorithm: "MD5", hex: HEX } },
  });
  const [FORMAT, PLATFORM, SLOT, VERSION, SIZE, ALGORITHM, DIGEST, URL] = [0, 1, 2, 4, 5, 6, 7, 8];
  for (const other of [0, 2, 0xff]) assert.equal(decodeJob(changed(JOB, FORMAT, other)), undefined, `format ${other}`);
  for (const field of [PLATFORM, SLOT, VERSION, SIZE, URL])
    assert.equal(decodeJob(changed(JOB, field, undefined)), undefined, `without field ${field}`);
  for (const size of ["-1", "1.5", "many", "9007199254740992"])
    assert.equal(decodeJob(changed(JOB, SIZE, size)), undefined, `${size} bytes`);
  assert.equal(decodeJob(changed(JOB, ALGORITHM, "SHA1")), undefined);
  assert.equal(decodeJob(changed(JOB, DIGEST, undefined)), undefined, "an algorithm without its digest");
  assert.equal(
    decodeJob(changed(JOB, ALGORITHM, undefined))?.offer.digest,
    undefined,
    "a digest of no algorithm is none",
  );
  assert.equal(decodeJob(changed(JOB, SLOT, "*")), undefined, "for a module that has no name");
});

test("a job record that is whole but too short or too long counts as absent", () => {
  for (let fields = 0; fields < JOB.length; fields++)
    assert.equal(decodeJob(whole(...JOB.slice(0, fields))), undefined, `${fields} fields`);
  assert.equal(decodeJob(whole(...JOB, 0)), undefined);
  assert.equal(decodeJob(whole(...JOB.slice(0, -1), 5, 0)), undefined, "a text that is announced and missing");
});

test("a module's job reads back as a module's, with the name that the cloud gave it", () => {
  const record: JobRecord = {
    platform: "tencent",
    slot: "*",
    offer: { version: "a1", size: 0, url: "http://a/1", module: "assets", component: "assets" },
  };
  assert.deepEqual(decodeJob(encodeJob(record)), record);
});

test("a head is sixteen bytes of the format, or absent", () => {
  const head = new Uint8Array(16).fill(7);
  assert.deepEqual(decodeHeader(IDENTITY, whole(1, ...OWNER, head)), head);
  for (const bytes of [
    whole(2, ...OWNER, head),
    whole(1, ...OWNER, head.subarray(1)),
    whole(1, ...OWNER, head, 7),
    whole(1, ...OWNER),
    whole(1, 0x78, 0x56),
    whole(),
  ])
    assert.equal(decodeHeader(IDENTITY, bytes), undefined);
});

test("an outcome or an answer that is whole but not one of ours counts as absent", () => {
  const fail: Outcome = { kind: "fail", cause: "download-timeout", message: "why" };
  assert.deepEqual(decodeOutcome(IDENTITY, whole(1, ...OWNER, 1, "why")), fail);
  assert.deepEqual(decodeAnswer(whole(1, "tencent", undefined, "1.0", 1, "why")), {
    platform: "tencent",
    task: { version: "1.0" },
    outcome: fail,
  });
  const bodies: readonly (readonly Part[])[] = [[], [1], [1, undefined], [99, "why"], [1, 9, 0, Buffer.from("why")]];
  for (const [index, body] of bodies.entries()) {
    assert.equal(decodeOutcome(IDENTITY, whole(1, ...OWNER, ...body)), undefined, `body ${index}`);
    assert.equal(decodeAnswer(whole(1, "tencent", undefined, "1.0", ...body)), undefined, `body ${index}`);
  }
  for (const body of [[0], [1, "why"]] as const) {
    assert.equal(decodeOutcome(IDENTITY, whole(2, ...OWNER, ...body)), undefined);
    assert.equal(decodeAnswer(whole(2, "tencent", undefined, "1.0", ...body)), undefined);
    assert.equal(decodeAnswer(whole(1, undefined, undefined, "1.0", ...body)), undefined);
    assert.equal(decodeAnswer(whole(1, "tencent", undefined, undefined, ...body)), undefined);
  }
});

test("an answer reads back as it was written", () => {
  for (const task of [{ version: "1.0" }, { version: "1.0", module: "" }, { version: "ü", module: "MCU" }])
    for (const outcome of [{ kind: "done" }, { kind: "fail", cause: "signature", message: "" }] as const)
      assert.deepEqual(decodeAnswer(encodeAnswer({ platform: "thingspanel", task, outcome })), {
        platform: "thingspanel",
        task,
        outcome,
      });
});

test("a head, an outcome or an answer with any bit changed, or cut short, counts as absent", () => {
  const fail: Outcome = { kind: "fail", cause: "rejected", message: "because" };
  const kinds: readonly [Uint8Array, (bytes: Uint8Array) => unknown][] = [
    [encodeHeader(IDENTITY, new Uint8Array(16).fill(0xe9)), (bytes) => decodeHeader(IDENTITY, bytes)],
    ...[fail, { kind: "done" } as const].flatMap((outcome): [Uint8Array, (bytes: Uint8Array) => unknown][] => [
      [encodeOutcome(IDENTITY, outcome), (bytes) => decodeOutcome(IDENTITY, bytes)],
      [encodeAnswer({ platform: "tencent", task: { version: "1.0" }, outcome }), decodeAnswer],
    ]),
  ];
  for (const [bytes, decode] of kinds) {
    assert.notEqual(decode(bytes), undefined);
    for (let at = 0; at < bytes.length; at++) {
      assert.equal(decode(bytes.subarray(0, at)), undefined);
      for (let bit = 0; bit < 8; bit++)
        assert.equal(decode(bytes.map((byte, index) => (index === at ? byte ^ (1 << bit) : byte))), undefined);
    }
  }
});
