import assert from "node:assert/strict";
import { test } from "node:test";
import { RANGE, SECTOR, WINDOW } from "../../src/constants";
import { Bench, FILE, good } from "./harness";

test("a file arrives in sectors, over one connection, with pipelined requests", () => {
  const bench = new Bench(good()).run();
  assert.deepEqual(bench.image, FILE);
  assert.deepEqual(bench.connects, ["http://files.example:80"]);
  assert.equal(bench.last.type, "finished");
  assert.deepEqual(
    bench.of("total").map(({ size }) => size),
    [FILE.length],
  );
  assert.equal(
    bench.effects.findIndex(({ type }) => type === "total") < bench.effects.findIndex(({ type }) => type === "sector"),
    true,
  );
  assert.deepEqual(
    bench.of("sector").map(({ bytes }) => bytes.length),
    [SECTOR, SECTOR, SECTOR, SECTOR, SECTOR, 1234],
  );
  assert.ok(bench.widest <= WINDOW, `${bench.widest} bytes asked ahead`);
  assert.ok(bench.widest > RANGE);
});

test("the request has exactly these fields", () => {
  const bench = new Bench(good(), { url: "http://Files.Example:8080/a/b.bin?sign=a%2Fb%00#part" }).run();
  const { head } = bench.requests[0]!;
  assert.equal(
    head,
    "GET /a/b.bin?sign=a%2Fb%00 HTTP/1.1\r\nHost: files.example:8080\r\nUser-Agent: xs-ota\r\n" +
      `Accept-Encoding: identity\r\nConnection: keep-alive\r\nRange: bytes=0-${RANGE - 1}\r\n\r\n`,
  );
  assert.ok(bench.requests.every(({ last }) => last < FILE.length));
});

test("it resumes at the offset it is given", () => {
  const bench = new Bench(good(), { offset: 3 * SECTOR }).run();
  assert.equal(bench.requests[0]!.first, 3 * SECTOR);
  assert.deepEqual(bench.image, FILE);
});
