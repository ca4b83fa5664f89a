/** The poller: when it asks, what it makes of answers, and how reports are sent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { POLL_BODY_MAX } from "../../src/constants";
import { INTERVAL, PollDevice } from "./device";

const chunked = (...chunks: readonly string[]): string =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks
    .map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    .join("")}0\r\n\r\n`;

/* ---- a poll ---- */

test("a poll at the start, an offer, and no open connection behind it", () => {
  const device = new PollDevice().open();
  assert.match(device.request(), /^GET \/poll HTTP\/1\.1\r\nHost: cloud\.example\r\n/);
  device.answer("offer");
  assert.deepEqual(device.told(), ["up", "offer"]);
  assert.equal(device.connected, false);
});

test("the same offer is told at every poll: it is a wanted state, not a task", () => {
  const device = new PollDevice().open().answer("offer");
  device.wait();
  device.open().answer("offer");
  assert.deepEqual(device.told(), ["up", "offer", "offer"]);
});

test("the server names the interval; else it is the platform's", () => {
  const device = new PollDevice().open().answer("soon", undefined, 'ETag: "1"');
  assert.equal(device.wait(), 5_000);
  device.open().answer("", "304 Not Modified");
  assert.equal(device.wait(), 5_000, "an unchanged answer changes no interval");
  device.open().answer("nothing");
  assert.equal(device.wait(), INTERVAL);
});

test("jitter: a poll comes up to a tenth of the interval earlier or later", () => {
  const waits = [0, 0.999].map((random) => {
    const device = new PollDevice(undefined, true, random).open().answer("nothing");
    return device.wait() / INTERVAL;
  });
  assert.deepEqual(waits, [0.9, 1.0998]);
});

test("If-None-Match and 304: unchanged means that still nothing is wanted", () => {
  const device = new PollDevice().open().answer("nothing", undefined, 'ETag: W/"abc"', "Last-Modified: yesterday");
  assert.doesNotMatch(device.request(), /If-/);
  device.wait();
  device.open();
  assert.match(device.request(), /\r\nIf-None-Match: W\/"abc"\r\n/);
  device.answer("", "304 Not Modified");
  assert.deepEqual(device.told(), ["up", "withdrawn", "withdrawn"]);
});

test("If-Modified-Since where there is no entity tag", () => {
  const device = new PollDevice().open().answer("nothing", undefined, "Last-Modified: Mon, 30 Nov 2026 18:00:00 GMT");
  device.wait();
  device.open();
  assert.match(device.requests[1] ?? "", /\r\nIf-Modified-Since: Mon, 30 Nov 2026 18:00:00 GMT\r\n/);
});

test("an offer is asked for anew at each poll, without a condition: the job may need it again", () => {
  const device = new PollDevice().open().answer("offer", undefined, 'ETag: "1"');
  device.wait();
  device.open();
  assert.doesNotMatch(device.requests[1] ?? "", /If-/);
});

test("one poll may take several requests, over one connection, and not without end", () => {
  const device = new PollDevice().open();
  device.answer("more");
  assert.match(device.requests[1] ?? "", /^GET \/more /);
  device.answer("nothing");
  assert.deepEqual(device.told(), ["up", "withdrawn"]);
  assert.equal(device.servers.length, 1);
  const endless = new PollDevice().open();
  for (let count = 0; count < 4; count++) endless.answer("more");
  assert.deepEqual(endless.told(), ["down: the cloud leads from one request to the next"]);
});

/* ---- framing ---- */

for (const slice of [1, 7, 512])
  test(`a chunked answer, in slices of ${slice}`, () => {
    const device = new PollDevice().open().receive(chunked("not", "hing"), slice);
    assert.deepEqual(device.told(), ["up", "withdrawn"]);
  });

test("a body that ends with the connection", () => {
  const device = new PollDevice().open().receive("HTTP/1.0 200 OK\r\n\r\nnothing").close();
  assert.deepEqual(device.told(), ["up", "withdrawn"]);
});

test("answers are bounded in each framing, and the next poll follows", () => {
  const long = "x".repeat(POLL_BODY_MAX + 1);
  for (const answer of [
    `HTTP/1.1 200 OK\r\nContent-Length: ${long.length}\r\n\r\n${long}`,
    chunked(long),
    chunked(...Array.from({ length: 99 }, () => "y".repeat(100))),
    `HTTP/1.0 200 OK\r\n\r\n${long}`,
  ]) {
    const device = new PollDevice().open().receive(answer);
    assert.deepEqual(device.told(), [`down: the answer is longer than ${POLL_BODY_MAX} bytes`]);
    assert.equal(device.connected, false);
    device.wait();
    assert.equal(device.connected, true);
  }
  const whole = new PollDevice().open().receive(chunked("x".repeat(POLL_BODY_MAX)));
  assert.match(whole.told()[0] ?? "", /^down: not known/, "8,192 bytes are read");
});

