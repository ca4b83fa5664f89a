/** A power cut in the middle of an answer that goes up to the file's end costs no more than one in a range. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WINDOW, runUpdate } from "../../bench/simulation/update";
import type { Line } from "../kit/virtual-network";
import { RANGE_MAX, SECTOR } from "../../src/constants";

const SIZE = 200_000;

const LINES: readonly (readonly [string, Line])[] = [
  ["slow", { rate: 16 * 1024, latency: 80 }],
  ["fast", { rate: 256 * 1024, latency: 10 }],
  ["fast, with as much window as one request may have", { rate: 256 * 1024, latency: 10, window: RANGE_MAX }],
];
for (const [name, line] of LINES)
  test(`${name} line: a sector and the receive window are fetched again after a power cut, at most`, () => {
    for (let cut = 0.02; cut < 1; cut += 0.07) {
      const { finished, again, requests } = runUpdate({ size: SIZE, line, seed: 1, cuts: [cut] });
      assert.ok(finished);
      assert.equal(requests, 2, "one for each start");
      const { window = WINDOW } = line;
      assert.ok(again <= SECTOR + window, `${again} bytes again after a cut at ${Math.round(cut * 100)} %`);
    }
  });
