/**
 * Files that OpenSSL signed (docs/SPEC.md): the same verdict from the agent's reader as from OpenSSL's own
 * verification.
 */
import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { fingerprintOf, refusalOfSignature } from "../../src/signature/check";
import { PARTS, run } from "../../scripts/crypto-cost/parts";
import type { Part } from "../../scripts/crypto-cost/parts";
import * as portable from "../../scripts/crypto-cost/portable";
import { readPublicKey } from "../../src/signature/keys";
import { TRAILER, readTrailer } from "../../src/signature/trailer";
import { toHex } from "../../src/util/hex";

const FOLDER = new URL("vectors/", import.meta.url);
const read = (name: string): Buffer => readFileSync(new URL(name, FOLDER));
const crypto = new NodeCrypto();
const firmware = read("firmware.bin");
const hash = new Uint8Array(createHash("sha256").update(firmware).digest());
const key = readPublicKey(read("public.pem").toString());
const other = readPublicKey(read("other.pem").toString());
const trailers = readdirSync(FOLDER).filter((name) => name.endsWith(".trailer"));

test("the vectors are there, in every length that a signature usually has", () => {
  assert.deepEqual(trailers, [
    "der-69.trailer",
    "der-70.trailer",
    "der-71-named.trailer",
    "der-71.trailer",
    "der-72.trailer",
  ]);
  for (const name of trailers) {
    const trailer = read(name);
    assert.deepEqual([trailer.length, trailer[10]], [TRAILER, Number(name.slice(4, 6))]);
  }
});

for (const name of trailers) {
  test(`${name}: by the key, not by another, not over another file; OpenSSL says the same`, () => {
    const trailer = new Uint8Array(read(name));
    assert.equal(refusalOfSignature(hash, trailer, [key], crypto), undefined);
    assert.equal(refusalOfSignature(hash, trailer, [other, key], crypto), undefined);
    assert.notEqual(refusalOfSignature(hash, trailer, [other], crypto), undefined);
    assert.notEqual(
      refusalOfSignature(
        hash.map((byte, index) => (index === 31 ? byte ^ 1 : byte)),
        trailer,
        [key],
        crypto,
      ),
      undefined,
    );
    const der = trailer.subarray(16, 16 + trailer[10]!);
    assert.equal(verify("sha256", firmware, createPublicKey(read("public.pem")), der), true);
  });
}

test("the key id is the beginning of the SHA-256 of its point", () => {
  assert.equal(toHex(fingerprintOf(key, crypto).subarray(0, 4)), "d50fe519");
  assert.equal(toHex(readTrailer(new Uint8Array(read("der-71-named.trailer"))).keyId), "d50fe519");
  assert.equal(toHex(readTrailer(new Uint8Array(read("der-71.trailer"))).keyId), "00000000");
});

test("portable digests and arithmetic agree with the native ones", () => {
  const signed = { key: read("public.pem").toString(), hash, trailer: new Uint8Array(read("der-71.trailer")) };
  for (const part of Object.keys(PARTS) as Part[]) run(part, 8, crypto, signed);
  for (const [mine, name] of [
    [portable.md5(), "md5"],
    [portable.sha256(), "sha256"],
  ] as const) {
    mine.write(firmware.subarray(0, 100));
    mine.write(firmware.subarray(100));
    assert.equal(toHex(mine.close()), createHash(name).update(firmware).digest("hex"));
  }
  const { r, s } = readTrailer(signed.trailer);
  assert.equal(portable.verifyP256(key, hash, s, r), false);
});
