import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decodeBase64 } from "../../src/util/base64";
import { crc32 } from "../../src/util/crc32";
import { fromHex, toHex } from "../../src/util/hex";

/** CRC-32 bit by bit, straight from the polynomial. */
function slowCrc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const someBytes = fc.uint8Array({ maxLength: 200 });

test("hex is written and read, in either case", () => {
  assert.equal(toHex(Uint8Array.of(0, 1, 0xab, 0xff)), "0001abff");
  assert.deepEqual([...fromHex("0001ABff")], [0, 1, 0xab, 0xff]);
  fc.assert(fc.property(someBytes, (bytes) => assert.deepEqual([...fromHex(toHex(bytes))], [...bytes])));
});

test("what is not hex is refused by name", () => {
  assert.throws(() => fromHex("abc"), /hex: odd number of digits \(3\)/);
  for (const text of ["zz", "0x", " 1", "1 ", "٣٣", "+1"]) assert.throws(() => fromHex(text), /not a hex digit/, text);
});

test("base64 decodes what the platform encodes", () => {
  assert.deepEqual([...decodeBase64("")], []);
  assert.equal(toHex(decodeBase64("3ZxkQmVyVGVzdFZlY3Rvcg==")), "dd9c6442657254657374566563746f72");
  fc.assert(
    fc.property(someBytes, (bytes) =>
      assert.deepEqual([...decodeBase64(Buffer.from(bytes).toString("base64"))], [...bytes]),
    ),
  );
});

test("bits beyond the last byte are ignored, as other decoders do", () => {
  for (const text of ["AB==", "ABC=", "//9="])
    assert.deepEqual([...decodeBase64(text)], [...Buffer.from(text, "base64")]);
});

test("what is not base64 is refused without showing it", () => {
  const wrong = ["abc", "abcde", "ab=c", "=abc", "====", "a===", "ab\nc", "ab-_", "ab c", "äbcd", "abcd=abc"];
  for (const text of wrong) {
    assert.throws(
      () => decodeBase64(text),
      (error: Error) =>
        error instanceof RangeError && error.message.startsWith("base64: ") && !error.message.includes(text),
      JSON.stringify(text),
    );
  }
});

test("crc32 is that of zlib and Ethernet, in one go and in parts", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
  fc.assert(
    fc.property(someBytes, someBytes, (first, second) => {
      assert.equal(crc32(first), slowCrc32(first));
      assert.equal(crc32(second, crc32(first)), slowCrc32(Buffer.concat([first, second])));
    }),
  );
});
