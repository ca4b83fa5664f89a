import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { HTTP_HEAD_MAX } from "../../src/constants";
import { BodyReader } from "../../src/http/body";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Reads a chunked body in slices; returns the payload, how it ended and what was left. */
function chunked(
  text: string,
  slices: readonly number[] = [1_000_000],
): { payload: string; end: "done" | "broken" | "open"; rest: number } {
  const body = new BodyReader();
  body.begin({ kind: "chunked", length: 0 });
  const all = bytes(text);
  let payload = "";
  let at = 0;
  for (let turn = 0; at < all.length && !body.done && !body.broken; turn++) {
    const end = Math.min(all.length, at + slices[turn % slices.length]!);
    while (at < end && !body.done && !body.broken) {
      const direct = Math.min(body.direct, end - at);
      if (direct > 0) {
        payload += text.slice(at, at + direct);
        body.take(direct);
        at += direct;
      } else at = body.frame(all, at, end);
    }
  }
  return { payload, end: body.done ? "done" : body.broken ? "broken" : "open", rest: all.length - at };
}

for (const [what, text, payload, rest] of [
  ["chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nHTTP", "hello world", 4],
  ["hex in both cases, leading zeros", "00a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", 0],
  ["extensions", '5;name=value\r\nhello\r\n5 ; x="a;b"\r\nhello\r\n0;last\r\n\r\n', "hellohello", 0],
  ["a long extension", `5;${"x".repeat(5_000)}\r\nhello\r\n0\r\n\r\n`, "hello", 0],
  ["trailers", '5\r\nhello\r\n0\r\nX-Crc: 1\r\nETag: "a"\r\n\r\nHTTP', "hello", 4],
  ["bare LF", "5\nhello\n0\nX: y\n\n", "hello", 0],
  ["nothing", "0\r\n\r\n", "", 0],
] as const) {
  test(`chunked: ${what}`, () => {
    for (const slices of [[1_000_000], [1], [2, 3], [512]])
      assert.deepEqual(chunked(text, slices), { payload, end: "done", rest });
  });
}

for (const [what, text] of [
  ["no size", "\r\nhello"],
  ["a size that is no number", "x\r\n"],
  ["a negative size", "-5\r\nhello"],
  ["0x", "0x5\r\nhello"],
  ["a size beyond all files", "fffffffffffffff\r\n"],
  ["no line end behind the data", "5\r\nhelloXX"],
  ["a CR that is none", "5\r\nhello\rX"],
  ["two CRs", "5\r\nhello\r\r\n"],
  ["an extension without an end", `5;${"x".repeat(2 * HTTP_HEAD_MAX)}`],
  ["trailers without an end", `0\r\n${"X: y\r\n".repeat(2_000)}`],
] as const) {
  test(`chunked, broken: ${what}`, () => {
    for (const slices of [[1_000_000], [1], [512]]) assert.equal(chunked(text, slices).end, "broken");
  });
}

test("any chunking in any slices gives the payload", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }),
      (sizes, slices) => {
        const parts = sizes.map((size, index) => String.fromCharCode(97 + index).repeat(size));
        const text = `${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("")}0\r\n\r\n`;
        assert.deepEqual(chunked(text, slices), { payload: parts.join(""), end: "done", rest: 0 });
      },
    ),
  );
});

test("no bytes make the chunk reader throw or loop", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.constantFrom("5\r\n", "\r\n", "0\r\n", ";", "ff").map(bytes)),
        { maxLength: 30 },
      ),
      (pieces) => {
        chunked(pieces.map((piece) => String.fromCharCode(...piece)).join(""), [7]);
      },
    ),
  );
});

test("a body with a length ends there, one without ends with the connection", () => {
  const body = new BodyReader();
  body.begin({ kind: "length", length: 10 });
  assert.equal(body.direct, 10);
  body.take(4);
  assert.equal(body.direct, 6);
  assert.equal(body.done, false);
  body.take(6);
  assert.equal(body.done, true);
  body.begin({ kind: "length", length: 0 });
  assert.equal(body.done, true);
  body.begin({ kind: "close", length: 0 });
  body.take(1_000_000);
  assert.equal(body.direct, Infinity);
  assert.equal(body.endsWithConnection, true);
  assert.equal(body.done, false);
});
