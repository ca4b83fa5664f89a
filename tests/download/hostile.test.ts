/**
 * Arbitrary bytes from the peer: the downloader never throws, never misplaces a byte, keeps to its bounds, and ends.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { RANGE_MAX, SECTOR, STALL_BUDGET, WINDOW } from "../../src/constants";
import { Downloader } from "../../src/download/downloader";
import { ascii, Bench, FILE, good, partial, testFile } from "./harness";
import type { Answer, Request, Server } from "./harness";

const N = FILE.length;

/** Pseudo-random and repeatable, from a seed that fast-check shrinks. */
function dice(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
}

test("random slices of the byte stream give the same sectors and the same requests", () => {
  const expected = new Bench(good()).run();
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = dice(seed);
      const bench = new Bench(good(), {}, () => 1 + Math.floor(random() ** 4 * 9000)).run();
      assert.deepEqual(
        bench.effects.filter(({ type }) => type === "sector"),
        expected.effects.filter(({ type }) => type === "sector"),
      );
      assert.deepEqual(
        bench.requests.map(({ first, last }) => [first, last]),
        expected.requests.map(({ first, last }) => [first, last]),
      );
      assert.equal(bench.last.type, "finished");
    }),
    { numRuns: 150 },
  );
});

/** Servers that send the right bytes but behave differently at each request. */
function moody(random: () => number, file = FILE): Server {
  const pick = <T>(...choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  return (request) => {
    const most = pick(1, 100, SECTOR, RANGE_MAX, RANGE_MAX, RANGE_MAX);
    const first = request.first;
    const end = Math.min(file.length, request.last + 1, first + most);
    const body = file.subarray(first, end);
    const range = `Content-Range: bytes ${first}-${end - 1}/${file.length}\r\n`;
    const piece = 1 + Math.floor(random() * 3000);
    const chunks: Answer[] = [];
    for (let at = 0; at < body.length; at += piece)
      chunks.push(`${Math.min(piece, body.length - at).toString(16)}\r\n`, body.subarray(at, at + piece), "\r\n");
    const cut = (answer: Answer[]): Answer[] => {
      const all = Buffer.concat(answer.map((part) => (typeof part === "string" ? ascii(part) : part)));
      return [
        all.subarray(0, Math.floor(random() * all.length)),
        pick("close" as const, "reset" as const, "silence" as const),
      ];
    };
    return pick<() => readonly Answer[]>(
      () => partial(file, { first, last: end - 1 }),
      () => partial(file, { first, last: end - 1 }, "", "200 OK"),
      () => partial(file, { first, last: end - 1 }),
      () => [`HTTP/1.1 206 OK\r\n${range}Transfer-Encoding: chunked\r\n\r\n`, ...chunks, "0\r\n\r\n"],
      () => [`HTTP/1.1 206 OK\r\n${range}\r\n`, body, "close"],
      () => [...partial(file, { first, last: end - 1 }, "Connection: close\r\n"), "close"],
      () => [...partial(file, { first, last: end - 1 }), "close"],
      () => cut(partial(file, { first, last: end - 1 })),
      () => [`HTTP/1.1 200 OK\r\nContent-Length: ${file.length}\r\n\r\n`, file],
      () => [`HTTP/1.1 200 OK\r\n\r\n`, file, "close"],
      () => [`HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n`],
      () => ["HTTP/1.1 100 Continue\r\n\r\n", ...partial(file, { first, last: end - 1 }, `X: ${"y".repeat(2000)}\r\n`)],
    )();
  };
}

test("correct servers of changing behaviour: the file is right or the budget ends, and no byte is misplaced", () => {
  let finished = 0;
  let runs = 0;
  fc.assert(
    fc.property(fc.integer(), fc.boolean(), fc.constantFrom(0, SECTOR, 3 * SECTOR), (seed, known, offset) => {
      const random = dice(seed);
      const bench = new Bench(
        moody(random),
        { size: known ? N : 0, offset: known ? offset : 0, random },
        () => 1 + Math.floor(random() ** 3 * 9000),
      );
      if (seed % 2 === 0) bench.window = 5_760;
      bench.run();
      assert.deepEqual(bench.image, FILE.subarray(0, bench.storedLength));
      assert.ok(
        bench.last.type === "finished" || (bench.last.type === "download-failed" && bench.last.cause !== "rejected"),
        JSON.stringify(bench.last),
      );
      assert.ok(bench.window !== undefined || bench.widest <= WINDOW, `${bench.widest}`);
      runs++;
      if (bench.last.type === "finished") finished++;
    }),
    { numRuns: 400 },
  );
  assert.ok(finished > 0.9 * runs, `${finished} of ${runs} finished`);
});

/** Bytes that look like HTTP, now and then. */
const junk = fc.oneof(
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 206 x\r\n\r\n",
        "HTTP/1.1 100 Go\r\n\r\n",
        "\r\n",
        "\r\n\r\n",
        "1000\r\n",
        "0\r\n\r\n",
        "ffffffffff\r\n",
        "\n",
        " folded\r\n",
      )
      .map(ascii),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 9000 }).map((length) => testFile(length)) },
);

