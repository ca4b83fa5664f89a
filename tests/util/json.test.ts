import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { JsonError, asObject, integerMember, member, parseJson, stringMember } from "../../src/util/json";

const bytes = (text: string) => new TextEncoder().encode(text);
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

test("reads what JSON.parse reads, from text and from bytes", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = JSON.stringify(value);
      assert.deepEqual(parseJson(text, 16), JSON.parse(text));
      assert.deepEqual(parseJson(bytes(text), 16), JSON.parse(text));
    }),
  );
});

test("nesting up to the limit is accepted, one level more is refused", () => {
  for (const input of [nested(16), bytes(nested(16))]) assert.ok(Array.isArray(parseJson(input, 16)));
  for (const input of [nested(17), bytes(nested(17)), '{"a":'.repeat(17) + "1" + "}".repeat(17), "[".repeat(1_000_000)])
    assert.throws(() => parseJson(input, 16), { name: "JsonError", message: "nested deeper than 16" });
});

test("brackets inside strings do not count, escaped quotes do not end a string", () => {
  for (const value of ["[".repeat(50), '"' + "[".repeat(50), "\\" + "{".repeat(50), '\\"[[[[', "😀[[[["])
    assert.equal(parseJson(JSON.stringify(value), 0), value);
  assert.throws(() => parseJson(`["\\\\",${nested(3)}]`, 3), JsonError);
});

test("brackets side by side do not add up", () => {
  assert.equal((parseJson(`[${Array.from({ length: 100 }, () => "[]").join()}]`, 2) as unknown[]).length, 100);
});

test("anything else throws JsonError and nothing but JsonError", () => {
  for (const text of ["", " ", "{", "]", "]]]][[[[", '{"a":1', "undefined", "'a'", "[1,]", '"\\', '"\n"', "\ufeff{}"])
    assert.throws(() => parseJson(text, 16), JsonError, text);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.array(fc.constantFrom(...'[]{}":,\\1a ')).map((all) => bytes(all.join(""))),
      ),
      (input) => {
        try {
          parseJson(input, 4);
        } catch (error) {
          assert.ok(error instanceof JsonError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("asObject takes objects only", () => {
  for (const value of [null, undefined, 1, "a", true, [], [{}]]) assert.equal(asObject(value), undefined);
  assert.deepEqual(asObject({ a: 1 }), { a: 1 });
});

test("members are own members", () => {
  const object = asObject(parseJson('{"a":1,"__proto__":{"b":2}}', 16))!;
  assert.equal(member(object, "a"), 1);
  assert.deepEqual(member(object, "__proto__"), { b: 2 });
  for (const key of ["b", "toString", "constructor", "hasOwnProperty"])
    assert.equal(member(object, key), undefined, key);
});

test("lenient readers return undefined for another type", () => {
  const object = {
    text: "a",
    empty: "",
    number: 12,
    digits: "12",
    negative: "-5",
    real: 1.5,
    hex: "0x10",
    spaced: " 1",
    long: "99999999999999999",
    exact: 2 ** 53 - 1,
    tooBig: 2 ** 53,
    none: null,
  };
  assert.equal(stringMember(object, "text"), "a");
  assert.equal(stringMember(object, "empty"), "");
  assert.equal(stringMember(object, "number"), undefined);
  assert.equal(stringMember(object, "absent"), undefined);
  assert.equal(integerMember(object, "number"), 12);
  assert.equal(integerMember(object, "digits"), 12);
  assert.equal(integerMember(object, "negative"), -5);
  assert.equal(integerMember(object, "exact"), 2 ** 53 - 1);
  for (const key of ["text", "empty", "real", "hex", "spaced", "long", "tooBig", "none", "absent"])
    assert.equal(integerMember(object, key), undefined, key);
});

test("a byte order mark in front and NUL bytes around are no part of the JSON", () => {
  const bom = [0xef, 0xbb, 0xbf];
  const text = [...bytes('{"a":"\\u0000x"}')];
  for (const given of [
    [...text, 0],
    [...text, 0, 0, 0],
    [...bom, ...text],
    [0, ...bom, ...text, 0],
  ])
    assert.deepEqual(parseJson(Uint8Array.from(given), 4), { a: "\0x" });
  for (const given of [[], [0], bom, [0, 0, ...bom, 0], [...text, 0, ...text], [0xff, 0xfe, ...text]])
    assert.throws(() => parseJson(Uint8Array.from(given), 4), /^JsonError: not JSON$/);
});
