/** What downloads of the test file come to, and connections that break. */
import assert from "node:assert/strict";
import { WINDOW } from "../../src/constants";
import { FILE, good } from "./harness";
import type { Answer, Bench, Server } from "./harness";

export function completes(bench: Bench): Bench {
  bench.run();
  assert.equal(bench.last.type, "finished", JSON.stringify(bench.last));
  assert.deepEqual(bench.image, FILE);
  assert.ok(bench.window !== undefined || bench.widest <= WINDOW, `${bench.widest} bytes asked ahead`);
  return bench;
}

export function fails(bench: Bench, cause: string, message: RegExp): Bench {
  bench.run();
  const { last } = bench;
  if (last.type !== "download-failed") throw new Error(`ended with ${JSON.stringify(last)}`);
  assert.equal(last.cause, cause);
  assert.match(last.message, message);
  assert.doesNotMatch(last.message, /secret|\n/);
  assert.ok(last.message.length <= 128, last.message);
  assert.equal(bench.effects.filter(({ type }) => type === "download-failed" || type === "finished").length, 1);
  assert.equal(bench.downloader.deadline(), undefined);
  return bench;
}

export function timesOut(bench: Bench, message: RegExp): Bench {
  bench.run();
  const { last } = bench;
  assert.ok(last.type === "download-failed", JSON.stringify(last));
  assert.equal(last.cause, "download-timeout");
  assert.match(last.message, message);
  return bench;
}

/** Cuts the stream of each connection after `count` bytes. */
export function cutAfter(count: number, how: "reset" | "close" | "silence", server = good()): Server {
  let connection = 0;
  let left = 0;
  return (request) => {
    if (request.connection !== connection) left = count;
    connection = request.connection;
    const answer: Answer[] = [];
    for (const piece of server(request)) {
      if (left <= 0) break;
      const bytes = typeof piece === "string" ? Uint8Array.from(piece, (character) => character.charCodeAt(0)) : piece;
      answer.push(bytes.subarray(0, left));
      left -= bytes.length;
      if (left <= 0) answer.push(how);
    }
    return answer;
  };
}
