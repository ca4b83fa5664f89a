/** What each kind of response leads to: accepted, waited out, refused, expired. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RANGE, REFUSAL_TRIES, REFUSAL_WINDOW, SECTOR } from "../../src/constants";
import { completes, fails } from "./expect";
import { Bench, FILE, good, inTurn, partial, testFile } from "./harness";
import type { Answer, Server } from "./harness";

const N = FILE.length;
const always =
  (...answer: Answer[]): Server =>
  () =>
    answer;
const status = (line: string, fields = "", body = ""): Server =>
  always(`HTTP/1.1 ${line}\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`);

/** Answers ranges with the whole file. */
function whole(framing: "length" | "chunked" | "close", fields = "", file = FILE): Server {
  if (framing === "length") return always(`HTTP/1.1 200 OK\r\n${fields}Content-Length: ${file.length}\r\n\r\n`, file);
  if (framing === "close") return always(`HTTP/1.1 200 OK\r\n${fields}\r\n`, file, "close");
  return always(
    `HTTP/1.1 200 OK\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${file.length.toString(16)}\r\n`,
    file,
    "\r\n0\r\n\r\n",
  );
}

/* ---- taken ---- */

test("200 with the right Content-Range is a range (ThingsPanel)", () => {
  completes(new Bench((request) => partial(FILE, request, "Content-Type: bin\r\n", "200 OK"), { offset: SECTOR }));
});

for (const framing of ["length", "chunked", "close"] as const) {
  for (const offset of [0, 2 * SECTOR]) {
    test(`200 without Content-Range is the whole file: ${framing}, from ${offset}`, () => {
      const bench = completes(new Bench(whole(framing), { offset }));
      assert.equal(bench.requests.length, 1, "nothing more is asked of a server that sends everything");
      assert.equal(bench.of("sector")[0]!.offset, offset);
    });
  }
}

test("a whole file is resumed after a break: what is stored is skipped", () => {
  const server = inTurn(
    always(`HTTP/1.1 200 OK\r\nContent-Length: ${N}\r\n\r\n`, FILE.subarray(0, 3 * SECTOR + 5), "reset"),
    whole("length"),
  );
  const bench = completes(new Bench(server));
  assert.equal(bench.requests.at(-1)!.first, 3 * SECTOR + 5);
});

test("an unknown size is learnt: from Content-Range, or from the whole file's Content-Length", () => {
  for (const server of [good(), whole("length")]) {
    const bench = completes(new Bench(server, { size: 0 }));
    assert.deepEqual(
      bench.of("total").map(({ size }) => size),
      [N],
    );
    assert.equal(bench.requests[0]!.last, RANGE - 1);
    assert.ok(bench.requests.every((request, index) => index === 0 || request.last < N));
  }
});

test("an unknown size smaller than the first range: a server that refuses such a range is asked for one byte", () => {
  const file = testFile(700);
  for (const refusal of ["400 Bad Request", "416 Range Not Satisfiable"]) {
    const server: Server = (request) =>
      request.last >= file.length ? [`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\n\r\n`] : partial(file, request);
    const bench = new Bench(server, { size: 0 }).run();
    assert.equal(bench.last.type, "finished");
    assert.deepEqual(bench.image, file);
    assert.deepEqual(
      bench.requests.map(({ first, last }) => [first, last]),
      [
        [0, RANGE - 1],
        [0, 0],
        [1, 699],
      ],
    );
  }
});

test("a range of a file whose total the server does not know", () => {
  completes(
    new Bench((request) => [
      `HTTP/1.1 206 OK\r\nContent-Length: ${request.last - request.first + 1}\r\nContent-Range: bytes ${request.first}-${request.last}/*\r\n\r\n`,
      FILE.subarray(request.first, request.last + 1),
    ]),
  );
});

test("the content type of a range does not matter", () => {
  completes(new Bench(good(FILE, "Content-Type: application/json\r\n")));
});

test("the type of a web page does not matter where the length is the file's", () => {
  completes(new Bench(whole("length", "Content-Type: text/html\r\n")));
});

test("100 KB of headers before each range", () => {
  completes(new Bench(good(FILE, `X-Padding: ${"x".repeat(998)}\r\n`.repeat(100))));
});

test("1xx before each range", () => {
  completes(
    new Bench((request) => [
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
      ...partial(FILE, request),
    ]),
  );
});

