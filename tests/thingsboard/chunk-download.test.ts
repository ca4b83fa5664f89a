/** The machine that fetches a package in chunks, without a connection: events in, outputs out. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { MQTT_REPLY_TIMEOUT, SECTOR, STALL_BUDGET, THINGSBOARD_SETTLE } from "../../src/constants";
import { ChunkDownload } from "../../src/platforms/thingsboard/chunk-download";
import type { ChunkOutput } from "../../src/platforms/thingsboard/chunk-download";

const URL = "mqtt:0.2.0/abc";
/** Three chunks and a part of one. */
const SIZE = 3 * SECTOR + 100;

let now = 0;
let ids = 0;
beforeEach(() => {
  now = 0;
  ids = 0;
});

const bytesOf = (chunk: number): Uint8Array => new Uint8Array(Math.min(SECTOR, SIZE - chunk * SECTOR)).fill(chunk + 1);

/** What the machine wants, in short: "ask", "1/0" for chunk 0 of id 1, "sector 4096", or the type of the event. */
const short = (outputs: readonly ChunkOutput[]): string[] =>
  outputs
    .filter(({ type }) => type !== "log")
    .map((output) =>
      output.type === "request"
        ? `${output.id}/${output.chunk}`
        : output.type === "sector"
          ? `sector ${output.offset}`
          : output.type === "download-failed"
            ? `${output.cause}: ${output.message}`
            : output.type,
    );

const made = (offset = 0, end = SIZE): ChunkDownload =>
  new ChunkDownload(
    { url: URL, size: SIZE, end, offset, validator: undefined, hasDigest: true },
    () => 0.5,
    () => ++ids,
  );

const chunk = (download: ChunkDownload, id: number, number: number, bytes = bytesOf(number)): string[] =>
  short(download.chunk(id, number, bytes, now));

/** The time at which it wants to be woken. */
function wake(download: ChunkDownload): string[] {
  now = download.deadline()!;
  return short(download.tick(now));
}

/** From an answer with its package until the id may be used: the outputs of the last step. */
function bound(download: ChunkDownload, first = 0): string[] {
  const id = ids + 1;
  assert.deepEqual(short(download.shown(URL, now)), [`${id}/${first}`]);
  assert.deepEqual(chunk(download, id, first), [], "nothing is stored, and nothing more is asked for");
  assert.deepEqual(wake(download), ["ask"]);
  return short(download.shown(URL, now));
}

/** Open: the first chunk is stored, two more are asked for. */
function open(): ChunkDownload {
  const download = made();
  assert.deepEqual(short(download.start(true, now)), ["ask"]);
  assert.deepEqual(bound(download), ["total", "sector 0", "1/1", "1/2"]);
  return download;
}

test("a whole file: first chunk alone, attributes once more, then two chunks at a time", () => {
  const download = open();
  assert.equal(now, THINGSBOARD_SETTLE);
  assert.deepEqual(chunk(download, 1, 1), ["sector 4096", "1/3"]);
  assert.deepEqual(chunk(download, 1, 2), ["sector 8192"]);
  assert.deepEqual(chunk(download, 1, 3), ["sector 12288", "finished"]);
  assert.deepEqual([download.fetching, download.deadline()], [false, undefined]);
});

test("from a checkpoint on, and up to the end that is wanted", () => {
  const download = made(SECTOR, 2 * SECTOR);
  download.start(true, now);
  assert.deepEqual(bound(download, 1), ["total", "sector 4096", "finished"]);
});

test("nothing is left to fetch", () => {
  assert.deepEqual(short(made(SIZE).start(true, now)), ["finished"]);
});

test("two chunks that change places: the second one is asked for again", () => {
  const download = open();
  assert.deepEqual(chunk(download, 1, 2), ["1/2"]);
  assert.deepEqual(chunk(download, 1, 1), ["sector 4096", "1/3"]);
  assert.deepEqual(chunk(download, 1, 2), ["sector 8192"]);
});

test("a chunk of another id, one that nobody asked for, and one that comes twice are dropped", () => {
  const download = open();
  for (const [id, number] of [
    [2, 1],
    [0, 1],
    [1, 3],
    [1, 0],
  ] as const)
    assert.deepEqual(chunk(download, id, number), []);
  assert.deepEqual(chunk(download, 1, 1), ["sector 4096", "1/3"]);
  assert.deepEqual(chunk(download, 1, 1), []);
});

for (const [what, length] of [
  ["an empty chunk", 0],
  ["a short chunk", SECTOR - 1],
  ["a chunk that is too large", SECTOR + 1],
] as const)
  test(`${what}: a new id goes on where the old one ended, and what is late of that is dropped`, () => {
    const download = open();
    assert.deepEqual(chunk(download, 1, 1, new Uint8Array(length)), []);
    assert.deepEqual(wake(download), ["ask"]);
    assert.deepEqual(short(download.shown(URL, now)), ["2/1"]);
    assert.deepEqual(chunk(download, 1, 1), []);
    assert.deepEqual(chunk(download, 1, 2), []);
    assert.deepEqual(chunk(download, 2, 1), []);
  });

