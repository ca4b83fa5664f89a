import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decodeUtf8, encodeUtf8, truncateUtf8, utf8Length } from "../../src/util/utf8";

// The platform's own decoder, told to keep a byte order mark as ours does, is the reference.
const reference = new TextDecoder("utf-8", { ignoreBOM: true });
// Single UTF-16 code units, so that halves of surrogate pairs occur too.
const anyString = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) });
const awkward = [
  "",
  "a",
  "\0",
  "\u007f\u0080\u07ff\u0800\uffff",
  "中文",
  "😀",
  "\ud83d",
  "\ude00",
  "\ufeffmark",
  "x".repeat(31) + "😀" + "y".repeat(40),
];

test("encoding agrees with the platform's encoder, lone surrogates included", () => {
  for (const text of awkward) assert.deepEqual([...encodeUtf8(text)], [...new TextEncoder().encode(text)]);
  fc.assert(
    fc.property(fc.oneof(anyString, fc.string({ unit: "binary" })), (text) => {
      assert.deepEqual([...encodeUtf8(text)], [...new TextEncoder().encode(text)]);
      assert.equal(utf8Length(text), Buffer.byteLength(text));
    }),
  );
});

test("decoding agrees with the platform's decoder on well-formed and on malformed bytes", () => {
  for (const text of awkward)
    assert.equal(decodeUtf8(new TextEncoder().encode(text)), reference.decode(new TextEncoder().encode(text)));
  // Bytes near the limits of the ranges are drawn more often.
  const border = fc.constantFrom(
    0x00,
    0x41,
    0x7f,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
    0xff,
  );
  fc.assert(
    fc.property(fc.oneof(fc.array(border), fc.array(fc.nat(255))), (bytes) => {
      assert.equal(decodeUtf8(Uint8Array.from(bytes)), reference.decode(Uint8Array.from(bytes)));
    }),
    { numRuns: 2000 },
  );
});

test("decoding a view reads that view alone", () => {
  const all = new TextEncoder().encode("before middle after");
  assert.equal(decodeUtf8(all.subarray(7, 13)), "middle");
});

test("truncation keeps whole characters and fits", () => {
  assert.equal(truncateUtf8("abc", 3), "abc");
  assert.equal(truncateUtf8("abcd", 3), "abc");
  assert.equal(truncateUtf8("中文", 5), "中");
  assert.equal(truncateUtf8("a😀b", 4), "a");
  assert.equal(truncateUtf8("a😀b", 5), "a😀");
  assert.equal(truncateUtf8("a", 0), "");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(40), (text, limit) => {
      const cut = truncateUtf8(text, limit);
      assert.ok(text.startsWith(cut));
      assert.ok(Buffer.byteLength(cut) <= limit);
      const [next] = text.slice(cut.length);
      if (next !== undefined) assert.ok(Buffer.byteLength(cut + next) > limit, "one more character would not fit");
    }),
  );
});
