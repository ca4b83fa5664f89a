import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { HTTP_HEAD_MAX } from "../../src/constants";
import { HeadReader } from "../../src/http/head";
import type { FieldName } from "../../src/http/head";
import { interpret } from "../../src/http/response";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** Reads `text` in slices of the given lengths (repeated); returns the reader and what it left. */
function read(
  text: string,
  slices: readonly number[] = [1_000_000],
  reader = new HeadReader(),
): { reader: HeadReader; rest: number } {
  const all = bytes(text);
  let at = 0;
  for (let turn = 0; at < all.length && reader.state === "reading"; turn++) {
    // A view with stale bytes behind it, as the downloader's scratch buffer has.
    const slice = all.slice(at, at + slices[turn % slices.length]!);
    const scratch = new Uint8Array(slice.length + 8).fill(0x0a);
    scratch.set(slice);
    at += reader.push(scratch, 0, slice.length);
  }
  return { reader, rest: all.length - at };
}

const HEAD =
  "HTTP/1.1 206 Partial Content\r\nDate: Sat, 01 Aug 2026 00:00:00 GMT\r\nserver: COS\r\nCONTENT-RANGE: bytes 0-8191/708482\r\n" +
  'content-length:8192\r\nETag: "0123"\r\nX-Crc16:   b4c8\t\r\nCache-Control: no-cache\r\nContent-Type: application/octet-stream; x=y\r\n\r\n';

test("a head in one piece; what follows it is not read", () => {
  const { reader, rest } = read(`${HEAD}body`);
  assert.equal(reader.state, "done");
  assert.equal(rest, 4);
  assert.equal(reader.status, 206);
  assert.equal(reader.minor, 1);
  assert.equal(reader.field("content-range"), "bytes 0-8191/708482");
  assert.equal(reader.field("content-length"), "8192");
  assert.equal(reader.field("etag"), '"0123"');
  assert.equal(reader.field("x-crc16"), "b4c8");
  assert.equal(reader.field("location"), undefined);
});

test("the head is the same in any slices", () => {
  const whole = interpret(read(`${HEAD}body`).reader);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 10 }), (slices) => {
      const { reader, rest } = read(HEAD, slices);
      assert.equal(rest, 0);
      assert.deepEqual(interpret(reader), whole);
    }),
  );
});

for (const [what, text, expected] of [
  ["bare LF as line end", 'HTTP/1.1 200 OK\nETag: "a"\n\n', { etag: '"a"' }],
  ["no reason phrase", 'HTTP/1.1 200\r\nETag: "a"\r\n\r\n', { etag: '"a"' }],
  ["an empty line first", '\r\n\r\nHTTP/1.1 200 OK\r\nETag: "a"\r\n\r\n', { etag: '"a"' }],
  [
    "folded lines",
    'HTTP/1.1 302 Found\r\nLocation: /a\r\n \t/b\r\nX: y\r\n z\r\nETag: "a"\r\n\r\n',
    { location: "/a /b", etag: '"a"' },
  ],
  [
    "a folded field nobody wants",
    'HTTP/1.1 200 OK\r\nETag: "a"\r\nX: y\r\n Content-Length: 5\r\n\r\n',
    { etag: '"a"', "content-length": undefined },
  ],
  [
    "repeated fields",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    { "content-length": "5, 6" },
  ],
  ["empty value", "HTTP/1.1 200 OK\r\nETag:\r\n\r\n", { etag: "" }],
  ["lines without a colon", 'HTTP/1.1 200 OK\r\nrubbish\r\n: x\r\netag\r\nETag: "a"\r\n\r\n', { etag: '"a"' }],
  [
    "names that only look alike",
    "HTTP/1.1 200 OK\r\nCache-Control: x\r\nContent-Lengtx: 9\r\nLocatiox: y\r\n\r\n",
    { "content-length": undefined, location: undefined },
  ],
  [
    "a blank before the colon hides a field",
    "HTTP/1.1 200 OK\r\nContent-Length : 9\r\n\r\n",
    { "content-length": undefined },
  ],
  [
    "1xx before it",
    'HTTP/1.1 100 Continue\r\nETag: "no"\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nLocation: /\r\n\r\n',
    { etag: undefined, location: "/" },
  ],
] as const satisfies readonly (readonly [string, string, Partial<Record<FieldName, string | undefined>>])[]) {
  test(what, () => {
    for (const slices of [[1_000_000], [1], [3, 2]]) {
      const { reader, rest } = read(text, slices);
      assert.equal(reader.state, "done");
      assert.equal(rest, 0);
      for (const [name, value] of Object.entries(expected)) assert.equal(reader.field(name as FieldName), value);
    }
  });
}

