import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { toHex } from "../../src/util/hex";
import { hmac } from "../../src/util/hmac";

const crypto = new NodeCrypto();
const ascii = (text: string) => new TextEncoder().encode(text);

test("vectors of RFC 2202 and RFC 4231", () => {
  assert.equal(
    toHex(hmac(crypto, "MD5", new Uint8Array(16).fill(0x0b), ascii("Hi There"))),
    "9294727a3638bb1c13f48ef8158bfc9d",
  );
  assert.equal(
    toHex(hmac(crypto, "SHA1", ascii("Jefe"), ascii("what do ya want for nothing?"))),
    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
  );
  assert.equal(
    toHex(
      hmac(
        crypto,
        "SHA256",
        new Uint8Array(131).fill(0xaa),
        ascii("Test Using Larger Than Block-Size Key - Hash Key First"),
      ),
    ),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  );
});

test("agrees with the platform for any key and message", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("MD5", "SHA1", "SHA256"),
      fc.uint8Array({ maxLength: 150 }),
      fc.uint8Array({ maxLength: 300 }),
      (algorithm, key, message) => {
        assert.equal(
          toHex(hmac(crypto, algorithm, key, message)),
          createHmac(algorithm, key).update(message).digest("hex"),
        );
      },
    ),
  );
});
