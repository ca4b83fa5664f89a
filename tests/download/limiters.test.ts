/** Servers that limit how often they are asked, and servers whose first byte takes long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FIRST_BYTE_TIMEOUT, HTTP_IDLE_TIMEOUT, SECTOR, STALL_BUDGET } from "../../src/constants";
import { completes, timesOut } from "./expect";
import { ascii, Bench, FILE, inTurn, partial, testFile } from "./harness";
import type { Answer, Server } from "./harness";

const LARGE = testFile(700_000);

/** `make`: the server, or what makes one that knows the time. */
const downloadsLarge = (make: Server | { readonly at: (now: () => number) => Server }): Bench => {
  const bench: Bench = new Bench(typeof make === "function" ? make : make.at(() => bench.now), { size: LARGE.length });
  bench.stored = new Uint8Array(LARGE.length);
  bench.run();
  assert.equal(bench.last.type, "finished", JSON.stringify(bench.last));
  assert.deepEqual(bench.image, LARGE);
  return bench;
};

const BODY = "<html>slow down</html>";
const refusal = (line: string, fields = "", body = BODY): Answer[] => [
  `HTTP/1.1 ${line}\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`,
];
const CHUNKED = "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<html\r\n7\r\n></html\r\n0\r\n\r\n";

for (const [what, answer] of [
  ["429", refusal("429 Too Many Requests")],
  ["503", refusal("503 Busy", "Retry-After: 3\r\n")],
  ["403", refusal("403 Forbidden")],
  ["503 in chunks", [CHUNKED]],
  ["429 without a body", refusal("429 Too Many Requests", "", "")],
] as const) {
  test(`${what}: the connection that the server keeps is used again`, () => {
    for (const slice of [1, 100, 100_000]) {
      const server: Server = inTurn(
        (request) => partial(FILE, request),
        () => answer,
        (request) => partial(FILE, request),
      );
      const bench = completes(new Bench(server, {}, () => slice));
      assert.equal(bench.connects.length, 1);
      assert.equal(bench.waits.length, 1);
    }
  });
}

for (const [what, answer] of [
  ["a server that closes", refusal("503 Busy", "Connection: close\r\n")],
  ["a long page", refusal("429 Too Many Requests", "", "x".repeat(20_000))],
  ["a page that never ends", ["HTTP/1.1 429 Slow\r\nContent-Length: 500\r\n\r\nx", "silence"] as Answer[]],
  ["a broken page", ["HTTP/1.1 429 Slow\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n", "silence"] as Answer[]],
  ["a page that is cut", ["HTTP/1.1 429 Slow\r\nContent-Length: 500\r\n\r\nx", "reset"] as Answer[]],
] as const) {
  test(`a new connection after ${what}`, () => {
    const bench = completes(
      new Bench(
        inTurn(
          () => answer,
          (request) => partial(FILE, request),
        ),
      ),
    );
    assert.equal(bench.connects.length, 2);
    assert.match(bench.waits[0]!.reason, /^HTTP (429|503)/);
  });
}

test("the connection ends during the wait: the wait goes on, and a new one is made at its end", () => {
  for (const after of [["close"], ["reset"], ["HTTP/1.1 408 Request Time-out\r\nConnection: close\r\n\r\n", "close"]]) {
    const bench = completes(
      new Bench(
        inTurn(
          () => [...refusal("503 Busy", "Retry-After: 20\r\n"), ...(after as Answer[])],
          (request) => partial(FILE, request),
        ),
      ),
    );
    assert.equal(bench.connects.length, 2);
    assert.ok(bench.now >= 1_000 + 20_000, `${bench.now}`);
  }
});

test("bytes of an unfinished sector outlive a refusal on the same connection", () => {
  const bench = downloadsLarge(
    inTurn(
      () => partial(LARGE, { first: 0, last: 4_999 }),
      () => refusal("503 Busy"),
      (request) => partial(LARGE, request),
    ),
  );
  assert.equal(bench.connects.length, 1);
  assert.deepEqual(
    bench.requests.slice(0, 3).map(({ first }) => first),
    [0, 5_000, 5_000],
  );
});

test("a redirected server that refuses: the offered one is asked again, over a connection of its own", () => {
  let visits = 0;
  const bench = completes(
    new Bench((request) => {
      if (request.target === "/b") return visits++ === 0 ? refusal("503 Busy") : partial(FILE, request);
      return refusal("302 Found", "Location: http://b.example/b\r\n", "");
    }),
  );
  assert.deepEqual(bench.connects, [
    "http://files.example:80",
    "http://b.example:80",
    "http://files.example:80",
    "http://b.example:80",
  ]);
});

/* ---- real limiters, by their documentation ---- */

/** nginx's limit_req without burst: a leaky bucket. */
const limitRequests = (line: string, every: number, now: () => number): Server => {
  let next = 0;
  return (request) => {
    if (now() < next) return refusal(line);
    next = now() + every;
    return partial(LARGE, request);
  };
};