const field = fc.constantFrom(
  "Connection: close",
  "Connection: keep-alive",
  "Transfer-Encoding: gzip",
  "Transfer-Encoding: chunked",
  "Content-Length: 5, 6",
  "Content-Length: 1",
  "Location: /other",
  "Location: https://b.example/",
  "Location: ://",
  "Retry-After: 1",
  "Retry-After: 999999999999",
  'ETag: "a"',
  'ETag: "b"',
  "Last-Modified: today",
  "Content-Encoding: gzip",
  "Content-Type: text/html",
  "Content-Type: application/json",
  "X-CRC16: 0000",
  "Content-Range: bytes 0-0/1",
  "Content-Range: bytes */5",
  "Content-Range: bytes 0-99999999999999/999999999999999",
  " folded",
  "rubbish",
  `X: ${"y".repeat(3000)}`,
);

/** A response with one fault in it. */
const answer = fc.record({
  status: fc.constantFrom(
    "200 OK",
    "206 x",
    "206 x",
    "206 x",
    "206 x",
    "206 x",
    "302 Found",
    "206 x",
    "206 x",
    "206 x",
    "403 No",
    "404 No",
    "416 No",
    "503 x",
    "100 x",
    "999 x",
  ),
  version: fc.constantFrom("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2"),
  etag: fc.constantFrom('ETag: "a"', 'ETag: "a"', 'ETag: "b"', "X: y"),
  fields: fc.oneof(
    { weight: 2, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.array(field, { maxLength: 2 }) },
  ),
  range: fc.constantFrom("right", "right", "right", "right", "shifted", "none"),
  length: fc.constantFrom("right", "right", "right", "long", "short", "chunked", "none", "whole"),
  body: fc.constantFrom("right", "right", "right", "short", "junk", "whole"),
  tail: fc.array(junk, { maxLength: 1 }),
  ending: fc.constantFrom("stay", "stay", "stay", "close", "reset", "silence"),
  times: fc.integer({ min: 1, max: 6 }),
});
type Recipe = typeof answer extends fc.Arbitrary<infer T> ? T : never;

function cook(recipe: Recipe, request: Request): Answer[] {
  const last = Math.min(request.last, N - 1);
  const shift = recipe.range === "shifted" ? 1 : 0;
  const body = {
    right: FILE.subarray(request.first, last + 1),
    short: FILE.subarray(request.first, request.first + 5000),
    // A head may have told of a larger file, whose later bytes are asked for then.
    junk: testFile(Math.max(0, last + 1 - request.first)),
    whole: FILE,
  }[recipe.body];
  const size = last + 1 - request.first;
  const length = {
    right: `Content-Length: ${size}`,
    long: `Content-Length: ${size + 100}`,
    short: `Content-Length: ${size - 100}`,
    chunked: "Transfer-Encoding: chunked",
    none: "X: y",
    whole: `Content-Length: ${N}`,
  }[recipe.length];
  const range = recipe.range === "none" ? [] : [`Content-Range: bytes ${request.first + shift}-${last + shift}/${N}`];
  const payload = recipe.length === "chunked" ? [`${body.length.toString(16)}\r\n`, body, "\r\n0\r\n\r\n"] : [body];
  const ending = recipe.ending === "stay" ? [] : [recipe.ending as Answer];
  return [
    [`${recipe.version} ${recipe.status}`, ...range, length, recipe.etag, ...recipe.fields, "", ""].join("\r\n"),
    ...payload,
    ...recipe.tail,
    ...ending,
  ];
}

