/** The machine of chunks on a connection: topics, and what a job may do from inside an event. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import type { DownloadEvent } from "../../src/download/outputs";
import { ChunkSource } from "../../src/platforms/thingsboard/chunk-source";

const URL = "mqtt:0.2.0/abc";
const REQUEST = { url: URL, size: 3 * SECTOR, offset: 0, validator: undefined, hasDigest: true };

class Bench {
  readonly sent: string[] = [];
  readonly events: string[] = [];
  time = 0;
  onEvent: (event: DownloadEvent) => void = () => undefined;
  readonly source = new ChunkSource(
    {
      random: () => 0.5,
      dispatch: (event) => {
        this.events.push(event.type);
        this.onEvent(event);
      },
      log: () => undefined,
    },
    {
      now: () => this.time,
      ask: () => void this.sent.push("ask"),
      publish: (topic, payload) => void this.sent.push(`${topic} ${payload}`),
    },
  );

  /** Connected, and the first chunk of the id is proved. */
  open(id: number): void {
    this.source.shown(URL);
    this.source.received(`${id}/chunk/0`, new Uint8Array(SECTOR));
    this.time = this.source.deadline()!;
    this.source.tick();
    this.source.shown(URL);
  }
}

test("a request names the id, the chunk and always the size", () => {
  const bench = new Bench();
  bench.source.connected();
  bench.source.start(REQUEST);
  bench.open(1);
  const chunks = [0, 1, 2].map((chunk) => `v2/fw/request/1/chunk/${chunk} 4096`);
  assert.deepEqual(bench.sent, ["ask", chunks[0], "ask", chunks[1], chunks[2]]);
});

test("stopped from inside an event: nothing more is asked for, and what comes is dropped", () => {
  const bench = new Bench();
  bench.onEvent = ({ type }) => type === "sector" && bench.source.stop();
  bench.source.connected();
  bench.source.start(REQUEST);
  bench.open(1);
  const { length } = bench.sent;
  bench.source.received("1/chunk/1", new Uint8Array(SECTOR));
  bench.source.tick();
  bench.source.disconnected("closed");
  bench.source.connected();
  assert.deepEqual(bench.events, ["total", "sector"]);
  assert.equal(bench.sent.length, length);
  assert.deepEqual([bench.source.fetching, bench.source.deadline()], [false, undefined]);
});

test("another download: its id was never used before, and the old one's chunks are dropped", () => {
  const bench = new Bench();
  bench.source.connected();
  bench.source.start(REQUEST);
  bench.open(1);
  bench.source.start(REQUEST);
  bench.source.shown(URL);
  assert.equal(bench.sent.at(-1), "v2/fw/request/2/chunk/0 4096");
  bench.events.length = 0;
  for (const where of ["1/chunk/0", "1/chunk/1", "2/chunk/x", "x/chunk/0", "2", ""])
    bench.source.received(where, new Uint8Array(SECTOR));
  assert.deepEqual(bench.events, []);
});

test("a URL to renew with changes nothing", () => {
  const bench = new Bench();
  bench.source.connected();
  bench.source.start(REQUEST);
  bench.source.renew();
  bench.open(1);
  assert.deepEqual(bench.events, ["total", "sector"]);
});
