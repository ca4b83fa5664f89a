import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { refusalOfSignature } from "../../src/signature/check";
import { readPublicKey } from "../../src/signature/keys";
import { isPoint, isScalar, toInteger } from "../../src/signature/p256";
import { TRAILER, encodeTrailer, readTrailer } from "../../src/signature/trailer";
import { makeKey, signed } from "./test-keys";

const crypto = new NodeCrypto();
const key = makeKey();
const other = makeKey();
const file = new Uint8Array(5000).map((_, index) => index * 7);

function refusal(bytes: Uint8Array, keys = [key.point]): string | undefined {
  const hash = new Uint8Array(createHash("sha256").update(bytes.subarray(0, -TRAILER)).digest());
  return refusalOfSignature(hash, bytes.subarray(-TRAILER), keys, crypto);
}

test("a file signed by a trusted key passes, with and without the key's fingerprint in the trailer", () => {
  assert.equal(refusal(signed(file, key)), undefined);
  assert.equal(refusal(signed(file, key, false)), undefined);
  assert.equal(refusal(signed(file, other), [key.point, other.point]), undefined, "any of several keys");
});

test("unsigned, another key, another file, extended, truncated: each is refused with its reason", () => {
  const good = signed(file, key);
  const moved = new Uint8Array([...file.subarray(0, 100), 0, ...file.subarray(100), ...good.subarray(-TRAILER)]);
  const cases: [Uint8Array, RegExp][] = [
    [file, /not signed/],
    [signed(file, other), /not trusted/],
    [signed(file, other, false), /does not match/],
    [moved, /does not match/],
    [new Uint8Array([...good, 0]), /not signed/],
    [good.subarray(0, -1), /not signed/],
  ];
  for (const [bytes, message] of cases) assert.match(refusal(bytes) ?? "", message);
});

test("every single bit of file and trailer counts", () => {
  const good = signed(file.subarray(0, 40), key);
  for (let at = 0; at < good.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bad = good.slice();
      bad[at] = (bad[at] ?? 0) ^ (1 << bit);
      // The last 8 bytes are reserved and must be 0 as well.
      assert.notEqual(refusal(bad), undefined, `byte ${at}, bit ${bit}`);
    }
  }
});

test("a signature has exactly four encodings: the key named or not, s or n - s", () => {
  const good = signed(file, key);
  const { r, s } = readTrailer(good.subarray(-TRAILER));
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const other = Uint8Array.from(Buffer.from((n - toInteger(s)).toString(16).padStart(64, "0"), "hex"));
  const named = good.slice(-TRAILER + 12, -TRAILER + 16);
  for (const name of [named, new Uint8Array(4)]) {
    for (const number of [s, other])
      assert.equal(refusal(new Uint8Array([...file, ...encodeTrailer(der(r, number), name)])), undefined);
  }
  assert.match(
    refusal(
      new Uint8Array([...file, ...encodeTrailer(der(r, s), Uint8Array.of(...named.subarray(0, 3), named[3]! ^ 1))]),
    ) ?? "",
    /not trusted/,
  );
  // BER's longer forms of the same numbers: a length in two bytes, a zero in front.
  const plain = der(r, s);
  const long = Uint8Array.of(0x30, 0x81, ...plain.subarray(1));
  const padded = Uint8Array.of(0x30, plain[1]! + 1, 2, plain[3]! + 1, 0, ...plain.subarray(4));
  for (const form of [long, padded])
    assert.match(
      refusal(new Uint8Array([...file, ...encodeTrailer(form.subarray(0, 72), named)])) ?? "",
      /not DER|malformed/,
    );
});

function der(r: Uint8Array, s: Uint8Array): Uint8Array {
  const integer = (bytes: Uint8Array): number[] => {
    const digits = [...bytes.subarray(bytes.findIndex((byte) => byte !== 0))];
    return [2, digits.length + (digits[0]! >> 7), ...(digits[0]! >= 0x80 ? [0] : []), ...digits];
  };
  const numbers = [...integer(r), ...integer(s)];
  return Uint8Array.of(0x30, numbers.length, ...numbers);
}

test("r and s out of range are refused before any arithmetic", () => {
  const n = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
  const one = new Uint8Array(32).fill(0, 0, 31);
  one[31] = 1;
  assert.equal(isScalar(one), true);
  assert.equal(isScalar(new Uint8Array(32)), false);
  assert.equal(isScalar(new Uint8Array(n)), false);
  assert.equal(isScalar(new Uint8Array(32).fill(0xff)), false);
  const zero = [0x30, 6, 2, 1, 0, 2, 1, 0];
  const trailer = signed(file, key).slice(-TRAILER);
  trailer.fill(0, 16);
  trailer.set(zero, 16);
  trailer[10] = zero.length;
  assert.match(refusal(new Uint8Array([...file, ...trailer])) ?? "", /out of range/);
});

test("a public key must be on the curve, and uncompressed", () => {
  assert.deepEqual(readPublicKey(key.publicKey), key.point);
  assert.deepEqual(readPublicKey(Buffer.from(key.point).toString("hex")), key.point);
  const off = key.point.slice();
  off[64] = (off[64] ?? 0) ^ 1;
  assert.equal(isPoint(off), false);
  assert.throws(() => readPublicKey(Buffer.from(off).toString("hex")), /not on P-256/);
  assert.throws(() => readPublicKey("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), /P-256/);
  assert.throws(() => readPublicKey("hello"), /PEM/);
});

test("arbitrary trailers never crash the reader", () => {
  const good = signed(file, key).slice(-TRAILER);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 86 }), (tail) => {
      const trailer = good.slice();
      trailer.set(tail, 10);
      try {
        readTrailer(trailer);
      } catch (error) {
        assert.ok(error instanceof Error && error.message.length > 0);
      }
    }),
  );
});
