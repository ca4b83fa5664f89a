/** Connections that break, stall or close, wrong lengths, and pipelined requests. */
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
  WINDOW,
} from "../../src/constants";
import { Bench, FILE, good, inTurn, partial, testFile } from "./harness";
import type { Answer, Request, Server } from "./harness";

const N = FILE.length;

function completes(bench: Bench): Bench {
  bench.run();
  assert.equal(bench.last.type, "finished", JSON.stringify(bench.last));
  assert.deepEqual(bench.image, FILE);
  assert.ok(bench.widest <= WINDOW, `${bench.widest} bytes asked ahead`);
  return bench;
}

function timesOut(bench: Bench, message: RegExp): Bench {
  bench.run();
  const { last } = bench;
  assert.ok(last.type === "download-failed", JSON.stringify(last));
  assert.equal(last.cause, "download-timeout");
  assert.match(last.message, message);
  return bench;
}

/** Cuts the stream of each connection after `count` bytes. */
function cutAfter(count: number, how: "reset" | "close" | "silence", server = good()): Server {
  let connection = 0;
  let left = 0;
  return (request) => {
    if (request.connection !== connection) left = count;
    connection = request.connection;
    const answer: Answer[] = [];
    for (const piece of server(request)) {
      if (left <= 0) break;
      const bytes = typeof piece === "string" ? Uint8Array.from(piece, (character) => character.charCodeAt(0)) : piece;
      answer.push(bytes.subarray(0, left));
      left -= bytes.length;
      if (left <= 0) answer.push(how);
    }
    return answer;
  };
}

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

/* ---- framing ---- */

/** A range in chunks of the given size, with extensions and a trailer. */
function chunked(size: number): Server {
  return (request) => {
    const body = FILE.subarray(request.first, Math.min(request.last + 1, N));
    const answer: Answer[] = [
      `HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes ${request.first}-${request.first + body.length - 1}/${N}\r\n\r\n`,
    ];
    for (let at = 0; at < body.length; at += size) {
      const chunk = body.subarray(at, at + size);
      answer.push(`${chunk.length.toString(16)};name="value"\r\n`, chunk, "\r\n");
    }
    return [...answer, "0\r\nX-Trailer: 1\r\n\r\n"];
  };
}

test("chunked ranges, whatever the chunks and slices", () => {
  for (const size of [1, 7, 511, 512, 513, 4095, 4096, 4097, 100_000]) {
    for (const slice of [1_000_000, 700, 13])
      assert.equal(completes(new Bench(chunked(size), {}, () => slice)).connects.length, 1);
  }
});

test("chunks that carry more than the range, or make no sense, cost a connection and not the download", () => {
  const more: Server = (request) => [
    `HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes ${request.first}-${request.first + 4095}/${N}\r\n\r\n1001\r\n`,
    FILE.subarray(request.first, request.first + 4097),
  ];
  const broken: Server = (request) => [
    `HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes ${request.first}-${request.last}/${N}\r\n\r\nhello\r\n`,
  ];
  const bench = completes(
    new Bench((request) => [more, broken, good()][Math.min(request.connection, 3) - 1]!(request)),
  );
  assert.deepEqual(
    bench.waits.map(({ reason }) => reason),
    ["HTTP 206: the body is longer than Content-Range says", "the server's answer is not HTTP/1.1"],
  );
});

test("ranges that end with the connection", () => {
  const server: Server = (request) => [
    `HTTP/1.0 206 OK\r\nContent-Range: bytes ${request.first}-${Math.min(request.last, N - 1)}/${N}\r\n\r\n`,
    FILE.subarray(request.first, request.last + 1),
    "close",
  ];
  const bench = completes(new Bench(server));
  assert.deepEqual(bench.waits, []);
  assert.deepEqual(
    bench.requests.map(({ first, last }) => [first, last]),
    [
      [0, RANGE - 1],
      [RANGE, N - 1],
    ],
  );
});

