/**
 * The portable MD5: as every crypto port, at each length around its block. tests/board/portable-md5.test.ts has an
 * update with it.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { md5Digest, withPortableMd5 } from "../../src/crypto/portable-md5";
import { cryptoContract } from "../contract/crypto";

cryptoContract("portable MD5", () => withPortableMd5(new NodeCrypto()));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const expected = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");

test("portable MD5: every length up to three blocks", () => {
  for (let length = 0; length <= 192; length++) {
    const bytes = new Uint8Array(length).fill(length);
    const digest = md5Digest();
    digest.write(bytes);
    assert.equal(hex(digest.close()), expected(bytes), `${length} bytes`);
  }
});

test("portable MD5: bytes in any pieces", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (pieces) => {
      const digest = md5Digest();
      for (const piece of pieces) digest.write(piece);
      assert.equal(hex(digest.close()), expected(Buffer.concat(pieces)));
    }),
  );
});

test("portable MD5: only MD5 is taken from the other port", () => {
  const asked: string[] = [];
  const inner = new NodeCrypto();
  const crypto = withPortableMd5({
    digest: (algorithm) => (asked.push(algorithm), inner.digest(algorithm)),
    verifyP256: () => (asked.push("verifyP256"), true),
    random: () => (asked.push("random"), 0.5),
  });
  const nothing = new Uint8Array(0);
  for (const algorithm of ["MD5", "SHA1", "SHA256"] as const) crypto.digest(algorithm).close();
  assert.equal(crypto.verifyP256(nothing, nothing, nothing, nothing), true);
  assert.equal(crypto.random(), 0.5);
  assert.deepEqual(asked, ["SHA1", "SHA256", "verifyP256", "random"]);
});
