/** A download without progress says why after a minute, once, and goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR, STALL_BUDGET, STALL_REPORT } from "../../src/constants";
import { completes, cutAfter, timesOut } from "./expect";
import { Bench, FILE, good, inTurn, partial } from "./harness";
import type { Answer, Server } from "./harness";

const busy: Server = () => ["HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"];

/** Runs to the end; returns when "stalled" came, after the start. */
const stalls = (bench: Bench): { readonly at: number; readonly message: string }[] => {
  const found: { at: number; message: string }[] = [];
  bench.handle(bench.downloader.start(bench.now));
  let seen = 0;
  while (bench.step()) {
    for (const { message } of bench.of("stalled").slice(seen)) found.push({ at: bench.now - 1_000, message });
    seen = found.length;
  }
  return found;
};

for (const [what, server, message] of [
  ["502", busy, "HTTP 502: the server is busy or broken"],
  ["resets", () => ["reset"] as Answer[], "connection reset"],
  ["silence", () => ["silence"] as Answer[], /^nothing received for \d+ s$/],
] as const)
  test(`${what} for ever: said after a minute, once, long before the end`, () => {
    const bench = new Bench(server);
    const [first, ...more] = stalls(bench);
    assert.equal(first?.at, STALL_REPORT);
    assert.match(first.message, new RegExp(message));
    assert.deepEqual(more, []);
    assert.ok(bench.now >= 1_000 + STALL_BUDGET);
    timesOut(new Bench(server), /./);
  });

test("each stall is said on its own; one that ends within a minute is not", () => {
  const no: Server[] = Array.from({ length: 12 }, () => busy);
  const bench = new Bench(
    inTurn(busy, busy, good(), ...no, good(), ...no, (request) => partial(FILE, request)),
    { range: SECTOR },
  );
  assert.equal(stalls(bench).length, 2);
  assert.equal(bench.last.type, "finished");
  assert.deepEqual(completes(new Bench(inTurn(busy, busy, busy, good()))).of("stalled"), []);
});

test("what is waited out is marked as a reason why nothing happens; a break of a connection that worked is not", () => {
  const marks = (server: Server): (boolean | undefined)[] =>
    completes(new Bench(server))
      .of("log")
      .map(({ idle }) => idle);
  assert.deepEqual(marks(inTurn(busy, good())), [true]);
  const cut = cutAfter(6_000, "reset");
  assert.deepEqual(
    marks((request) => (request.connection === 1 ? cut(request) : partial(FILE, request))),
    [false],
  );
});