test("a 204 has no body, whatever its head says", () => {
  const device = new PollDevice().open().receive("HTTP/1.1 204 No Content\r\n\r\n");
  assert.match(device.told()[0] ?? "", /^down: not known/);
});

/* ---- reports ---- */

test("a report is one request with a JSON body, and 2xx acknowledges it", () => {
  for (const [method, status] of [
    ["POST", "200 OK"],
    ["PUT", "201 Created"],
    ["POST", "204 No Content"],
    ["POST", "410 Gone"],
  ] as const) {
    const device = new PollDevice((platform) => {
      platform.reports = { ...platform.reports!, method };
    }).open();
    device.answer("nothing").told();
    device.report("outcome").open();
    assert.match(
      device.requests[1] ?? "",
      new RegExp(`^${method} /report [^]*Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{"text":"ä"}$`),
    );
    device.answer("", status);
    assert.deepEqual(device.told(), ["acked outcome"], status);
  }
});

test("a report is sent until it is taken; the same one again changes nothing, another takes its place", () => {
  const device = new PollDevice().open().answer("nothing");
  device.report("outcome").open().answer("", "500 Oops").report("outcome");
  assert.equal(device.connected, false, "it waits for its time");
  assert.deepEqual(device.told().slice(2), ["warning: report not taken: HTTP 500: the server is busy or broken"]);
  device.platform.reports = { ...device.platform.reports!, body: "{}" };
  device.report("outcome").open();
  assert.match(device.requests.at(-1) ?? "", /\r\n\r\n\{\}$/);
  device.answer("");
  assert.deepEqual(device.told(), ["acked outcome"]);
});

test("with a bound of tries a report that nobody takes holds nothing up", () => {
  const device = new PollDevice((platform) => (platform.reportTries = 2)).open().answer("nothing");
  device.report("outcome").open().answer("", "404 Not Found");
  device.wait();
  device.open().answer("", "404 Not Found");
  assert.deepEqual(device.told().slice(2), [
    "warning: report not taken: HTTP 404: the file does not exist on the server",
    "warning: report given up after 2 tries: HTTP 404: the file does not exist on the server",
    "acked outcome",
  ]);
});

test("a failing report keeps no poll from its time, and reports go first", () => {
  const device = new PollDevice().report("outcome").open();
  assert.match(device.request(), /^GET /, "the poll is under way");
  device.answer("offer");
  assert.match(device.request(), /^POST /, "over the same connection");
  device.answer("", "503 Busy");
  device.now += INTERVAL;
  device.wait();
  device.open();
  assert.match(device.request(), /^POST /);
  device.answer("");
  assert.match(device.request(), /^GET /);
});

test("a platform without reports: the burning report is acknowledged by a poll that comes at once, others at once", () => {
  const device = new PollDevice((platform) => (platform.reports = undefined)).open().answer("offer");
  device.told();
  device.report("outcome");
  assert.deepEqual(device.told(), ["acked outcome"]);
  device.report("burning");
  assert.deepEqual(device.told(), []);
  device.open().answer("offer");
  assert.deepEqual(device.told(), ["offer", "acked burning"]);
  device.report("version").close({ kind: "reset", message: "reset" });
  assert.deepEqual(device.told(), ["down: reset"]);
  device.wait();
  device.open().answer("nothing");
  assert.deepEqual(device.told(), ["up", "withdrawn", "acked version"]);
});

/* ---- connections ---- */

test("Connection: close: what is still to be sent goes over a new connection", () => {
  const device = new PollDevice().report("outcome").open().answer("nothing", undefined, "Connection: close");
  assert.equal(device.servers.length, 2);
  device.open();
  assert.match(device.requests[1] ?? "", /^POST /);
});

test("a server that closes after the answer has not seen the next request: it is sent again, once", () => {
  const device = new PollDevice().report("outcome").open().answer("nothing");
  device.told();
  assert.equal(device.requests.length, 2);
  device.close().open();
  assert.equal(device.requests.length, 3);
  assert.equal(device.requests[1], device.requests[2]);
  device.close();
  assert.deepEqual(device.told(), ["warning: report not taken: connection closed by the server"]);
});