test("faulty responses in any order: no throw, one end, no byte beyond the file", () => {
  const seen = { sectors: 0, finished: 0, failed: 0, restarts: 0 };
  fc.assert(
    fc.property(
      fc.array(answer, { minLength: 1, maxLength: 6 }),
      fc.array(junk, { maxLength: 4 }),
      fc.record({ hasDigest: fc.boolean(), crc16: fc.boolean(), known: fc.boolean() }),
      fc.integer(),
      (recipes, garbage, { hasDigest, crc16, known }, seed) => {
        const random = dice(seed);
        const script = recipes.flatMap((recipe) => Array.from({ length: recipe.times }, () => recipe));
        let count = 0;
        const server = (request: Request): readonly Answer[] => {
          const turn = count++ % (script.length + garbage.length);
          return turn < script.length ? cook(script[turn]!, request) : [garbage[turn - script.length]!];
        };
        const bench = new Bench(
          server,
          { hasDigest, crc16, size: known ? N : 0, random },
          () => 1 + Math.floor(random() ** 3 * 9000),
        );
        if (seed % 2 === 0) bench.window = 5_760;
        let renewals = 0;
        bench.onExpired = () => (renewals++ < 3 ? "http://files.example/fresh" : undefined);
        bench.run();
        const total = bench.of("total").at(-1)?.size ?? 0;
        assert.ok(bench.storedLength <= total);
        assert.ok(bench.window !== undefined || bench.widest <= WINDOW);
        assert.ok(["finished", "download-failed", "expired"].includes(bench.last.type), bench.last.type);
        if (bench.last.type === "download-failed")
          assert.ok(
            bench.last.message.length <= 128 && !/[\n\r]|secret|-\d/.test(bench.last.message),
            bench.last.message,
          );
        if (bench.last.type === "finished") assert.equal(bench.storedLength, total);
        assert.ok(bench.effects.filter(({ type }) => type === "finished" || type === "download-failed").length <= 1);
        seen.sectors += bench.of("sector").length;
        seen.restarts += bench.of("start-over").length;
        if (bench.last.type !== "expired") seen[bench.last.type === "finished" ? "finished" : "failed"]++;
      },
    ),
    { numRuns: 1_000 },
  );
  // The generator must reach what it is meant to try.
  assert.ok(
    seen.sectors > 1_000 && seen.finished > 100 && seen.failed > 100 && seen.restarts > 5,
    JSON.stringify(seen),
  );
});

test("a garbage server does not keep a device busy: attempts over the stall budget are few", () => {
  const bench = new Bench(() => ["HTTP/1.1 206 x\r\n\r\n\r\n"], { random: dice(7) }).run();
  assert.ok(bench.connects.length < 20);
  const reset = new Bench(() => ["reset"], { random: dice(7) }).run();
  assert.ok(reset.connects.length < 60 && reset.now <= 1_000 + STALL_BUDGET);
});

test("memory does not grow, however much a peer sends", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  };
  const flood = new Uint8Array(65_536).fill(0x41);
  const openings = [
    "HTTP/1.1 206 x\r\nLocation: ",
    "HTTP/1.1 ",
    "",
    `HTTP/1.1 206 x\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes 0-8191/${N}\r\n\r\n1;`,
    "HTTP/1.1 302 x\r\nLocation: /\r\n ",
  ];
  const downloader = new Downloader({
    url: "http://a.example/",
    offset: 0,
    size: N,
    hasDigest: true,
    allowHttp: true,
    buffer: new Uint8Array(SECTOR),
    random: () => 0,
  });
  downloader.start(0);
  let fed = 0;
  const feed = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length;) {
      const target = downloader.readTarget();
      if (target.length === 0) return;
      const count = Math.min(target.length, bytes.length - at);
      target.set(bytes.subarray(at, at + count));
      at += count;
      fed += count;
      downloader.received(count, 0);
    }
  };
  const connection = (opening: string): void => {
    downloader.tick(0);
    downloader.opened(0);
    feed(ascii(opening));
    for (let round = 0; round < 10; round++) feed(flood);
  };
  for (const opening of openings) connection(opening);
  const before = heap();
  for (let round = 0; round < 20; round++) for (const opening of openings) connection(opening);
  assert.ok(fed > 2_000_000, `${fed} bytes fed`);
  assert.ok(heap() - before < 200_000);
});
