/** Connections that break or stall, and the waits between them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BACKOFF_CAP,
  CONNECT_TIMEOUT,
  HTTP_IDLE_TIMEOUT,
  RANGE,
  RANGE_MAX,
  SECTOR,
  STALL_BUDGET,
} from "../../src/constants";
import { completes, cutAfter, timesOut } from "./expect";
import { Bench, FILE, good, partial } from "./harness";

const N = FILE.length;

for (const how of ["reset", "close", "silence"] as const) {
  test(`${how} at any byte: the download goes on at the next one`, () => {
    const head = partial(FILE, { first: 0, last: RANGE - 1 })[0]!.length;
    for (let count = head + 600; count < RANGE; count += 97) {
      const bench = completes(new Bench(cutAfter(count, how)));
      assert.equal(bench.requests.find(({ connection }) => connection === 2)?.first, count - head);
    }
  });
}

test("connections that bring a few bytes each add up", () => {
  const bench = completes(new Bench(cutAfter(3000, "reset")));
  assert.ok(bench.requests.reduce((most, { connection }) => Math.max(most, connection), 0) < 12);
});

test("a connection that never brings a byte of the file ends in a time-out", () => {
  for (const count of [0, 1, 50, 80])
    timesOut(
      new Bench(count === 0 ? () => ["reset"] : cutAfter(count, "reset")),
      /^no new data for 15 min: connection reset$/,
    );
});

test("the stall budget is measured from the last sector, not from the start", () => {
  const bench = new Bench((request) => (request.first >= 4 * SECTOR ? ["silence"] : partial(FILE, request)), {
    range: SECTOR,
  });
  bench.handle(bench.downloader.start(bench.now));
  let sectors = 0;
  let lastSector = 0;
  while (bench.step()) {
    if (bench.of("sector").length === sectors) continue;
    sectors++;
    lastSector = bench.now;
    if (sectors < 4) bench.now += HTTP_IDLE_TIMEOUT - 1;
  }
  assert.equal(sectors, 4);
  assert.ok(bench.last.type === "download-failed" && bench.last.cause === "download-timeout");
  assert.equal(bench.now, lastSector + STALL_BUDGET);
});

test("waits double up to the cap, with full jitter; after a connection that brought a sector the first wait is short", () => {
  const waits = (random: number): number[] =>
    timesOut(new Bench(() => ["reset"], { random: () => random }), /reset/).waits.map(
      ({ milliseconds }) => milliseconds,
    );
  assert.deepEqual(waits(0.5).slice(0, 9), [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  assert.ok(waits(0.999999).every((wait) => wait <= BACKOFF_CAP));
  const cut = cutAfter(6_000, "reset");
  const bench = completes(
    new Bench((request) =>
      request.connection === 4 ? cut(request) : request.connection < 7 ? ["reset"] : partial(FILE, request),
    ),
  );
  assert.deepEqual(
    bench.waits.map(({ milliseconds }) => milliseconds),
    [500, 1000, 2000, 125, 500, 1000],
  );
});

test("a connect that takes too long is given up and tried again", () => {
  const bench = new Bench(good());
  bench.refuseConnect = (connection) => (connection === 1 ? "silence" : undefined);
  completes(bench);
  assert.deepEqual(bench.types("connect", "close", "log").slice(0, 4), ["connect", "close", "log", "connect"]);
  assert.match(bench.waits[0]!.reason, /no connection within 10 s/);
  assert.ok(bench.now >= 1_000 + CONNECT_TIMEOUT);
});

for (const [kind, message] of [
  ["dns", "no address for files.example"],
  ["refused", "connection refused"],
  ["tls", "handshake failed"],
] as const) {
  test(`${kind}: waited out`, () => {
    const bench = new Bench(good());
    bench.refuseConnect = (connection) => (connection < 12 ? { kind, message } : undefined);
    completes(bench);
    assert.equal(bench.waits.length, 11);
    assert.equal(bench.waits[0]!.reason, message);
    bench.refuseConnect = () => ({ kind, message });
    const hopeless = new Bench(good());
    hopeless.refuseConnect = () => ({ kind, message });
    timesOut(hopeless, new RegExp(`: ${message}$`));
  });
}

test("a short silence is waited out on the same connection, a long one is not", () => {
  const bench = new Bench((request) =>
    request.connection === 1 && request.first >= RANGE ? ["silence"] : partial(FILE, request),
  );
  bench.handle(bench.downloader.start(bench.now));
  while (bench.storedLength < RANGE) bench.step();
  const heard = bench.now;
  while (bench.step() && bench.connects.length === 1) assert.ok(bench.now <= heard + HTTP_IDLE_TIMEOUT + 1000);
  assert.match(bench.waits[0]!.reason, /nothing received for 15 s/);
  while (bench.step()) void 0;
  assert.deepEqual(bench.image, FILE);
});

test("one byte at a time is fine as long as sectors come within the budget", () => {
  const bench = new Bench(good(), {}, () => 1);
  bench.handle(bench.downloader.start(bench.now));
  while (bench.step()) if (bench.last.type !== "finished") bench.now += 150;
  assert.equal(bench.last.type, "finished");
  assert.equal(bench.connects.length, 1);
  assert.deepEqual(bench.image, FILE);
});

test("one byte at a time is not fine when it takes longer than the budget", () => {
  const bench = new Bench(good(), {}, () => 1);
  bench.handle(bench.downloader.start(bench.now));
  while (bench.step()) bench.now += 1_000;
  assert.ok(bench.last.type === "download-failed" && bench.last.cause === "download-timeout");
});

test("ranges are as long as configured, within bounds", () => {
  for (const [range, expected] of [
    [SECTOR, SECTOR],
    [12_288, 12_288],
    [5_000, SECTOR],
    [1, SECTOR],
    [1_000_000, RANGE_MAX],
  ] as const) {
    assert.equal(completes(new Bench(good(), { range })).requests[0]!.last + 1, expected);
  }
});

test("stop closes what is open, and nothing happens afterwards", () => {
  for (const steps of [0, 1, 3]) {
    const bench = new Bench(good());
    bench.handle(bench.downloader.start(bench.now));
    for (let at = 0; at < steps; at++) bench.step();
    assert.deepEqual(bench.downloader.stop(), [{ type: "close" }]);
    assert.equal(bench.downloader.readTarget().length, 0);
    assert.deepEqual(
      [
        ...bench.downloader.tick(1e9),
        ...bench.downloader.opened(1e9),
        ...bench.downloader.closed(undefined, 1e9),
        ...bench.downloader.received(5, 1e9),
        ...bench.downloader.renew("http://x/", 1e9),
        ...bench.downloader.stop(),
      ],
      [],
    );
    assert.equal(bench.downloader.deadline(), undefined);
  }
});

test("all stored already: finished at once", () => {
  const bench = new Bench(good(), { offset: N }).run();
  assert.deepEqual(bench.effects, [{ type: "finished" }]);
});