/* ---- refused ---- */

for (const [what, server, cause, message] of [
  ["404", status("404 Not Found", "Content-Type: text/html\r\n", "<h1>no</h1>"), "not-found", /^HTTP 404/],
  ["410", status("410 Gone"), "not-found", /^HTTP 410/],
  [
    "200 with JSON (ThingsPanel)",
    status("200 OK", "Content-Type: application/json; charset=utf-8\r\n", '{"code":400}'),
    "not-found",
    /^HTTP 200: a JSON/,
  ],
  [
    "200 with problem+json",
    status("200 OK", "Content-Type: application/problem+json\r\n", "{}"),
    "not-found",
    /^HTTP 200: a JSON/,
  ],
  [
    "200 with HTML",
    status("200 OK", "Content-Type: text/html\r\n", "<html>log in</html>"),
    "download",
    /^HTTP 200: a web page/,
  ],
  [
    "200 with HTML, chunked",
    always("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<html\r\n0\r\n\r\n"),
    "download",
    /^HTTP 200: a web page/,
  ],
  [
    "200 with another length",
    whole("length", "", FILE.subarray(1)),
    "download",
    /^HTTP 200: the file has 21713 bytes on the server, not 21714/,
  ],
  [
    "another total",
    (request) => partial(FILE.subarray(0, N - 1), request),
    "download",
    /^HTTP 206: the file has 21713 bytes/,
  ],
  [
    "another start",
    (request) => partial(FILE, { first: request.first + 1, last: request.last }),
    "download",
    /^HTTP 206: bytes from 1 in place of 0/,
  ],
  [
    "Content-Range beyond the end",
    always("HTTP/1.1 206 OK\r\nContent-Length: 9\r\nContent-Range: bytes 0-99999/*\r\n\r\n"),
    "download",
    /beyond/,
  ],
  [
    "unreadable Content-Range",
    always("HTTP/1.1 206 OK\r\nContent-Length: 9\r\nContent-Range: bytes 9-0/10\r\n\r\n"),
    "download",
    /unreadable/,
  ],
  [
    "206 without Content-Range",
    always("HTTP/1.1 206 OK\r\nContent-Length: 9\r\nContent-Type: multipart/byteranges; boundary=x\r\n\r\n"),
    "download",
    /no Content-Range/,
  ],
  ["gzip", (request) => partial(FILE, request, "Content-Encoding: gzip\r\n"), "download", /encoded although identity/],
  [
    "400 to plain http",
    status("400 Bad Request"),
    "download",
    /^HTTP 400: .*if its port is for TLS, the URL must say https/,
  ],
  [
    "401 that asks for a password",
    status("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"\r\n'),
    "download",
    /^HTTP 401: the server asks for a user name and password/,
  ],
  ["200 with an empty body", status("200 OK"), "not-found", /^HTTP 200: an empty answer, the file is not there/],
  [
    "a range of a web page",
    (request) => partial(FILE.subarray(0, 60), request, "Content-Type: text/html\r\n"),
    "download",
    /^HTTP 206: a web page/,
  ],
  [
    "416",
    status("416 Range Not Satisfiable", `Content-Range: bytes */${N}\r\n`),
    "download",
    /^HTTP 416: the server refuses bytes 0/,
  ],
  [
    "416 with another total",
    status("416 Range Not Satisfiable", "Content-Range: bytes */5\r\n"),
    "download",
    /^HTTP 416: the file has 5 bytes/,
  ],
  ["204", status("204 No Content"), "download", /^HTTP 204: unexpected/],
  ["304", status("304 Not Modified"), "download", /^HTTP 304: unexpected/],
  ["405", status("405 Method Not Allowed"), "download", /^HTTP 405: unexpected/],
  ["a longer file, chunked", whole("chunked", "", testFile(N + 1)), "download", /longer on the server/],
  ["a longer file until close", whole("close", "", testFile(N + 1)), "download", /longer on the server/],
] as const satisfies readonly (readonly [string, Server, string, RegExp])[]) {
  test(`refused after ${REFUSAL_TRIES} tries: ${what}`, () => {
    const bench = fails(new Bench(server), cause, message);
    assert.equal(bench.connects.length, REFUSAL_TRIES);
    assert.ok(bench.now - 1_000 <= REFUSAL_WINDOW);
    const { last } = bench;
    assert.ok(last.type === "download-failed");
    assert.match(last.message, /^HTTP \d{3}: /);
  });
}

for (const [what, server, message] of [
  ["416 of an empty file", status("416 Range Not Satisfiable", "Content-Range: bytes */0\r\n"), /empty/],
  ["no length, chunked", whole("chunked"), /does not tell/],
  [
    "a total of *",
    always("HTTP/1.1 206 OK\r\nContent-Length: 9\r\nContent-Range: bytes 0-8/*\r\n\r\n"),
    /does not tell/,
  ],
  ["every range refused", status("416 Range Not Satisfiable"), /refuses every range/],
] as const satisfies readonly (readonly [string, Server, RegExp])[]) {
  test(`refused where the size is unknown: ${what}`, () => {
    const bench = fails(new Bench(server, { size: 0 }), "download", message);
    assert.deepEqual(bench.of("sector"), []);
    assert.deepEqual(bench.of("total"), []);
  });
}

test("200 without content is told as what ThingsPanel v0 means by it: the file is not there", () => {
  for (const size of [0, FILE.length])
    assert.deepEqual(
      fails(new Bench(status("200 OK"), { size }), "not-found", /the file is not there/).of("sector"),
      [],
    );
});

test("more bytes are stored than the file has", () => {
  fails(
    new Bench(whole("length", "", FILE.subarray(0, 100)), { size: 0, offset: SECTOR }),
    "download",
    /100 bytes, 4096 are stored/,
  );
});

test("progress resets the count of refusals", () => {
  const no = status("404 Not Found");
  completes(new Bench(inTurn(no, no, good(), no, no, good(), no, no, good(), good())));
});

test("a refusal repeated after the window is final at once", () => {
  const bench = new Bench(
    inTurn(status("404 Not Found"), status("503 Busy", "Retry-After: 61\r\n"), status("404 Not Found")),
  );
  fails(bench, "not-found", /^HTTP 404/);
  assert.equal(bench.requests.length, 3);
});

test("a refused certificate counts as a refusal; nothing is sent", () => {
  const bench = new Bench(good(), { url: "https://files.example/fw.bin" });
  bench.refuseConnect = () => ({ kind: "certificate", message: "certificate: self-signed\ncertificate in chain" });
  fails(bench, "download", /^certificate: self-signed certificate in chain$/);
  assert.equal(bench.connects.length, REFUSAL_TRIES);
  assert.deepEqual(bench.requests, []);
});

test("plain http where it is not allowed fails at once, with advice", () => {
  const bench = fails(new Bench(good(), { allowHttp: false }), "rejected", /allowHttp/);
  assert.deepEqual(bench.connects, []);
  completes(new Bench(good(), { allowHttp: false, url: "https://files.example/fw.bin" }));
});

test("a URL that cannot be used fails at once", () => {
  fails(new Bench(good(), { url: "ftp://files.example/fw.bin?secret" }), "download", /neither http nor https/);
});

/* ---- waited out ---- */

for (const line of [
  "500 Oops",
  "502 Bad Gateway",
  "503 Busy",
  "504 Timeout",
  "429 Too Many Requests",
  "408 Request Timeout",
  "425 Too Early",
]) {
  test(`${line} is waited out`, () => {
    const bench = completes(new Bench(inTurn(...Array.from({ length: 6 }, () => status(line)), good())));
    assert.deepEqual(
      bench.waits.map(({ milliseconds }) => milliseconds),
      [500, 1000, 2000, 4000, 8000, 16000],
    );
    assert.match(bench.waits[0]!.reason, new RegExp(`^HTTP ${line.slice(0, 3)}`));
  });
}

test("Retry-After in seconds is granted up to the cap, with jitter on top; a date is not understood", () => {
  const bench = completes(
    new Bench(
      inTurn(
        status("503 Busy", "Retry-After: 20\r\n"),
        status("503 Busy", "Retry-After: 3600\r\n"),
        status("503 Busy", "Retry-After: Sat, 01 Aug 2026 00:00:00 GMT\r\n"),
        good(),
      ),
    ),
  );
  assert.deepEqual(
    bench.waits.map(({ milliseconds }) => milliseconds),
    [20_500, 61_000, 2_000],
  );
});

test("contradictory lengths are waited out", () => {
  completes(new Bench(inTurn((request) => partial(FILE, request, "Content-Length: 1\r\n"), good())));
});
