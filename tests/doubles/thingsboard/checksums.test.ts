/** Fact 10 of thingsboard.md: the digests of packages, against published values. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checksum } from "./checksums";

const text = (value: string): Uint8Array => Buffer.from(value);

test("the usual digests are lower-case hex", () => {
  assert.equal(checksum("MD5", text("hello")), "5d41402abc4b2a76b9719d911017c592");
  assert.equal(checksum("SHA256", text("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.deepEqual([checksum("SHA384", text("")).length, checksum("SHA512", text("")).length], [96, 128]);
});

test("CRC32 has its bytes turned round", () => {
  // The check value of CRC-32 (ISO-HDLC) is cbf43926.
  assert.equal(checksum("CRC32", text("123456789")), "2639f4cb");
});

test("Murmur 3, against values of the reference implementation, with its bytes turned round", () => {
  assert.equal(checksum("MURMUR3_32", text("")), "00000000");
  // 248bfa47 and cbd8a7b341bd9b02 5b1e906a48ae1d19
  assert.equal(checksum("MURMUR3_32", text("hello")), "47fa8b24");
  assert.equal(checksum("MURMUR3_128", text("hello")), "029bbd41b3a7d8cb191dae486a901e5b");
  // 149bbb7f and 342fac623a5ebc8e 4cdcbc079642414d
  assert.equal(checksum("MURMUR3_32", text("hello, world")), "7fbb9b14");
  assert.equal(checksum("MURMUR3_128", text("hello, world")), "8ebc5e3a62ac2f344d41429607bcdc4c");
  // e31e8a70 and b89e5988b737affc 664fc2950231b2cb
  assert.equal(checksum("MURMUR3_32", text("19 Jan 2038 at 3:14:07 AM")), "708a1ee3");
  assert.equal(checksum("MURMUR3_128", text("19 Jan 2038 at 3:14:07 AM")), "fcaf37b788599eb8cbb2310295c24f66");
});