/** Apache's mod_evasive: more than `most` requests in a second block the address for ten, anew with each request. */
const evasive = (most: number, now: () => number): Server => {
  let blockedUntil = 0;
  let second = 0;
  let count = 0;
  return (request) => {
    const at = Math.floor(now() / 1000);
    if (now() < blockedUntil || (at === second && count >= most)) {
      blockedUntil = now() + 10_000;
      // The server keeps an idle connection for 5 s only.
      return [...refusal("403 Forbidden", "Connection: close\r\n"), "close"];
    }
    count = at === second ? count + 1 : 1;
    second = at;
    return partial(LARGE, request);
  };
};
for (const [what, server] of [
  ["nginx limit_req 1r/s, 503", (now) => limitRequests("503 Service Temporarily Unavailable", 1_000, now)],
  ["nginx limit_req 1r/s, 429", (now) => limitRequests("429 Too Many Requests", 1_000, now)],
  ["nginx limit_req 1r/s, 403", (now) => limitRequests("403 Forbidden", 1_000, now)],
  ["nginx limit_req 6r/m, 503", (now) => limitRequests("503 Service Temporarily Unavailable", 10_000, now)],
  ["Apache mod_evasive, 2 in a second", (now) => evasive(2, now)],
] as const satisfies readonly (readonly [string, (now: () => number) => Server])[]) {
  test(`${what}: one update takes at most six connections and no fresh URL`, () => {
    const bench = downloadsLarge({ at: server });
    assert.ok(bench.connects.length <= 6, `${bench.connects.length} connections`);
    assert.deepEqual(bench.of("expired"), []);
    assert.ok(bench.now < 15 * 60_000, `${bench.now / 1000} s`);
  });
}

/* ---- slow first bytes ---- */

/** The first answer of every connection begins after `delay` ms. */
const slowBench = (delay: number, fields = ""): Bench => {
  const bench = new Bench((request) => partial(FILE, request, fields), { range: SECTOR });
  bench.answersAt = ({ number }) => bench.now + (number === 1 ? delay : 0);
  return bench;
};

for (const seconds of [16, 29, 50])
  test(`a first byte that takes ${seconds} s on every connection is waited for`, () => {
    const bench = completes(slowBench(seconds * 1000));
    assert.ok(bench.connects.length <= 4, `${bench.connects.length} connections`);
  });

test("a server that closes after each answer and takes 50 s for each: patience is not lost in between", () => {
  const bench = completes(slowBench(50_000, "Connection: close\r\n"));
  const answers = Math.ceil(FILE.length / SECTOR);
  assert.ok(bench.connects.length <= answers + 2, `${bench.connects.length} connections`);
});

test("silence in the middle of an answer is not met with more patience", () => {
  const bench = new Bench((request) => [partial(FILE, request)[0]!, ascii("x".repeat(100)), "silence"]);
  timesOut(bench, /nothing received for 15 s$/);
  assert.ok(bench.connects.length > 15, `${bench.connects.length} connections`);
});

test("a server that never answers: few connections, each more patient, until the stall budget is used up", () => {
  const bench = timesOut(new Bench(() => ["silence"]), /^no new data for 15 min: nothing received for 60 s$/);
  assert.ok(bench.connects.length <= STALL_BUDGET / FIRST_BYTE_TIMEOUT + 3, `${bench.connects.length} connections`);
  assert.equal(bench.waits[0]!.reason, `nothing received for ${HTTP_IDLE_TIMEOUT / 1000} s`);
});

test("bytes behind an answer of a server that is asked slowly end the connection, no more", () => {
  let count = 0;
  const bench = downloadsLarge((request) => {
    count++;
    if (count === 2 || count === 4) return refusal("429 Slow");
    const answer = partial(LARGE, request);
    return count === 5 ? [...answer, "HTTP/1.1 200 OK\r\n"] : answer;
  });
  assert.equal(bench.connects.length, 2);
  assert.deepEqual(bench.requests.map(({ first }) => first).slice(4, 6), [32_768, 49_152]);
});

test("a byte too many behind each answer and a 403 at times: an open connection is read, and the file completes", () => {
  for (const size of [0, FILE.length]) {
    let count = 0;
    const server: Server = (request) => {
      if (++count % 5 === 0) return refusal("403 Forbidden");
      const [, body] = partial(FILE, request);
      const range = `Content-Range: bytes ${request.first}-${Math.min(request.last, FILE.length - 1)}/${FILE.length}`;
      const head = `HTTP/1.1 200 OK\r\n${range}\r\nTransfer-Encoding: chunked\r\n\r\n`;
      return [head, `${body!.length.toString(16)}\r\n`, body!, "\r\n0\r\n\r\n", Uint8Array.of(0)];
    };
    const bench = completes(new Bench(server, { size, hasDigest: false, random: () => 0 }));
    assert.deepEqual(
      bench.waits.filter(({ milliseconds }) => milliseconds > 0).map(({ reason }) => /^[^:]+/.exec(reason)![0]),
      ["HTTP 403", "HTTP 403", "the server sends more than was asked for"],
    );
  }
});
