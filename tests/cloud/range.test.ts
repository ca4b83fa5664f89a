import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decide, type ConditionHeaders } from "../../host-sim/cloud/core/files/range";

const file = { size: 1000, etag: '"abc"', modified: Date.UTC(2026, 0, 2, 3, 4, 5, 678) };
const date = "Fri, 02 Jan 2026 03:04:05 GMT";
const earlier = "Fri, 02 Jan 2026 03:04:04 GMT";
const later = "Fri, 02 Jan 2026 03:04:06 GMT";
const whole = { status: 200, start: 0, end: 999 };

function part(start: number, end: number): object {
  return { status: 206, start, end };
}

test("ranges: RFC 9110, section 14", () => {
  const rows: [string, object][] = [
    ["bytes=0-", part(0, 999)],
    ["bytes=0-0", part(0, 0)],
    ["bytes=100-199", part(100, 199)],
    ["bytes=999-", part(999, 999)],
    ["bytes=999-5000", part(999, 999)],
    ["bytes=0-1000", part(0, 999)],
    ["bytes=-1", part(999, 999)],
    ["bytes=-1000", part(0, 999)],
    ["bytes=-5000", part(0, 999)],
    ["BYTES=1-2", part(1, 2)],
    ["bytes= 1-2 ", part(1, 2)],
    [`bytes=5-${"9".repeat(400)}`, part(5, 999)],
    ["bytes=1000-", { status: 416 }],
    ["bytes=1000-1000", { status: 416 }],
    ["bytes=-0", { status: 416 }],
    [`bytes=${"9".repeat(400)}-`, { status: 416 }],
    // Ignored: malformed, another unit, several at once.
    ["bytes=2-1", whole],
    ["bytes=-", whole],
    ["bytes=", whole],
    ["bytes=a-b", whole],
    ["bytes=1-2,4-5", whole],
    ["lines=1-2", whole],
    ["1-2", whole],
    ["", whole],
  ];
  for (const [range, wanted] of rows) assert.deepEqual(decide("GET", { range }, file), wanted, range);
  assert.deepEqual(decide("GET", {}, file), whole);
  assert.deepEqual(decide("HEAD", { range: "bytes=1-2" }, file), whole);
});

test("conditions: RFC 9110, section 13", () => {
  const range = "bytes=1-2";
  const rows: [ConditionHeaders, object][] = [
    [{ range, "if-range": '"abc"' }, part(1, 2)],
    [{ range, "if-range": '"abd"' }, whole],
    [{ range, "if-range": 'W/"abc"' }, whole],
    [{ range, "if-range": date }, part(1, 2)],
    [{ range, "if-range": later }, whole],
    [{ range, "if-range": "nonsense" }, whole],
    [{ "if-range": '"abc"' }, whole],
    [{ range, "if-match": '"abc"' }, part(1, 2)],
    [{ range, "if-match": '"x", "abc"' }, part(1, 2)],
    [{ range, "if-match": "*" }, part(1, 2)],
    [{ range, "if-match": '"abd"' }, { status: 412 }],
    [{ range, "if-match": 'W/"abc"' }, { status: 412 }],
    [{ "if-unmodified-since": date }, whole],
    [{ "if-unmodified-since": earlier }, { status: 412 }],
    [{ "if-match": '"abc"', "if-unmodified-since": earlier }, whole],
    [{ "if-none-match": '"abc"' }, { status: 304 }],
    [{ "if-none-match": 'W/"abc"' }, { status: 304 }],
    [{ "if-none-match": "*" }, { status: 304 }],
    [{ "if-none-match": '"abd"' }, whole],
    [{ "if-modified-since": date }, { status: 304 }],
    [{ "if-modified-since": earlier }, whole],
    [{ "if-none-match": '"abd"', "if-modified-since": date }, whole],
    [{ range: "bytes=1000-", "if-match": '"abd"' }, { status: 412 }],
  ];
  for (const [headers, wanted] of rows) assert.deepEqual(decide("GET", headers, file), wanted, JSON.stringify(headers));
});

test("whatever is asked, the answer lies inside the file", () => {
  const number = fc.oneof(fc.constant(""), fc.nat(1200).map(String), fc.bigInt({ min: 0n }).map(String));
  const field = fc.oneof(
    fc.tuple(number, number).map(([first, last]) => `bytes=${first}-${last}`),
    fc.string(),
  );
  fc.assert(
    fc.property(field, fc.integer({ min: 1, max: 1100 }), (range, size) => {
      const decision = decide("GET", { range }, { ...file, size });
      if (decision.status === 416) return;
      assert.ok(decision.status === 200 || decision.status === 206);
      assert.ok(0 <= decision.start && decision.start <= decision.end && decision.end < size);
    }),
  );
});
