/**
 * A cell at the edge of its range: 16 KiB/s, and every connection is reset now and then. The whole agent downloads 700 KB
 * over it, in virtual time, with the receive window of a chip.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runUpdate } from "../../bench/simulation/update";

const SIZE = 700 * 1024;
const CELL = { rate: 16 * 1024, latency: 80, resetEvery: 20 };

for (const seed of [1, 2, 4, 5, 6]) {
  test(`700 KB at 16 KiB/s with a reset every 20 s completes for at most 1.05 of its bytes, seed ${seed}`, (t) => {
    const { finished, reports, file, sent, again } = runUpdate({ size: SIZE, line: CELL, seed });
    t.diagnostic(`${file.resets} resets, ${file.connections} connections, ${again} bytes again`);
    assert.ok(finished && !reports.includes("fail"), reports.at(-1));
    assert.ok(file.resets >= 1, `${file.resets} resets`);
    assert.ok(sent <= 1.05 * SIZE, `${sent} bytes sent, heads included`);
  });
}