test("redirects, to another host and back to http only where http is allowed; headers stay at home", () => {
  const device = new PollDevice((platform) => platform.headers.push("Authorization: secret")).open();
  assert.match(device.request(), /secret/);
  const query = "s".repeat(1_000);
  device.answer("", "302 Found", "Location: https://one.example/a");
  device.open();
  assert.doesNotMatch(device.request(), /secret/);
  device.answer("", "302 Found", `Location: https://two.example/b?${query}`);
  device.open();
  assert.ok(device.request().startsWith(`GET /b?${query} `));
  device.answer("nothing");
  assert.deepEqual(device.servers, ["http://cloud.example:80", "https://one.example:443", "https://two.example:443"]);
  assert.deepEqual(device.platform.answeredBy, [`two.example/b?${query}`]);
  device.wait();
  assert.equal(device.servers.at(-1), "http://cloud.example:80", "the next poll begins at the origin");
});

test("a POST follows 307 and 308, with its body, and no other redirect", () => {
  for (const status of ["301 Moved", "303 See Other"]) {
    const device = new PollDevice().open().answer("nothing");
    device.report("outcome").open().answer("", status, "Location: /other");
    assert.match(device.told().at(-1) ?? "", /redirect of a POST refused/);
  }
  const device = new PollDevice().open().answer("nothing");
  device.report("outcome").open().answer("", "308 Permanent", "Location: /other").open();
  assert.match(device.requests.at(-1) ?? "", /^POST \/other [^]*\{"text":"ä"\}$/);
});

/* ---- a cloud of tasks ---- */

const asking = (): PollDevice =>
  new PollDevice((platform) => Object.defineProperty(platform, "pollsAfterReports", { value: true }));

test("a report that was taken leads to a poll at once, which acknowledges burning", () => {
  const device = asking().open().answer("offer").report("burning").open();
  assert.match(device.requests.at(-1)!, /^POST/);
  device.answer("");
  assert.match(device.requests.at(-1)!, /^GET \/poll/);
  assert.deepEqual(device.told(), ["up", "offer"]);
  device.answer("offer");
  assert.deepEqual(device.told(), ["offer", "acked burning"]);
});

test("an outcome is acknowledged at once, and the poll follows", () => {
  const device = asking().open().answer("offer").report("outcome").open().answer("");
  assert.deepEqual(device.told(), ["up", "offer", "acked outcome"]);
  assert.match(device.requests.at(-1)!, /^GET \/poll/);
});

test("an outcome that asks before goes after an answered poll, at each try, and may be replaced by what that says", () => {
  const device = new PollDevice((platform) => (platform.asks = true)).open().answer("nothing");
  const last = (): string => device.requests.at(-1) ?? "";
  device.told();
  device.report("outcome").open();
  assert.match(last(), /^GET /);
  device.answer("nothing");
  device.wait();
  device.open();
  assert.match(last(), /^POST /);
  device.answer("", "500 Oops").told();
  device.wait();
  device.open();
  assert.match(last(), /^GET /, "before the second try, too");
  device.close({ kind: "reset", message: "reset" }).told();
  device.wait();
  device.open();
  assert.match(last(), /^GET /, "the poll has failed");
  device.answer("offer");
  device.platform.reports = { ...device.platform.reports!, body: "{}" };
  device.platform.asks = false;
  device.report("outcome").open();
  assert.match(last(), /\r\n\r\n\{\}$/);
  device.answer("");
  assert.equal(device.told().at(-1), "acked outcome");
});

test("what a poll has named is not asked for once a report was sent: that may have ended it", () => {
  const device = new PollDevice().open();
  device.report("outcome").answer("more");
  assert.match(device.requests.at(-1)!, /^POST \/report/);
  device.answer("");
  assert.match(device.requests.at(-1)!, /^GET \/poll/);
});

test("404 to what a poll has named: another poll at once, and a wait after the second", () => {
  const device = new PollDevice().open().answer("more").answer("", "404 Not Found").open();
  assert.match(device.requests.at(-1)!, /^GET \/poll/);
  assert.deepEqual(device.told(), []);
  device.answer("more").answer("", "404 Not Found");
  assert.equal(device.connected, false);
  assert.match(device.told()[0]!, /^down: /);
});

test("a report that may be lost is sent once, however often it is made", () => {
  const device = new PollDevice().open().answer("nothing");
  for (let count = 0; count < 3; count++) {
    device.report("outcome", "");
    if (device.connected) device.open().answer("");
  }
  assert.equal(device.requests.filter((each) => each.startsWith("POST")).length, 1);
});