test("a Content-Length that is too long or too short costs connections, not progress", () => {
  const lying =
    (by: number, how: Answer): Server =>
    (request) => {
      const last = Math.min(request.last, N - 1);
      const body = FILE.subarray(request.first, last + 1);
      return [
        `HTTP/1.1 206 OK\r\nContent-Length: ${body.length + by}\r\nContent-Range: bytes ${request.first}-${last}/${N}\r\n\r\n`,
        body,
        how,
      ];
    };
  for (const how of ["close", "silence"] as const) {
    for (const by of [500, 1]) completes(new Bench(lying(by, how)));
    for (const by of [-1, -1000])
      completes(new Bench((request) => (request.connection < 4 ? lying(by, how) : good())(request)));
  }
  assert.equal(timesOut(new Bench(lying(-1, "close")), /HTTP 206: the body ended early/).storedLength, 5 * SECTOR);
});

test("a body that ends early", () => {
  const short: Server = (request) => [
    `HTTP/1.1 206 OK\r\nContent-Length: 8192\r\nContent-Range: bytes ${request.first}-${request.first + 8191}/${N}\r\n\r\n`,
    FILE.subarray(request.first, request.first + 5000),
    "close",
  ];
  const bench = completes(new Bench((request) => (request.connection === 1 ? short : good())(request)));
  assert.equal(bench.requests.find(({ connection }) => connection === 2)!.first, 5000);
});

test("a range without a body", () => {
  const none: Server = (request) => [
    `HTTP/1.1 206 OK\r\nContent-Length: 0\r\nContent-Range: bytes ${request.first}-${request.last}/${N}\r\n\r\n`,
  ];
  const bench = completes(new Bench((request) => (request.connection === 1 ? none : good())(request)));
  assert.deepEqual(
    bench.waits.map(({ reason }) => reason),
    ["HTTP 206: the body ended early"],
  );
});

test("garbage in place of an answer", () => {
  for (const garbage of ["\x16\x03\x01\x02\x00\x01\x00\n", "SSH-2.0-OpenSSH_9\r\n", "HTTP/2 200\r\n\r\n"]) {
    assert.match(completes(new Bench(inTurn(() => [garbage], good()))).waits[0]!.reason, /not HTTP\/1\.1/);
    timesOut(new Bench(() => [garbage]), /not HTTP\/1\.1/);
  }
});

test("an endless head, body or chunk extension does not hold the download for ever", () => {
  const rubbish = new Uint8Array(400_000).fill(0x61);
  for (const server of [
    (): Answer[] => ["HTTP/1.1 200 OK\r\n", rubbish, "\n", rubbish, "\n"],
    (): Answer[] => [rubbish],
    (request: Request): Answer[] => [
      `HTTP/1.1 206 OK\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes ${request.first}-${request.first + 4095}/${N}\r\n\r\n1;`,
      rubbish,
    ],
  ]) {
    completes(new Bench(inTurn(server, good())));
    timesOut(new Bench(server), /./);
  }
});

/* ---- connections and requests ahead ---- */

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

test("on a slow link the next request leaves just early enough, so that a broken connection costs less", () => {
  const file = testFile(40 * SECTOR);
  const ahead = (rate: number, latency: number): number => {
    let most = 0;
    const bench = new Bench(
      (request) => {
        if (request.connection === 1 && request.number > 2) most = Math.max(most, request.unread);
        return partial(file, request);
      },
      { size: file.length },
      () => 512,
    );
    throttled(bench, rate, latency);
    assert.deepEqual(bench.image, file);
    assert.ok(bench.widest <= WINDOW);
    return most;
  };
  const [near, far, farther] = [ahead(16_384, 50), ahead(16_384, 150), ahead(16_384, 2_000)];
  assert.ok(near < 3_072 && far > near && far < 5_120 && farther > SECTOR, `${near} ${far} ${farther}`);
  assert.ok(ahead(1_000_000, 5) > SECTOR);
});

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
