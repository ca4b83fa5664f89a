/** One request for all that is left, where the receive window bounds what is in flight. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RANGE, RANGE_MAX, SECTOR } from "../../src/constants";
import type { DownloadOptions } from "../../src/download/outputs";
import { completes, cutAfter } from "./expect";
import { Bench, FILE, good, partial, testFile } from "./harness";
import type { Server } from "./harness";

const N = FILE.length;
/** Of lwIP as ESP-IDF has it. */
const LWIP = 5_760;

function windowed(server: Server, options: Partial<DownloadOptions> = {}, window = LWIP): Bench {
  const bench = new Bench(server, options);
  bench.window = window;
  return bench;
}

const asked = (bench: Bench): number[][] => bench.requests.map(({ first, last }) => [first, last]);

test("a small window: one request up to the file's last byte", () => {
  assert.deepEqual(asked(completes(windowed(good()))), [[0, N - 1]]);
  assert.deepEqual(asked(completes(windowed(good(), { offset: 2 * SECTOR }))), [[2 * SECTOR, N - 1]]);
});

test("a window that a power cut may not cost, and none: ranges", () => {
  for (const window of [RANGE_MAX + 1, Infinity])
    assert.deepEqual(asked(completes(windowed(good(), {}, window)))[0], [0, RANGE - 1]);
  assert.deepEqual(asked(completes(windowed(good(), {}, RANGE_MAX))), [[0, N - 1]]);
});

test("the application's own length of ranges, and X-CRC16, are kept to", () => {
  assert.deepEqual(asked(completes(windowed(good(), { range: SECTOR })))[0], [0, SECTOR - 1]);
  assert.ok(completes(windowed(good(), { crc16: true })).requests.every(({ first, last }) => last - first < SECTOR));
});

test("a size that is not known is learnt by a range, which the rest follows", () => {
  assert.deepEqual(asked(completes(windowed(good(), { size: 0 }))), [
    [0, RANGE - 1],
    [RANGE, N - 1],
  ]);
});

test("a connection that breaks: the next one asks from the next byte on, up to the end", () => {
  const bench = completes(windowed(cutAfter(9_000, "reset")));
  assert.ok(bench.requests.length > 2);
  assert.ok(bench.requests.every(({ last }) => last === N - 1));
  for (const { first } of bench.requests.slice(1)) assert.ok(first % SECTOR !== 0, `${first} is no byte in a sector`);
});

test("a server that gives less than asked is asked for the rest, over the same connection", () => {
  const most = 3 * SECTOR;
  const bench = completes(
    windowed((request) =>
      partial(FILE, { first: request.first, last: Math.min(request.last, request.first + most - 1) }),
    ),
  );
  assert.equal(bench.connects.length, 1);
  assert.deepEqual(asked(bench), [
    [0, N - 1],
    [most, N - 1],
  ]);
});

test("a server that ignores the range, or closes after each answer", () => {
  const whole = completes(
    windowed(() => [`HTTP/1.1 200 OK\r\nContent-Length: ${N}\r\n\r\n`, FILE], { offset: SECTOR }),
  );
  assert.equal(whole.requests.length, 1);
  const closing = completes(windowed((request) => [...partial(FILE, request, "Connection: close\r\n"), "close"]));
  assert.equal(closing.connects.length, 1);
});

test("a device that is about to sleep asks for nothing more: what was asked for goes on", () => {
  const bench = windowed(good());
  bench.handle(bench.downloader.start(bench.now));
  while (bench.storedLength === 0) bench.step();
  bench.downloader.drain();
  assert.ok(bench.downloader.fetching);
  while (bench.last.type !== "finished") bench.step();
  assert.deepEqual(bench.image, FILE);
});

test("another window at the next connection decides anew", () => {
  const file = testFile(20 * SECTOR);
  const bench = windowed(
    (request) =>
      request.connection === 1
        ? [partial(file, request)[0]!, file.subarray(0, SECTOR), "reset"]
        : partial(file, request),
    { size: file.length },
  );
  bench.handle(bench.downloader.start(bench.now));
  while (bench.connects.length < 2) bench.step();
  bench.window = undefined;
  while (bench.last.type !== "finished") bench.step();
  assert.deepEqual(bench.image, file);
  assert.deepEqual(asked(bench).slice(0, 2), [
    [0, file.length - 1],
    [SECTOR, SECTOR + RANGE - 1],
  ]);
});

test("what waits behind a sector is read with it, and no more than the buffer has room for", () => {
  const surplus = 1_440;
  const bench = windowed(good(), { buffer: new Uint8Array(SECTOR + surplus) });
  bench.handle(bench.downloader.start(bench.now));
  while (bench.storedLength < 2 * SECTOR) bench.step();
  const head = bench.served - N;
  assert.equal(bench.received - head - bench.storedLength, surplus);
  while (bench.last.type !== "finished") bench.step();
  assert.deepEqual(bench.image, FILE);
});

test("a buffer of one sector, or of nearly two", () => {
  for (const length of [SECTOR, SECTOR + 1, 2 * SECTOR - 1])
    for (const slice of [1, 1_000, 1_440, 100_000])
      assert.deepEqual(
        asked(
          completes(
            Object.assign(new Bench(good(), { buffer: new Uint8Array(length) }, () => slice), { window: LWIP }),
          ),
        ),
        [[0, N - 1]],
      );
});
