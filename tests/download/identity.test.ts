/** The file changes during the download: the digest decides where there is one, else the download starts over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { Bench, FILE, partial, testFile } from "./harness";
import type { Server } from "./harness";

const OTHER = FILE.map((byte) => byte ^ 0xff);
const DATE = "Last-Modified: Sat, 01 Aug 2026 00:00:00 GMT\r\n";

/** Another validator, and other bytes, from the n-th request on. */
function changing(
  from: number,
  fields: readonly [string, string],
  files: readonly [Uint8Array, Uint8Array] = [FILE, OTHER],
): Server {
  let count = 0;
  return (request) => {
    const late = count++ >= from ? 1 : 0;
    return partial(files[late]!, request, fields[late]);
  };
}

for (const [what, fields] of [
  ["ETag", ['ETag: "1"\r\n', 'ETag: "2"\r\n']],
  ["Last-Modified", [DATE, DATE.replace("2026", "2027")]],
] as const) {
  test(`${what} changes and there is a digest: logged once, the download continues`, () => {
    const bench = new Bench(changing(1, fields, [FILE, FILE])).run();
    assert.equal(bench.last.type, "finished");
    assert.equal(bench.logged(/ETag or Last-Modified has changed; the digest will decide/), 1);
    assert.deepEqual(bench.image, FILE);
  });

  test(`${what} changes and there is no digest: the download starts over by itself`, () => {
    const bench = new Bench(changing(2, fields), { hasDigest: false, range: 2 * SECTOR }).run();
    assert.equal(bench.last.type, "finished");
    assert.equal(bench.of("start-over").length, 1);
    assert.match(bench.of("start-over")[0]!.reason, /changed/);
    assert.deepEqual(bench.image, OTHER);
    assert.deepEqual(bench.of("total").length, 2);
    assert.deepEqual(bench.waits, []);
  });
}

test("a resumed download compares with the validator it had", () => {
  const server: Server = (request) => partial(OTHER, request, 'ETag: "2"\r\n');
  const digest = new Bench(server, { offset: SECTOR, validator: '"1"' }).run();
  assert.deepEqual(digest.types("log", "start-over"), ["log"]);
  const none = new Bench(server, { offset: SECTOR, validator: '"1"', hasDigest: false }).run();
  assert.deepEqual(none.types("log", "start-over"), ["start-over"]);
  assert.deepEqual(none.image, OTHER);
  assert.deepEqual(none.of("sector")[0]!.offset, 0);
  const same = new Bench((request) => partial(FILE, request, 'ETag: "2"\r\n'), {
    offset: SECTOR,
    validator: '"2"',
    hasDigest: false,
  }).run();
  assert.deepEqual(same.types("log", "start-over"), []);
});

test("what cannot be compared is no change: another kind of validator, a weak one, none", () => {
  for (const fields of [
    ['ETag: "1"\r\n', DATE],
    ['ETag: "1"\r\n', ""],
    ["", 'ETag: "1"\r\n'],
    ['ETag: W/"1"\r\n', 'ETag: W/"2"\r\n'],
  ] as const) {
    const bench = new Bench(changing(1, fields, [FILE, FILE]), { hasDigest: false }).run();
    assert.equal(bench.last.type, "finished");
    assert.deepEqual(bench.types("log", "start-over"), []);
  }
});

test("a validator that changes before anything is stored is no change", () => {
  const bench = new Bench((request) => partial(FILE, request, 'ETag: "2"\r\n'), {
    validator: '"1"',
    hasDigest: false,
  }).run();
  assert.deepEqual(bench.types("log", "start-over"), []);
  assert.equal(bench.of("total")[0]!.validator, '"2"');
});

test("a file that changes again and again fails the download after three restarts", () => {
  let count = 0;
  const bench = new Bench((request) => partial(FILE, request, `ETag: "${count++}"\r\n`), {
    hasDigest: false,
    range: SECTOR,
  }).run();
  assert.equal(bench.of("start-over").length, 3);
  assert.ok(bench.last.type === "download-failed" && bench.last.cause === "download");
  assert.match(bench.last.message, /keeps changing/);
});

test("another total where the length came from the server and there is no digest: start over with the new length", () => {
  const longer = testFile(FILE.length + 5000);
  const bench = new Bench(changing(2, ["", ""], [FILE, longer]), {
    hasDigest: false,
    size: 0,
    range: 2 * SECTOR,
  }).run();
  assert.equal(bench.last.type, "finished");
  assert.deepEqual(
    bench.of("total").map(({ size }) => size),
    [FILE.length, longer.length],
  );
  assert.deepEqual(bench.image, longer);
});

test("another total where the length was offered or there is a digest: refused", () => {
  const longer = testFile(FILE.length + 5000);
  for (const options of [{ hasDigest: false }, { hasDigest: true, size: 0 }]) {
    const bench = new Bench(changing(2, ["", ""], [FILE, longer]), { ...options, range: 2 * SECTOR }).run();
    assert.ok(bench.last.type === "download-failed" && bench.last.cause === "download");
    assert.match(bench.last.message, /bytes on the server/);
  }
});

test("the total is reported once, with the validator, before the first sector, and again only after a restart", () => {
  const bench = new Bench((request) =>
    request.first >= 2 * SECTOR && request.connection < 4 ? ["reset"] : partial(FILE, request, 'ETag: "1"\r\n'),
  ).run();
  assert.deepEqual(bench.of("total"), [{ type: "total", size: FILE.length, validator: '"1"' }]);
});
