import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadReader } from "../../src/http/head";
import { interpret } from "../../src/http/response";
import type { Response } from "../../src/http/response";

function response(fields: string, version = "HTTP/1.1"): Response {
  const reader = new HeadReader();
  const bytes = Uint8Array.from(`${version} 206 Partial\r\n${fields}${fields === "" ? "" : "\r\n"}\r\n`, (character) =>
    character.charCodeAt(0),
  );
  reader.push(bytes, 0, bytes.length);
  assert.equal(reader.state, "done");
  return interpret(reader);
}

for (const [value, expected] of [
  ["bytes 0-8191/708482", { first: 0, last: 8191, total: 708482 }],
  ["Bytes 5-5/6", { first: 5, last: 5, total: 6 }],
  ["bytes  5-5 / 6", { first: 5, last: 5, total: 6 }],
  ["bytes 5-9/*", { first: 5, last: 9, total: -1 }],
  ["bytes */708482", { first: -1, last: -1, total: 708482 }],
  ["bytes 4294967296-4294971391/8589934592", { first: 4294967296, last: 4294971391, total: 8589934592 }],
  ["bytes */*", "malformed"],
  ["bytes 9-5/10", "malformed"],
  ["bytes 0-10/10", "malformed"],
  ["bytes 0-9", "malformed"],
  ["bytes -9/10", "malformed"],
  ["bytes 0-/10", "malformed"],
  ["items 0-9/10", "malformed"],
  ["bytes=0-9/10", "malformed"],
  ["0-9/10", "malformed"],
  ["bytes 0-9/1e9", "malformed"],
  ["bytes 0x0-9/10", "malformed"],
  ["", "malformed"],
  ["bytes 0-9/10, bytes 10-19/20", "malformed"],
  ["bytes 0-9/-1", "malformed"],
  ["bytes 0-9/9999999999999999999", "malformed"],
] as const) {
  test(`Content-Range: ${value}`, () => assert.deepEqual(response(`Content-Range: ${value}`).range, expected));
}

for (const [fields, expected] of [
  ["Content-Length: 5", { kind: "length", length: 5 }],
  ["Content-Length: 5\r\nContent-Length: 5", { kind: "length", length: 5 }],
  ["Content-Length: 5, 5", { kind: "length", length: 5 }],
  ["Content-Length: 5\r\nContent-Length: 6", "ambiguous"],
  ["Content-Length: -5", "ambiguous"],
  ["Content-Length: +5", "ambiguous"],
  ["Content-Length: 5 5", "ambiguous"],
  ["Content-Length: 5.0", "ambiguous"],
  ["Content-Length:", "ambiguous"],
  ["Content-Length: 99999999999999999999", "ambiguous"],
  ["Transfer-Encoding: Identity\r\nContent-Length: 5", { kind: "length", length: 5 }],
  ["Transfer-Encoding: chunked", { kind: "chunked", length: 0 }],
  ["Transfer-Encoding: Chunked\r\nContent-Length: 5", { kind: "chunked", length: 0 }],
  ["", { kind: "close", length: 0 }],
] as const) {
  test(`framing by "${fields.replace("\r\n", " | ")}"`, () => assert.deepEqual(response(fields).framing, expected));
}

for (const [version, fields, keepAlive] of [
  ["HTTP/1.1", "Content-Length: 5", true],
  ["HTTP/1.1", "Content-Length: 5\r\nConnection: Keep-Alive", true],
  ["HTTP/1.1", "Content-Length: 5\r\nConnection: foo, Close", false],
  ["HTTP/1.1", "Transfer-Encoding: chunked", true],
  ["HTTP/1.1", "Transfer-Encoding: chunked\r\nContent-Length: 5", false],
  ["HTTP/1.1", "", false],
  ["HTTP/1.0", "Content-Length: 5", false],
  ["HTTP/1.0", "Content-Length: 5\r\nConnection: keep-alive", true],
] as const) {
  test(`${version} with "${fields.replace("\r\n", " | ")}" ${keepAlive ? "stays open" : "closes"}`, () =>
    assert.equal(response(fields, version).keepAlive, keepAlive));
}

for (const [fields, encoded] of [
  ["", false],
  ["Content-Encoding: identity", false],
  ["Content-Encoding:", false],
  ["Transfer-Encoding: chunked", false],
  ["Content-Encoding: UTF-8", false],
  ["Content-Encoding: aws-chunked", false],
  ["Transfer-Encoding: identity\r\nContent-Length: 5", false],
  ["Content-Encoding: utf-8, gzip", true],
  ["Content-Encoding: zstd", true],
  ["Content-Encoding: gzip", true],
  ["Content-Encoding: BR", true],
  ["Transfer-Encoding: gzip, chunked", true],
  ["Transfer-Encoding: gzip", true],
] as const) {
  test(`${fields === "" ? "no coding" : fields} is ${encoded ? "" : "not "}encoded`, () =>
    assert.equal(response(fields).encoded, encoded));
}

for (const [fields, validator] of [
  ["", undefined],
  ['ETag: "a"', '"a"'],
  ['ETag: W/"a"', undefined],
  ["Last-Modified: Sat, 01 Aug 2026 00:00:00 GMT", "Sat, 01 Aug 2026 00:00:00 GMT"],
  ['ETag: W/"a"\r\nLast-Modified: yesterday', "yesterday"],
  ['ETag: "a"\r\nLast-Modified: yesterday', '"a"'],
  [`ETag: "${"x".repeat(200)}"`, undefined],
] as const) {
  test(`validator of "${fields.slice(0, 40).replace("\r\n", " | ")}"`, () =>
    assert.equal(response(fields).validator, validator));
}

test("media type, Retry-After and X-CRC16", () => {
  const some = response("Content-Type: Application/JSON ; charset=utf-8\r\nRetry-After: 30\r\nX-CRC16: b4c8");
  assert.equal(some.type, "application/json");
  assert.equal(some.retryAfter, 30);
  assert.equal(some.crc16, 0xb4c8);
  const none = response("Retry-After: Sat, 01 Aug 2026 00:00:00 GMT\r\nX-CRC16: none");
  assert.equal(none.type, "");
  assert.equal(none.retryAfter, undefined);
  assert.equal(none.crc16, -1);
});

test("a Location that is too long to be read is known to be there, however its bytes arrive", () => {
  const text = `HTTP/1.1 302 Found\r\nlocation: http://x/${"y".repeat(3_000)}\r\nContent-Length: 0\r\n\r\n`;
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  for (const slice of [1, 7, 512, 5_000]) {
    const reader = new HeadReader();
    for (let at = 0; at < bytes.length; at += slice)
      reader.push(bytes.subarray(at, at + slice), 0, Math.min(slice, bytes.length - at));
    assert.equal(reader.state, "done");
    const { location, longLocation } = interpret(reader);
    assert.deepEqual([location, longLocation], [undefined, true]);
  }
  const { longLocation } = response(`X-Padding: ${"y".repeat(3_000)}`);
  assert.equal(longLocation, false);
});

for (const [challenge, asks] of [
  ["", false],
  ['WWW-Authenticate: Basic realm="files"', true],
  ["WWW-Authenticate: DIGEST realm=x", true],
  ["WWW-Authenticate: Bearer", false],
] as const)
  test(`a password is ${asks ? "" : "not "}asked for by "${challenge}"`, () =>
    assert.equal(response(challenge).asksPassword, asks));
