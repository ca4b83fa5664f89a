/** What a day of polling costs: the figures of docs/PLATFORMS.md, counted on the whole agent over a virtual network. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { StaticPlatform } from "../../src/platforms/static/dialect";
import { factoryBoard } from "../kit/images";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import { perConnection } from "../kit/peer";
import { VirtualNetwork } from "../kit/virtual-network";

const DAY = 86_400_000;
/** As nginx answers. */
const VALIDATORS = 'Last-Modified: Mon, 30 Nov 2026 12:00:00 GMT\r\nConnection: keep-alive\r\nETag: "692c3f40-26b"\r\n';
const START = "Server: nginx/1.28.0\r\nDate: Mon, 30 Nov 2026 12:00:00 GMT\r\n";
const UNCHANGED = `HTTP/1.1 304 Not Modified\r\n${START}${VALIDATORS}\r\n`;
const MANIFEST = JSON.stringify({ name: "p", version: "0.1.0", builds: [] });
const WHOLE = `HTTP/1.1 200 OK\r\n${START}Content-Type: application/json\r\nContent-Length: ${MANIFEST.length}\r\n${VALIDATORS}Accept-Ranges: bytes\r\n\r\n${MANIFEST}`;

interface Day {
  readonly polls: number;
  readonly up: number;
  readonly down: number;
}

/** Jitter is switched off by a random number in the middle. */
function day(pollSeconds: number): Day {
  const clock = new VirtualClock();
  let polls = 0;
  const server = perConnection((connection) => ({
    received: (bytes) => {
      polls++;
      connection.send(Buffer.from(Buffer.from(bytes).includes("If-None-Match") ? UNCHANGED : WHOLE));
    },
  }));
  const network = new VirtualNetwork({ clock, line: { latency: 20 }, peers: () => server });
  const device = new VirtualDevice({
    board: factoryBoard(),
    clock,
    network,
    platform: (crypto) =>
      new StaticPlatform({ manifest: "http://files.example/fw/manifest.json", deviceId: "dev-1", pollSeconds }, crypto),
    policy: { allowHttp: true },
  });
  device.powerOn();
  clock.advance(1_000);
  const before = { polls, ...network.traffic(80) };
  // The polls of the day end a moment after it: each takes two round trips.
  clock.advance(DAY + 60_000);
  const { up, sent, connections } = network.traffic(80);
  assert.equal(connections - before.connections, polls - before.polls, "each poll has a connection of its own");
  assert.deepEqual(device.notices, []);
  return { polls: polls - before.polls, up: up - before.up, down: sent - before.sent };
}

test("an idle day: a request and a 304 for each poll, and nothing else; docs/PLATFORMS.md has the figures", () => {
  const document = readFileSync(new URL("../../docs/PLATFORMS.md", import.meta.url), "utf8");
  for (const seconds of [21_600, 300]) {
    const { polls, up, down } = day(seconds);
    assert.ok(Math.abs(polls - 86_400 / seconds) <= 1, `${polls} polls`);
    const each = (bytes: number): string => String(bytes / polls);
    const row = `| ${seconds} s | ${polls} | ${each(up)} + ${each(down)} | ${(up + down).toLocaleString("en-US")} |`;
    assert.ok(document.includes(row), row);
  }
});
