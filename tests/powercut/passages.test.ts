/** Passages of source text are found whatever the formatter does to their lines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { oneLine, placesOf } from "./mutants/passages";

const BROKEN = "const a = call(\n  one,\n  { two: [1, 2] },\n);\nnext();\n";

test("a passage in one line is found where its lines are broken, with its trailing comma", () => {
  const [place, ...more] = placesOf(BROKEN, "call(one, { two: [1, 2] })");
  assert.deepEqual(more, []);
  assert.equal(BROKEN.slice(place!.start, place!.end), "call(\n  one,\n  { two: [1, 2] },\n)");
});

test("a passage of several lines is found in one line", () => {
  assert.equal(placesOf("call(one, two); next();", "call(\n  one,\n  two,\n);\nnext();").length, 1);
});

test("a comma at the end of a passage is taken where the source has one", () => {
  for (const source of ["[a, b]", "[\n  a,\n  b,\n]"]) {
    const [place] = placesOf(source, "a,\nb,");
    assert.equal((source.slice(0, place!.start) + "c," + source.slice(place!.end)).replace(/\s/g, ""), "[c,]");
  }
});

test("each place counts, and a passage that is not there has none", () => {
  assert.equal(placesOf("f(); f();", "f();").length, 2);
  assert.equal(placesOf("f();", "g();").length, 0);
  assert.equal(placesOf("f(1, 2)", "f(1 2)").length, 0);
});

test("a name is the same for broken and unbroken lines", () => {
  assert.equal(oneLine(BROKEN), oneLine("const a = call(one, { two: [1, 2] }); next(); "));
  assert.equal(oneLine("f({\n  a,\n  b: [\n    1,\n  ],\n})"), "f({ a, b: [1] })");
});
