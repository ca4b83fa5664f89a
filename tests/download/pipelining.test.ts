/** How many requests are sent ahead, and to which servers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RANGE, RANGE_MAX, SECTOR, WINDOW } from "../../src/constants";
import { completes } from "./expect";
import { Bench, FILE, good, partial, testFile } from "./harness";
import type { Server } from "./harness";

const N = FILE.length;

test("a server that announces to close gets one large range per connection, without waits", () => {
  const server: Server = (request) => {
    assert.equal(request.number, 1);
    return [...partial(FILE, request, "Connection: close\r\n"), "close"];
  };
  const bench = completes(new Bench(server));
  assert.deepEqual(bench.waits, []);
  assert.deepEqual(
    bench.requests.map(({ first, last }) => [first, last + 1 - first]),
    [
      [0, RANGE],
      [RANGE, N - RANGE],
    ],
  );
  assert.ok(N - RANGE <= RANGE_MAX);
});

test("a server that closes after each response unannounced: lost requests are repeated without a wait", () => {
  const file = testFile(40 * SECTOR);
  const bench = new Bench((request) => (request.number === 1 ? [...partial(file, request), "close"] : []), {
    size: file.length,
  }).run();
  assert.deepEqual(bench.image, file);
  assert.deepEqual(bench.waits, []);
  // The first connection had a second request under way; from then on one large range each.
  assert.deepEqual(
    bench.requests
      .filter(({ number }) => number === 1)
      .map(({ first, last }) => last + 1 - first)
      .slice(0, 3),
    [RANGE, RANGE_MAX, RANGE_MAX],
  );
  assert.ok(bench.requests.every(({ connection, ahead }) => connection === 1 || ahead === 0));
});

test("a server that resets at a pipelined request gets no more of them", () => {
  const file = testFile(20 * SECTOR);
  // As a kernel does when a socket is closed with bytes unread: what is on its way is lost.
  const server: Server = (request) => {
    if (request.number > 1) return ["reset"];
    const [head, body] = partial(file, request) as [string, Uint8Array];
    return request.last - request.first < RANGE_MAX - 1 && request.connection < 3
      ? [head, body.subarray(0, 1000)]
      : [head, body, "close"];
  };
  const bench = new Bench(server, { size: file.length }).run();
  assert.deepEqual(bench.image, file);
});

test("a server that closes after every third answer", () => {
  const file = testFile(30 * SECTOR);
  const bench = new Bench(
    (request) =>
      request.number < 3 ? partial(file, request) : request.number === 3 ? [...partial(file, request), "close"] : [],
    { size: file.length },
  ).run();
  assert.deepEqual(bench.image, file);
  assert.deepEqual(bench.waits, []);
  assert.ok(bench.widest <= WINDOW);
});

test("a server that stops closing after each response gets pipelined requests again", () => {
  const file = testFile(60 * SECTOR);
  const bench = new Bench(
    (request) => (request.connection < 4 ? [...partial(file, request), "close"] : partial(file, request)),
    { size: file.length },
  ).run();
  assert.deepEqual(bench.image, file);
  const last = bench.requests.filter(({ connection }) => connection === 4);
  assert.equal(bench.connects.length, 4);
  assert.deepEqual(
    last.slice(0, 2).map(({ ahead, first, last: end }) => [ahead, end + 1 - first]),
    [
      [0, RANGE_MAX],
      [0, RANGE_MAX],
    ],
  );
  assert.ok(last.slice(2).some(({ ahead }) => ahead > 0));
  assert.ok(last.slice(2).every(({ first, last: end }) => end + 1 - first <= RANGE));
});

test("no request is pipelined before a response kept the connection open", () => {
  const bench = new Bench(good());
  bench.handle(bench.downloader.start(bench.now));
  bench.step();
  assert.equal(bench.requests.length, 1);
  for (const version of ["HTTP/1.0 206 OK\r\n", "HTTP/1.1 206 OK\r\nConnection: close\r\n"]) {
    const closing = new Bench((request) => [
      `${version}Content-Length: ${request.last + 1 - request.first}\r\nContent-Range: bytes ${request.first}-${request.last}/${N}\r\n\r\n`,
      FILE.subarray(request.first, request.last + 1),
    ]);
    completes(closing);
    assert.ok(closing.requests.every(({ number }) => number === 1));
  }
});

/** A link of `rate` bytes per second on which an answer takes `latency` ms to begin; `each` runs after every step. */
function throttled(bench: Bench, rate: number, latency: number, each: () => void = () => undefined): Bench {
  bench.stored = new Uint8Array(1024 * 1024);
  bench.handle(bench.downloader.start(bench.now));
  while (bench.last.type !== "finished") {
    const { received, served, waiting } = bench;
    bench.step();
    bench.now += (1000 * (bench.received - received)) / rate;
    if (waiting === 0 && bench.served > served) bench.now += latency;
    each();
  }
  return bench;
}

test("700 KB over 16 KiB/s with a reset every 20 s: at most 5 % more is served than the image has", () => {
  const file = testFile(700 * 1024);
  const extra = "Server: nginx\r\nDate: Sat, 01 Aug 2026 00:00:00 GMT\r\nContent-Type: application/octet-stream\r\n";
  for (const offset of [0, 3_000, 7_000, 11_000, 15_000, 19_000]) {
    const bench = new Bench(good(file, extra), { size: file.length }, () => 512);
    let broken = bench.now - offset;
    throttled(bench, 16_384, 60, () => {
      if (bench.now - broken <= 20_000) return;
      broken = bench.now;
      bench.breakConnection();
    });
    assert.deepEqual(bench.image, file);
    assert.ok(bench.connects.length > 2);
    const asked = bench.requests.reduce((sum, { first, last }) => sum + last + 1 - first, 0);
    assert.ok(asked <= 1.05 * file.length, `${asked - file.length} bytes fetched again`);
  }
});

test("a server that gives less, or more, than asked is asked one range at a time", () => {
  for (const most of [1, 100, 4095, 5000]) {
    const bench = completes(
      new Bench(
        (request) => partial(FILE, { first: request.first, last: Math.min(request.last, request.first + most - 1) }),
        { range: RANGE_MAX },
      ),
    );
    assert.ok(bench.connects.length <= 2, `${bench.connects.length} connections`);
  }
  const bench = completes(new Bench((request) => partial(FILE, { first: request.first, last: N - 1 })));
  assert.equal(bench.requests.length, 1);
});

test("a server that mixes up pipelined requests is asked one at a time", () => {
  const server: Server = (request) =>
    request.number === 1 ? partial(FILE, request) : partial(FILE, { first: 0, last: 4095 });
  const bench = completes(new Bench(server));
  assert.deepEqual(bench.of("download-failed"), []);
});