test("three such chunks in a row end the download; a sector between them counts anew", () => {
  const useless = (download: ChunkDownload): string[] => {
    const outputs = chunk(download, ids, 1, new Uint8Array());
    if (outputs.length > 0) return outputs;
    assert.deepEqual(wake(download), ["ask"]);
    download.shown(URL, now);
    return outputs;
  };
  const download = open();
  assert.deepEqual([useless(download), useless(download)], [[], []]);
  assert.deepEqual(useless(download), ["not-found: a chunk of 0 bytes in place of 4096"]);

  ids = 0;
  const other = open();
  useless(other);
  useless(other);
  // The new id brings a sector.
  assert.deepEqual(chunk(other, ids, 1), []);
  wake(other);
  assert.deepEqual(short(other.shown(URL, now)).slice(0, 1), ["sector 4096"]);
  assert.deepEqual(chunk(other, ids, 2, new Uint8Array()), []);
});

test("no chunk comes: it is asked for twice more, then under a new id", () => {
  const download = open();
  for (let repeat = 0; repeat < 2; repeat++) {
    const before = now;
    assert.deepEqual(wake(download), ["1/1", "1/2"]);
    assert.equal(now - before, MQTT_REPLY_TIMEOUT);
  }
  assert.deepEqual(wake(download), []);
  assert.deepEqual(wake(download), ["ask"]);
  assert.deepEqual(short(download.shown(URL, now)), ["2/1"]);
});

test("neither attributes nor the first chunk come: it asks again, with waits, until the stall budget is used up", () => {
  const download = made();
  download.start(true, now);
  const outputs: string[] = [];
  while (download.deadline() !== undefined) {
    outputs.push(...wake(download));
    if (outputs.at(-1) === "ask" && outputs.length % 2 === 0) download.shown(URL, now);
  }
  assert.equal(now, STALL_BUDGET);
  assert.ok(outputs.includes("stalled"), "the cloud hears of it");
  assert.match(outputs.at(-1)!, /^download-timeout: no new data for 15 min: no answer for /);
  const asks = outputs.filter((output) => output === "ask").length;
  assert.ok(asks > 5 && asks < 60, `${asks} times`);
});

test("another package, or none, is shown: nothing is asked for, and the first chunk is not stored", () => {
  for (const url of ["mqtt:0.3.0/def", undefined]) {
    const download = made();
    download.start(true, now);
    assert.deepEqual(short(download.shown(url, now)), []);
    assert.deepEqual(wake(download), ["ask"]);
    download.shown(URL, now);
    chunk(download, ids, 0);
    assert.deepEqual(wake(download), ["ask"]);
    assert.deepEqual(short(download.shown(url, now)), []);
    assert.deepEqual(chunk(download, ids, 0), []);
  }
});

test("an answer that nobody waits for changes nothing", () => {
  const download = open();
  assert.deepEqual(short(download.shown("mqtt:0.3.0/def", now)), []);
  assert.deepEqual(chunk(download, 1, 1), ["sector 4096", "1/3"]);
});

test("the connection ends: nothing until it is back, then a new id from the first byte that is missing", () => {
  const download = open();
  assert.deepEqual(short(download.disconnected("closed", now)), []);
  assert.deepEqual(chunk(download, 1, 1), []);
  assert.deepEqual(short(download.connected(now)), ["ask"]);
  assert.deepEqual(bound(download, 1), ["sector 4096", "2/2", "2/3"]);
});

test("a download that begins without a connection waits for it", () => {
  const download = made();
  assert.deepEqual(short(download.start(false, now)), []);
  assert.equal(download.fetching, true);
  assert.deepEqual(short(download.connected(now)), ["ask"]);
});

test("v2/fw/error: a refusal each, three end the download; elsewhere it is not ours", () => {
  const download = made();
  download.start(true, now);
  assert.deepEqual(short(download.refused("NOT_FOUND", now)), [], "no chunk was asked for");
  for (let time = 1; time <= 3; time++) {
    download.shown(URL, now);
    const outputs = short(download.refused("NOT_FOUND", now));
    assert.deepEqual(outputs, time < 3 ? [] : ["not-found: the server says NOT_FOUND"]);
    // The server closes behind it.
    assert.deepEqual(short(download.disconnected("closed", now)), []);
    now += 1_000;
    download.connected(now);
  }
  assert.equal(download.fetching, false);
});

test("drained: what was asked for is received, nothing more is asked for", () => {
  const download = open();
  download.drain();
  assert.equal(download.fetching, true);
  assert.deepEqual(chunk(download, 1, 1), ["sector 4096"]);
  assert.deepEqual(chunk(download, 1, 2), ["sector 8192"]);
  assert.equal(download.fetching, false);
});

test("drained while nothing is stored yet: the first chunk is fetched, and no more", () => {
  const download = made();
  download.start(true, now);
  download.drain();
  assert.deepEqual(bound(download), ["total", "sector 0"]);
  assert.equal(download.fetching, false);
});

test("drained while the connection is away, or after a silence: nothing is awaited", () => {
  const download = made();
  download.start(false, now);
  download.drain();
  assert.equal(download.fetching, false);
  download.connected(now);
  assert.equal(download.fetching, true);
  wake(download);
  assert.equal(download.fetching, false);
});

test("drained while the first chunk waits for its proof: that is stored, and no more", () => {
  const download = made();
  download.start(true, now);
  download.shown(URL, now);
  chunk(download, 1, 0);
  download.drain();
  assert.equal(download.fetching, true);
  wake(download);
  assert.deepEqual(short(download.shown(URL, now)), ["total", "sector 0"]);
  assert.equal(download.fetching, false);
});
