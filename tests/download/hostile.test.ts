/** Anything at all from the peer: it never throws, never delivers a byte out of place, keeps to its bounds, and ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RANGE_MAX, SECTOR, STALL_BUDGET, WINDOW } from "../../src/constants";
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
      assert.deepEqual(bench.effects.filter(({ type }) => type === "sector"), expected.effects.filter(({ type }) => type === "sector"));
      assert.deepEqual(bench.requests.map(({ first, last }) => [first, last]), expected.requests.map(({ first, last }) => [first, last]));
      assert.equal(bench.last.type, "finished");
    }),
    { numRuns: 150 },
  );
});

/** Servers that are honest about the bytes but change manners with every request. */
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
    for (let at = 0; at < body.length; at += piece) chunks.push(`${Math.min(piece, body.length - at).toString(16)}\r\n`, body.subarray(at, at + piece), "\r\n");
    const cut = (answer: Answer[]): Answer[] => {
      const all = Buffer.concat(answer.map((part) => (typeof part === "string" ? ascii(part) : part)));
      return [all.subarray(0, Math.floor(random() * all.length)), pick("close" as const, "reset" as const, "silence" as const)];
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

test("honest servers with changing manners: the file comes out right, or time runs out; never a byte out of place", () => {
  let finished = 0;
  let runs = 0;
  fc.assert(
    fc.property(fc.integer(), fc.boolean(), fc.constantFrom(0, SECTOR, 3 * SECTOR), (seed, known, offset) => {
      const random = dice(seed);
      const bench = new Bench(moody(random), { size: known ? N : 0, offset: known ? offset : 0, random }, () => 1 + Math.floor(random() ** 3 * 9000)).run();
      assert.deepEqual(bench.image, FILE.subarray(0, bench.storedLength));
      assert.ok(bench.last.type === "finished" || (bench.last.type === "failed" && bench.last.cause !== "rejected"), JSON.stringify(bench.last));
      assert.ok(bench.widest <= WINDOW, `${bench.widest}`);
      runs++;
      if (bench.last.type === "finished") finished++;
    }),
    { numRuns: 400 },
  );
  assert.ok(finished > 0.9 * runs, `${finished} of ${runs} finished`);
});

/** Bytes that look like HTTP, now and then. */
const piece = fc.oneof(
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(
        "HTTP/1.1 200 OK\r\n", "HTTP/1.1 206 Partial Content\r\n", "HTTP/1.0 206 x\r\n", "HTTP/1.1 302 Found\r\n", "HTTP/1.1 403 No\r\n", "HTTP/1.1 416 No\r\n", "HTTP/1.1 100 Go\r\n", "HTTP/1.1 503 x\r\n",
        `Content-Range: bytes 0-8191/${N}\r\n`, `Content-Range: bytes 4096-12287/${N}\r\n`, "Content-Range: bytes 0-0/1\r\n", "Content-Range: bytes */5\r\n", "Content-Range: bytes 0-99999999999999/999999999999999\r\n",
        "Content-Length: 8192\r\n", `Content-Length: ${N}\r\n`, "Content-Length: 0\r\n", "Content-Length: 5, 6\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n",
        "Location: /other\r\n", "Location: https://b.example/\r\n", "Location: ://\r\n", "Retry-After: 1\r\n", "Retry-After: 999999999999\r\n", 'ETag: "a"\r\n', 'ETag: "b"\r\n', "Content-Encoding: gzip\r\n", "Content-Type: text/html\r\n",
        "X-CRC16: 0000\r\n", "\r\n", "\r\n\r\n", "1000\r\n", "0\r\n\r\n", "ffffffffff\r\n", "\n", " folded\r\n",
      )
      .map(ascii),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 9000 }).map((length) => testFile(length)) },
  { weight: 1, arbitrary: fc.constantFrom("close" as const, "reset" as const, "silence" as const) },
);

test("garbage, whole and half answers in any order: no throw, no end but its own, no byte beyond the file", () => {
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 12 }), { minLength: 1, maxLength: 6 }), fc.record({ hasDigest: fc.boolean(), crc16: fc.boolean(), known: fc.boolean() }), fc.integer(), (answers, { hasDigest, crc16, known }, seed) => {
      const random = dice(seed);
      let count = 0;
      const server = (_request: Request): readonly Answer[] => answers[count++ % answers.length]!;
      const bench = new Bench(server, { hasDigest, crc16, size: known ? N : 0, random }, () => 1 + Math.floor(random() ** 3 * 9000));
      let renewals = 0;
      bench.onExpired = () => (renewals++ < 3 ? "http://files.example/fresh" : undefined);
      bench.run();
      const total = bench.of("total").at(-1)?.size ?? 0;
      assert.ok(bench.storedLength <= total);
      assert.ok(bench.widest <= WINDOW);
      assert.ok(["finished", "failed", "expired"].includes(bench.last.type), bench.last.type);
      if (bench.last.type === "failed") assert.ok(bench.last.message.length <= 128 && !/[\n\r]|secret/.test(bench.last.message), bench.last.message);
      if (bench.last.type === "finished") assert.equal(bench.storedLength, total);
      const terminal = bench.effects.filter(({ type }) => type === "finished" || type === "failed");
      assert.ok(terminal.length <= 1);
    }),
    { numRuns: 1_500 },
  );
});

test("a garbage server does not keep a device busy: attempts over the stall budget are few", () => {
  const bench = new Bench(() => ["HTTP/1.1 206 x\r\n\r\n\r\n"], { random: dice(7) }).run();
  assert.ok(bench.connects.length < 20);
  const reset = new Bench(() => ["reset"], { random: dice(7) }).run();
  assert.ok(reset.connects.length < 60 && reset.now <= 1_000 + STALL_BUDGET);
});

test("memory stays where it is, however much a peer sends", () => {
  const heap = (): number => {
    (globalThis as { gc?: () => void }).gc?.();
    return process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  };
  const junk = new Uint8Array(65_536).fill(0x41);
  const bench = new Bench(() => [], {});
  bench.handle(bench.downloader.start(0));
  bench.step();
  const before = heap();
  let fed = 0;
  const started = ascii(`HTTP/1.1 206 x\r\nTransfer-Encoding: chunked\r\nContent-Range: bytes 0-8191/${N}\r\n`);
  for (const source of [started, junk, junk, junk]) {
    for (let at = 0; at < source.length; ) {
      const target = bench.downloader.readTarget();
      if (target.length === 0) break;
      const count = Math.min(target.length, source.length - at);
      target.set(source.subarray(at, at + count));
      at += count;
      fed += count;
      bench.downloader.received(count, 0);
    }
  }
  assert.ok(fed > 100_000);
  assert.ok(heap() - before < 4_000_000);
});