for (const text of [
  "HTTP/2 200 OK\r\n\r\n",
  "ICY 200 OK\r\n\r\n",
  "<html>\r\n\r\n",
  "HTTP/1.1 20 OK\r\n\r\n",
  "HTTP/1.1 2000 OK\r\n\r\n",
  "HTTP/1.1 -20 OK\r\n\r\n",
  "HTTP/1.1  abc OK\r\n\r\n",
  "HTTP/1.1\r\n\r\n",
  "HTTP/1.x 200 OK\r\n\r\n",
  "HTTP/1.1200 OK\r\n\r\n",
  "HTTP/1.1 099 OK\r\n\r\n",
  "HTTP/1.1 101 Switching\r\n\r\n",
  "http/1.1 200 OK\r\n\r\n",
  " HTTP/1.1 200 OK\r\n\r\n",
  "\x16\x03\x01\x00\n\n",
  `HTTP/1.1 200 ${"x".repeat(5_000)}\r\n\r\n`,
]) {
  test(`not a head: ${JSON.stringify(text.slice(0, 24))}`, () => {
    assert.equal(read(text, [100]).reader.state, "malformed");
    assert.equal(read(text, [1]).reader.state, "malformed");
  });
}

test("100 KB of headers are skipped, and the wanted fields are found among them", () => {
  const padding = `X-Padding: ${"x".repeat(1_000)}\r\n`.repeat(100) + `X-One: ${"y".repeat(100_000)}\r\n`;
  for (const slices of [[512], [511, 3]]) {
    const { reader } = read(`HTTP/1.1 206 OK\r\n${padding}Content-Length: 5\r\n\r\n`, slices);
    assert.equal(reader.state, "done");
    assert.equal(reader.field("content-length"), "5");
  }
});

test("a head without an end is given up", () => {
  const reader = new HeadReader();
  read("HTTP/1.1 200 OK\r\n", [512], reader);
  const line = bytes("X-Padding: 1234567890\r\n".repeat(20));
  let fed = 0;
  while (reader.state === "reading" && fed < 10_000_000) fed += reader.push(line, 0, line.length);
  assert.equal(reader.state, "malformed");
  assert.ok(fed < 40 * HTTP_HEAD_MAX);
});

test("1xx without an end are given up", () => {
  const { reader } = read("HTTP/1.1 100 Continue\r\n\r\n".repeat(20_000), [512]);
  assert.equal(reader.state, "malformed");
});

test("wanted fields without an end are given up", () => {
  for (const line of ["Location: /aaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", " and folded on and on and on\r\n"]) {
    const { reader } = read(`HTTP/1.1 302 Found\r\nLocation: /\r\n${line.repeat(2_000)}\r\n`, [512]);
    assert.equal(reader.state, "malformed");
  }
});

test("a reader is ready for the next head after reset", () => {
  const reader = new HeadReader();
  read('HTTP/1.0 404 No\r\nETag: "a"\r\n\r\n', [512], reader);
  assert.equal(reader.pristine, false);
  reader.reset();
  assert.equal(reader.pristine, true);
  read("HTTP/1.1 200 OK\r\n\r\n", [512], reader);
  assert.equal(reader.status, 200);
  assert.equal(reader.minor, 1);
  assert.equal(reader.field("etag"), undefined);
});

test("no bytes make it throw or keep more than its bounds", () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .constantFrom(
        "HTTP/1.1 200 OK\r\n",
        "\r\n",
        "\n",
        " ",
        "Location: ",
        "content-range: bytes 0-1/2\r\n",
        "Content-Length: ",
        "\r",
        ":",
      )
      .map(bytes),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const reader = new HeadReader();
      for (const part of pieces) {
        const used = reader.push(part, 0, part.length);
        assert.ok(used <= part.length);
        if (reader.state === "done") {
          interpret(reader);
          reader.reset();
        }
        if (reader.state === "malformed") break;
      }
    }),
    { numRuns: 3_000 },
  );
});
