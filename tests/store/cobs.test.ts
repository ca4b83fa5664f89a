import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { cobsDecode, cobsEncode } from "../../src/store/cobs";

const hex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString("hex");

test("the examples of the paper", () => {
  for (const [plain, stuffed] of [
    ["", "01"],
    ["00", "0101"],
    ["0000", "010101"],
    ["11220033", "0311220233"],
    ["11223344", "0511223344"],
    ["11000000", "0211010101"],
  ]) {
    assert.equal(hex(cobsEncode(Buffer.from(plain!, "hex"))), stuffed);
    assert.equal(hex(cobsDecode(Buffer.from(stuffed!, "hex"))), plain);
  }
});

test("runs of 253, 254, 255 and 508 bytes without a zero", () => {
  for (const length of [253, 254, 255, 508, 509]) {
    for (const tail of [[], [0], [0, 7]]) {
      const bytes = new Uint8Array([...new Uint8Array(length).fill(9), ...tail]);
      const stuffed = cobsEncode(bytes);
      assert.ok(!stuffed.includes(0));
      assert.equal(hex(cobsDecode(stuffed)), hex(bytes));
    }
  }
});

test("any bytes come back, no zero is in between, the length is bounded", () => {
  const zeroRich = fc
    .array(fc.oneof(fc.constant(0), fc.nat(255)), { maxLength: 1200 })
    .map((list) => Uint8Array.from(list));
  fc.assert(
    fc.property(fc.oneof(zeroRich, fc.uint8Array({ maxLength: 1200 })), (bytes) => {
      const stuffed = cobsEncode(bytes);
      assert.ok(!stuffed.includes(0));
      assert.ok(stuffed.length <= bytes.length + Math.floor(bytes.length / 254) + 1);
      assert.equal(hex(cobsDecode(stuffed)), hex(bytes));
    }),
  );
});

test("decoding gives bytes or undefined for any string, never an exception", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void cobsDecode(bytes)));
  for (const broken of ["", "00", "05112233", "020001", "0300"])
    assert.equal(cobsDecode(Buffer.from(broken, "hex")), undefined, broken);
});
