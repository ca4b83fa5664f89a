/** Bodies of every framing, right and wrong: chunks, lengths, ends of the connection, garbage. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RANGE, SECTOR } from "../../src/constants";
import { completes, timesOut } from "./expect";
import { Bench, FILE, good, inTurn } from "./harness";
import type { Answer, Request, Server } from "./harness";

const N = FILE.length;

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
