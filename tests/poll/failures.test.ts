/** Whatever goes wrong with a poll is told in one line, and there is a next poll. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { POLL_RETRY_CAP } from "../../src/constants";
import { INTERVAL, PollDevice } from "./device";

const FAILURES: readonly (readonly [string, (device: PollDevice) => void, RegExp])[] = [
  ["refused", (device) => device.close({ kind: "refused", message: "connection refused" }), /^connection refused/],
  ["certificate", (device) => device.close({ kind: "certificate", message: "self-signed" }), /^self-signed/],
  ["no connection in time", (device) => device.wait(), /^no connection within 10 s/],
  ["silence", (device) => device.open().wait(), /^nothing received for 15 s/],
  [
    "half an answer",
    (device) => device.open().receive("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nn").close(),
    /^conn/,
  ],
  ["garbage", (device) => device.open().receive("SSH-2.0-OpenSSH\r\n"), /not HTTP/],
  ["404", (device) => device.open().answer("", "404 Not Found"), /^HTTP 404/],
  ["401", (device) => device.open().answer("", "401 No"), /^HTTP 401/],
  ["400", (device) => device.open().answer("", "400 Bad"), /^HTTP 400/],
  ["500", (device) => device.open().answer("", "500 Oops"), /^HTTP 500/],
  ["a web page", (device) => device.open().answer("<html>", undefined, "Content-Type: text/html"), /a web page/],
  ["gzip", (device) => device.open().answer("x", undefined, "Content-Encoding: gzip"), /encoded/],
  [
    "two lengths",
    (device) => device.open().receive("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n"),
    /Content-Length/,
  ],
  ["nowhere", (device) => device.open().answer("", "302 Found"), /without a Location/],
  ["what the platform cannot use", (device) => device.open().answer("?"), /^not known/],
];

for (const [name, fail, reason] of FAILURES)
  test(`${name}: one reason, and the next poll within the cap`, () => {
    const device = new PollDevice();
    fail(device);
    const told = device.told();
    assert.equal(told.length, 1);
    assert.match(told[0]!, new RegExp(`^down: .*`));
    assert.match(told[0]!.slice(6), reason);
    assert.equal(device.connected, false);
    assert.ok(device.wait() <= POLL_RETRY_CAP);
    assert.equal(device.connected, true);
    device.open().answer("nothing");
    assert.deepEqual(device.told(), ["up", "withdrawn"]);
  });

test("redirects without end", () => {
  const device = new PollDevice().open();
  for (let count = 0; count < 6; count++) device.answer("", "302 Found", "Location: /poll").open();
  assert.deepEqual(device.told(), ["down: HTTP 302: more than 5 redirects"]);
});

test("an answer that trickles in ends after a minute in all", () => {
  const device = new PollDevice().open();
  const start = device.now;
  for (let count = 0; count < 99 && device.connected; count++) {
    device.receive("H");
    device.now += 10_000;
    device.wait();
  }
  assert.ok(device.now - start <= 75_000);
  assert.match(device.told()[0] ?? "", /^down: /);
});

test("Retry-After is waited for, up to a bound, with jitter behind it, whatever the urgency", () => {
  const device = new PollDevice().open().answer("", "429 Slow", "Retry-After: 120");
  device.poller.urgency(1_000, device.now);
  assert.equal(device.wait(), 120_500);
  device.open().answer("", "503 Busy", "Retry-After: 86400");
  assert.ok(device.wait() < 2 * POLL_RETRY_CAP);
});

test("waits double up to the cap; while an update is in hand the cap is short, for a wait under way as well", () => {
  const device = new PollDevice();
  const waits = Array.from({ length: 14 }, () => {
    device.close({ kind: "refused", message: "refused" });
    return device.wait();
  });
  assert.deepEqual(waits.slice(0, 4), [500, 1_000, 2_000, 4_000]);
  assert.equal(waits.at(-1), POLL_RETRY_CAP / 2);
  device.close({ kind: "refused", message: "refused" });
  device.poller.urgency(5_000, device.now);
  assert.equal(device.wait(), 5_000);
  device.close({ kind: "refused", message: "refused" });
  assert.equal(device.wait(), 2_500);
});

test("a server that refuses the poll is not asked in a hurry for ever, whatever is in hand; one that is away or broken is", () => {
  for (const [status, least] of [
    ["401 No", INTERVAL / 4],
    ["404 Not Found", INTERVAL / 4],
    ["429 Too Many", INTERVAL / 4],
    ["500 Oops", 0],
  ] as const) {
    const device = new PollDevice();
    device.poller.urgency(5_000, device.now);
    let wait = 0;
    for (let tries = 0; tries < 40; tries++) {
      device.open().answer("", status);
      device.poller.urgency(5_000, device.now);
      wait = device.wait();
      if (tries < 20) assert.ok(wait <= 5_000, "a trial has its attempts");
    }
    assert.ok(least === 0 ? wait <= 5_000 : wait >= least, `${status}: ${wait} ms`);
  }
});

test("plain http only where that is allowed", () => {
  const device = new PollDevice(undefined, false);
  assert.deepEqual(device.told(), ['down: plain http is refused (see "allowHttp")']);
  assert.equal(device.servers.length, 0);
});

test("whatever bytes come, in whatever slices, there is a next poll, and memory is bounded", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "HTTP/1.1 200 OK\r\n",
      "Content-Length: 7\r\n",
      "Transfer-Encoding: chunked\r\n",
      "\r\n",
      "nothing",
    ),
    fc.constantFrom(
      "7\r\n",
      "0\r\n\r\n",
      "HTTP/1.1 302 Found\r\nLocation: /x\r\n",
      "HTTP/1.1 304 N\r\n",
      "ETag: x\r\n",
    ),
    fc.string({ maxLength: 40 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 64 }), (pieces, slice) => {
      const device = new PollDevice().open().receive(pieces.join(""), slice);
      if (device.connected) device.close();
      assert.notEqual(device.poller.deadline(), undefined);
      device.wait();
      assert.equal(device.connected, true);
    }),
    { numRuns: 300 },
  );
});
