/** Redirects, expired URLs and fresh ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DENIED_WAIT, REDIRECTS, REFUSAL_TRIES, SECTOR, STALL_BUDGET, URL_RENEWALS } from "../../src/constants";
import type { DownloadOptions } from "../../src/download/outputs";
import { completes, fails } from "./expect";
import { Bench, FILE, good, partial } from "./harness";
import type { Answer, Request, Server } from "./harness";

const status = (line: string, fields = ""): Answer[] => [`HTTP/1.1 ${line}\r\nContent-Length: 0\r\n${fields}\r\n`];
const to = (location: string, line = "302 Found"): Answer[] => status(line, `Location: ${location}\r\n`);

/** Serves by path and Host. */
function hosts(table: Record<string, (request: Request) => readonly Answer[]>): Server {
  return (request) => {
    const host = /\r\nHost: (\S+)/.exec(request.head)![1]!;
    return table[`${host}${request.target}`]?.(request) ?? status("404 Not Found");
  };
}

function bench(server: Server, options: Partial<DownloadOptions> = {}): Bench {
  return new Bench(server, { url: "http://a.example/fw?sign=secret", ...options });
}

for (const line of ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]) {
  test(`${line}: followed, and used for the next ranges`, () => {
    const some = completes(
      bench(
        hosts({ "a.example/fw?sign=secret": () => to("http://b.example:81/x?y", line), "b.example:81/x?y": good() }),
      ),
    );
    assert.deepEqual(some.connects, ["http://a.example:80", "http://b.example:81"]);
    assert.deepEqual(some.waits, []);
  });
}

for (const [location, target] of [
  ["/x", "/x"],
  ["x", "/x"],
  ["?y", "/fw?y"],
  ["//a.example/x", "/x"],
  ["http://a.example/x", "/x"],
  ["x#part", "/x"],
] as const) {
  test(`Location: ${location}`, () => {
    const some = completes(
      bench((request) => (request.target === "/fw?sign=secret" ? to(location) : partial(FILE, request))),
    );
    assert.equal(some.requests.at(-1)!.target, target);
  });
}

test("http to https is followed, whether or not http is allowed", () => {
  assert.deepEqual(
    completes(bench(hosts({ "a.example/fw?sign=secret": () => to("https://a.example/x"), "a.example/x": good() })))
      .connects,
    ["http://a.example:80", "https://a.example:443"],
  );
});

test("https to http is refused, even where http is allowed", () => {
  const some = fails(
    bench(() => to("http://a.example/x"), { url: "https://a.example/fw" }),
    "download",
    /^HTTP 302: redirect from https to http refused$/,
  );
  assert.ok(some.connects.every((url) => url.startsWith("https:")));
  assert.equal(some.connects.length, REFUSAL_TRIES);
});

test("a redirect loop ends the download", () => {
  const some = fails(
    bench(hosts({ "a.example/fw?sign=secret": () => to("/b"), "a.example/b": () => to("/fw?sign=secret") })),
    "download",
    new RegExp(`^HTTP 302: more than ${REDIRECTS} redirects$`),
  );
  assert.equal(some.connects.length, REFUSAL_TRIES * (REDIRECTS + 1));
});

test("as many redirects as allowed, before every connection", () => {
  const chain = (request: Request): readonly Answer[] => {
    const step = Number(/\d+/.exec(request.target)?.[0] ?? 0);
    if (step < REDIRECTS) return to(`/${step + 1}`);
    return request.first === 0 ? [...partial(FILE, request), "reset"] : partial(FILE, request);
  };
  completes(bench(chain));
});

