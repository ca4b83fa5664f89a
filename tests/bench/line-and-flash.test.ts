/** What the modelled line and flash do to a stream of one request agrees with what one can reckon. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LINES } from "../../bench/measure/lines";
import { runPeer } from "../../bench/peers/run";
import { BARE_STREAMS } from "../../bench/peers/strategies";
import { BLOCK_SIZE, SECTOR_SIZE } from "../../hal/model-chip/flash-chip";
import { ESP_IDF } from "../../hal/model-chip/flash-timing";
import { SEGMENT } from "../kit/lwip-receiver";

const SIZE = 4 * BLOCK_SIZE;
/** IP and TCP headers. */
const SHARE = (SEGMENT + 40) / SEGMENT;
const [, middle, fast] = LINES;

for (const { line, window } of [
  { line: middle!, window: 4 * SEGMENT },
  { line: fast!, window: 4 * SEGMENT },
  { line: fast!, window: 12 * SEGMENT },
])
  test(`${line.name}, window ${window}: a block's erase costs its time and a round trip, less what the window holds`, () => {
    const options = { size: SIZE, line: { ...line, window }, seed: 1 };
    const [erasing, not] = [ESP_IDF, { ...ESP_IDF, block: 0 }].map(
      (timing) => runPeer(BARE_STREAMS.block, { ...options, timing }).downloadMs,
    );
    const each = (erasing! - not!) / (SIZE / BLOCK_SIZE);
    const held = (window / line.rate) * 1000 * SHARE;
    const reckoned = ESP_IDF.block + 2 * line.latency - held;
    // A wide window is told of in larger steps: some of it is not open when the erase begins.
    assert.ok(Math.abs(each - reckoned) < 0.15 * reckoned, `${each.toFixed(1)} ms, reckoned ${reckoned.toFixed(1)}`);
  });

test("a window that holds more than arrives in a block's erase hides it", () => {
  const options = { size: SIZE, line: { ...middle!, window: 12 * SEGMENT }, seed: 1 };
  const { downloadMs } = runPeer(BARE_STREAMS.block, options);
  const least = (SIZE / middle!.rate) * 1000 * SHARE;
  assert.ok(downloadMs < 1.1 * least, `${downloadMs.toFixed(0)} ms, the line alone ${least.toFixed(0)}`);
});

test("a window of four segments is one of three for a reader that leaves a part of each segment", () => {
  const timing = { ...ESP_IDF, sector: 0, block: 0 };
  const options = { size: SIZE, line: { ...middle!, window: 4 * SEGMENT }, seed: 1, timing };
  const all = runPeer(BARE_STREAMS.block, options).downloadMs;
  const byKilobyte = runPeer({ ...BARE_STREAMS.block, read: 1_024 }, options).downloadMs;
  assert.ok(byKilobyte > 1.15 * all, `${byKilobyte.toFixed(0)} ms, all at once ${all.toFixed(0)}`);
});

test("a stream erases by sectors as esp_ota_write does, or by blocks, each sector once", () => {
  const options = { size: SIZE, line: middle!, seed: 1 };
  const [sector, block] = [BARE_STREAMS.sector, BARE_STREAMS.block].map((peer) => runPeer(peer, options).flash);
  assert.deepEqual([sector!.erases, sector!.blockErases], [SIZE / SECTOR_SIZE, 0]);
  assert.deepEqual([block!.erases, block!.blockErases], [SIZE / SECTOR_SIZE, SIZE / BLOCK_SIZE]);
});
