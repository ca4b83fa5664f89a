/** What every `Crypto` of src/ports.ts keeps to. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Crypto, DigestAlgorithm } from "../../src/ports";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** FIPS 180-4's and RFC 1321's own examples for "abc". */
const ABC: Readonly<Record<DigestAlgorithm, string>> = {
  MD5: "900150983cd24fb0d6963f7d28e17f72",
  SHA1: "a9993e364706816aba3e25717850c26c9cd0d89d",
  SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
};

export function cryptoContract(name: string, create: () => Crypto): void {
  for (const algorithm of ["MD5", "SHA1", "SHA256"] as const) {
    test(`${name}: ${algorithm}, whole, in pieces, of nothing`, () => {
      const crypto = create();
      const whole = crypto.digest(algorithm);
      whole.write(Buffer.from("abc"));
      assert.equal(hex(whole.close()), ABC[algorithm]);
      assert.equal(hex(crypto.digest(algorithm).close()), createHash(algorithm).digest("hex"));
      const image = Buffer.alloc(10_000, "xs-ota ");
      const pieces = crypto.digest(algorithm);
      for (let at = 0; at < image.length; at += 4095) pieces.write(image.subarray(at, at + 4095));
      assert.equal(hex(pieces.close()), createHash(algorithm).update(image).digest("hex"));
    });
  }

  test(`${name}: two digests at a time do not mix, and what was written may be reused`, () => {
    const crypto = create();
    const [first, second] = [crypto.digest("SHA256"), crypto.digest("SHA256")];
    const buffer = Buffer.from("abc");
    first.write(buffer);
    buffer.fill(0);
    second.write(buffer);
    assert.equal(hex(first.close()), ABC.SHA256);
    assert.equal(hex(second.close()), createHash("sha256").update(buffer).digest("hex"));
  });

  test(`${name}: random numbers are from 0 to below 1 and differ`, () => {
    const crypto = create();
    const seen = Array.from({ length: 100 }, () => crypto.random());
    assert.ok(seen.every((value) => value >= 0 && value < 1));
    assert.ok(new Set(seen).size > 90);
  });
}