for (const [what, answer, message] of [
  ["without a Location", status("302 Found"), /without a Location/],
  ["to another scheme", to("ftp://a.example/"), /another scheme/],
  ["with a user name", to("http://u:p@a.example/"), /user name/],
  ["to nonsense", to("http://"), /host/],
  ["too long", to(`/${"x".repeat(3_000)}`), /^HTTP 302: the redirect's Location is too long$/],
] as const) {
  test(`a redirect ${what} is refused`, () =>
    void fails(
      bench(() => answer),
      "download",
      message,
    ));
}

for (const line of ["403 Forbidden", "404 Not Found"]) {
  test(`a redirected URL that answers ${line} after it delivered: the offered URL is asked at once`, () => {
    let visits = 0;
    let served = 0;
    const server = hosts({
      "a.example/fw?sign=secret": () => to(`http://b.example/x?visit=${++visits}`),
      "b.example/x?visit=1": (request) => (served++ < 1 ? partial(FILE, request) : status(line)),
      "b.example/x?visit=2": good(),
    });
    const some = completes(bench(server));
    assert.equal(visits, 2);
    assert.deepEqual(some.types("log", "expired"), []);
  });
}

for (const line of ["403 Forbidden", "404 Not Found"]) {
  test(`a redirected URL that answers ${line} at once counts: the offered URL is not asked again`, () => {
    const some = bench(
      hosts({ "a.example/fw?sign=secret": () => to("http://b.example/x"), "b.example/x": () => status(line) }),
    ).run();
    assert.equal(some.last.type, line.startsWith("403") ? "expired" : "download-failed");
  });
}

test("a redirected host that does not answer: the offered URL is asked again", () => {
  let visits = 0;
  const server = hosts({
    "a.example/fw?sign=secret": () => to(`http://b${++visits}.example/x`),
    "b1.example/x": () => ["reset"],
    "b2.example/x": good(),
  });
  assert.equal(completes(bench(server)).waits.length, 1);
});

test("a redirected host whose connection breaks after it delivered is asked again", () => {
  let visits = 0;
  const broken = (request: Request): readonly Answer[] =>
    request.connection === 2 && request.first > 0 ? ["reset"] : partial(FILE, request);
  completes(
    bench(hosts({ "a.example/fw?sign=secret": () => to(`http://b.example/${++visits}`), "b.example/1": broken })),
  );
  assert.equal(visits, 1);
});

/* ---- expired ---- */

for (const line of ["401 Unauthorized", "403 Forbidden"]) {
  test(`${line}: a fresh URL is asked for and continues at the same offset`, () => {
    const server = hosts({
      "a.example/fw?sign=secret": (request) => (request.first < 8192 ? partial(FILE, request) : status(line)),
      "a.example/fw?sign=2": good(),
    });
    const some = bench(server);
    some.onExpired = () => "http://a.example/fw?sign=2";
    completes(some);
    assert.equal(some.of("expired").length, 1);
    assert.match(some.of("expired")[0]!.message, new RegExp(`^HTTP ${line.slice(0, 3)}: `));
    assert.doesNotMatch(some.of("expired")[0]!.message, /secret/);
    assert.ok(some.of("sector").length === 6);
  });
}

/**
 * Blocks an address that asks too often, as Apache's mod_evasive does: 403 for `block` ms, begun anew by each request
 * in that time.
 */
function limiter(block: number, every: number, now: () => number): Server {
  let until = 0;
  let count = 0;
  return (request) => {
    if (now() < until || ++count % every === 0) {
      until = now() + block;
      return status("403 Forbidden");
    }
    return partial(FILE, request);
  };
}

test("a rate limiter that answers 403 for ten seconds is waited out: no fresh URL is asked for", () => {
  const some: Bench = bench(
    limiter(10_000, 3, () => some.now),
    { range: SECTOR },
  );
  completes(some);
  assert.deepEqual(some.of("expired"), []);
  assert.ok(
    some.waits.length > 0 && some.waits.every(({ milliseconds }) => milliseconds >= DENIED_WAIT),
    JSON.stringify(some.waits),
  );
});

test("a URL that stays denied is tried twice, with a wait in between, before a fresh one is asked for", () => {
  const some = bench(() => status("403 Forbidden")).run();
  assert.equal(some.last.type, "expired");
  assert.equal(some.requests.length, 2);
  assert.ok(some.now - 1_000 >= DENIED_WAIT, `${some.now - 1_000} ms`);
});

test("a rate limiter that never stops: four rounds take at least a minute", () => {
  const some = bench(() => status("403 Forbidden"));
  some.onExpired = () => (some.of("expired").length <= URL_RENEWALS ? "http://a.example/fw?sign=secret" : undefined);
  some.run();
  assert.equal(some.of("expired").length, 1 + URL_RENEWALS);
  assert.ok(some.now - 1_000 >= (1 + URL_RENEWALS) * DENIED_WAIT, `${some.now - 1_000} ms`);
  assert.ok(some.requests.length <= 2 * (1 + URL_RENEWALS));
});

test("Retry-After of a 403 is granted up to the cap", () => {
  const some = bench((request) =>
    request.connection + request.number === 2 ? status("403 Forbidden", "Retry-After: 40\r\n") : partial(FILE, request),
  );
  completes(some);
  assert.ok(some.now - 1_000 >= 40_000);
});

test("a sector resets the count of denials", () => {
  const some = bench(
    (request) => (request.first >= 2 * request.connection * SECTOR ? status("403 Forbidden") : partial(FILE, request)),
    { range: SECTOR },
  );
  completes(some);
  assert.deepEqual(some.of("expired"), []);
  assert.equal(some.waits.length, 2);
});

test("a fresh URL that arrives during the wait after a denial has its own first try", () => {
  const some = bench(
    hosts({
      "a.example/fw?sign=secret": () => status("403 Forbidden"),
      "c.example/fw": (request) =>
        request.connection === 2 && request.number === 1 ? status("403 Forbidden") : partial(FILE, request),
    }),
  );
  some.handle(some.downloader.start(some.now));
  while (!some.isWaiting) some.step();
  some.handle(some.downloader.renew("http://c.example/fw", some.now));
  while (some.step()) void 0;
  assert.equal(some.last.type, "finished");
  assert.deepEqual(some.of("expired"), []);
});

test("nothing happens while a fresh URL is awaited, and that time does not count as a stall", () => {
  const some = bench((request) => (request.target === "/2" ? partial(FILE, request) : status("403 Forbidden"))).run();
  assert.equal(some.last.type, "expired");
  assert.equal(some.downloader.deadline(), undefined);
  some.now += 2 * STALL_BUDGET;
  assert.deepEqual(some.downloader.tick(some.now), []);
  some.handle(some.downloader.renew("http://a.example/2", some.now));
  while (some.step()) void 0;
  assert.equal(some.last.type, "finished");
});

test("a fresh URL that cannot be used fails the download that waits for it", () => {
  for (const [url, cause] of [
    ["ftp://a.example/", "download"],
    ["http://a.example/", "rejected"],
  ] as const) {
    const some = bench(() => status("403 Forbidden"), { url: "https://a.example/fw", allowHttp: false }).run();
    some.handle(some.downloader.renew(url, some.now));
    assert.ok(some.last.type === "download-failed" && some.last.cause === cause);
  }
});

test("a fresh URL in mid-download does not disturb the connection, and is used when the old one expires", () => {
  const server = hosts({
    "a.example/fw?sign=secret": (request) =>
      request.first < 3 * SECTOR ? partial(FILE, request) : status("403 Forbidden"),
    "c.example/fw": good(),
  });
  const some = bench(server, { range: SECTOR });
  some.handle(some.downloader.start(some.now));
  while (some.storedLength === 0) some.step();
  some.handle(some.downloader.renew("http://c.example/fw", some.now));
  assert.deepEqual(some.connects, ["http://a.example:80"]);
  while (some.step()) void 0;
  assert.deepEqual(some.connects, ["http://a.example:80", "http://c.example:80"]);
  assert.deepEqual(some.image, FILE);
  assert.deepEqual(some.types("log", "expired"), []);
});

test("a fresh URL during a wait is used when the wait is over; one that cannot be used is ignored", () => {
  const server = hosts({ "c.example/fw": good() });
  const some = bench(server);
  some.handle(some.downloader.start(some.now));
  while (!some.isWaiting) some.step();
  const deadline = some.downloader.deadline();
  assert.deepEqual(some.downloader.renew("ftp://c.example/fw", some.now), []);
  assert.deepEqual(some.downloader.renew("http://c.example/fw", some.now), []);
  assert.equal(some.downloader.deadline(), deadline);
  while (some.step()) void 0;
  assert.deepEqual(some.connects, ["http://a.example:80", "http://c.example:80"]);
  assert.deepEqual(some.image, FILE);
});

test("a fresh URL in mid-download is used after the old connection broke", () => {
  const server = hosts({
    "a.example/fw?sign=secret": (request) => (request.first < 3 * SECTOR ? partial(FILE, request) : ["reset"]),
    "c.example/fw": good(),
  });
  const some = bench(server, { range: SECTOR });
  some.handle(some.downloader.start(some.now));
  while (some.storedLength === 0) some.step();
  some.handle(some.downloader.renew("http://c.example/fw", some.now));
  while (some.step()) void 0;
  assert.deepEqual(some.connects, ["http://a.example:80", "http://c.example:80"]);
  assert.deepEqual(some.image, FILE);
});

test("repeated fresh URLs do not extend the stall budget", () => {
  const some = bench(() => ["reset"]);
  some.handle(some.downloader.start(some.now));
  while (some.step()) some.handle(some.downloader.renew("http://a.example/fw?sign=secret", some.now));
  assert.ok(some.last.type === "download-failed" && some.last.cause === "download-timeout");
  assert.equal(some.now, 1_000 + STALL_BUDGET);
});
