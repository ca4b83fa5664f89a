/**
 * A TCP below the agent that loses bytes: the server's stream is whole and acknowledged, and a piece of it never
 * reaches the reader (the SDK's ECMA-419 TCP on an ESP32 with two cores).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RANGE, REWINDS_MAX, SECTOR } from "../../src/constants";
import { Bench, FILE, ascii, good, testFile } from "./harness";
import type { Answer, Server } from "./harness";

/** Of the first connection the bytes from `at` on, `length` of them, are lost. */
function losing(at: number, length: number, server: Server = good()): Server {
  let sent = 0;
  return (request) => {
    const answer = server(request);
    if (request.connection !== 1) return answer;
    return answer.flatMap((piece): Answer[] => {
      const bytes = typeof piece === "string" ? ascii(piece) : piece;
      const from = Math.max(0, Math.min(bytes.length, at - sent));
      const to = Math.max(0, Math.min(bytes.length, at + length - sent));
      sent += bytes.length;
      return [bytes.subarray(0, from), bytes.subarray(to)];
    });
  };
}

const HEAD = ascii(good()({ first: 0, last: RANGE - 1 } as never)[0] as string).length;
const FIRST_BODY = HEAD + RANGE;

function recovers(server: Server, about: string): Bench {
  const bench = new Bench(server).run();
  assert.equal(bench.last.type, "finished", `${about}: ${JSON.stringify(bench.last)}`);
  assert.ok(Buffer.from(bench.image).equals(FILE), `${about}: other bytes were stored`);
  return bench;
}

test("the last segment of a range is lost: what follows is no head, and the whole range comes again", () => {
  const bench = recovers(losing(FIRST_BODY - 1_010, 1_010), "1,010 bytes");
  assert.deepEqual(
    bench.of("rewind").map(({ offset }) => offset),
    [0],
  );
  assert.deepEqual(bench.requests.filter(({ connection }) => connection === 2)[0]?.first, 0);
});

test("a piece of any length is lost anywhere in a body that another one follows", () => {
  for (let at = HEAD; at < FIRST_BODY; at += 457) {
    for (const length of [1, 2, 536, 1_010, 1_440, 2_880])
      if (at + length <= FIRST_BODY) recovers(losing(at, length), `${length} bytes at ${at}`);
  }
});

test("only the range before the break comes again, not what was stored before it", () => {
  const bench = new Bench(losing(HEAD + RANGE + HEAD + 100, 1_010), { range: SECTOR }).run();
  assert.equal(bench.last.type, "finished");
  assert.ok(Buffer.from(bench.image).equals(FILE));
  const [rewind] = bench.of("rewind");
  assert.ok(rewind !== undefined && rewind.offset > 0, JSON.stringify(rewind));
});

test("garbage on a new connection does not invalidate the body of the one before", () => {
  const server: Server = (request) =>
    request.connection === 2 && request.number === 1
      ? ["GARBAGE\r\n\r\n"]
      : [...good()(request), ...(request.connection === 1 && request.number === 1 ? (["reset"] as const) : [])];
  const bench = recovers(server, "garbage first");
  assert.deepEqual(bench.of("rewind"), []);
});

test("a server that sends garbage after each response: sectors are fetched again a bounded number of times", () => {
  const file = testFile(60 * SECTOR);
  const bench = new Bench((request) => [...good(file)(request), "RUBBISH\r\n\r\n"], { size: file.length }).run();
  assert.equal(bench.last.type, "finished");
  assert.ok(Buffer.from(bench.image).equals(file));
  assert.equal(bench.of("rewind").length, REWINDS_MAX);
  assert.ok(
    bench.of("sector").length <= file.length / SECTOR + (REWINDS_MAX * RANGE) / SECTOR,
    `${bench.of("sector").length} sectors`,
  );
});
