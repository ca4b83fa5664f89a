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
    // Of the segment in hand a part is unread when the erase begins, so lwIP has not heard of it.
    const held = ((window - SEGMENT) / line.rate) * 1000 * SHARE;
    const reckoned = ESP_IDF.block + 2 * line.latency - held;
    assert.ok(Math.abs(each - reckoned) < 0.1 * reckoned, `${each.toFixed(1)} ms, reckoned ${reckoned.toFixed(1)}`);
  });

test("a window that holds more than arrives in a block's erase hides it", () => {
  const options = { size: SIZE, line: { ...middle!, window: 12 * SEGMENT }, seed: 1 };
  const { downloadMs } = runPeer(BARE_STREAMS.block, options);
  const least = (SIZE / middle!.rate) * 1000 * SHARE;
  assert.ok(downloadMs < 1.1 * least, `${downloadMs.toFixed(0)} ms, the line alone ${least.toFixed(0)}`);
});

test("a stream erases by sectors as esp_ota_write does, or by blocks, each sector once", () => {
  const options = { size: SIZE, line: middle!, seed: 1 };
  const [sector, block] = [BARE_STREAMS.sector, BARE_STREAMS.block].map((peer) => runPeer(peer, options).flash);
  assert.deepEqual([sector!.erases, sector!.blockErases], [SIZE / SECTOR_SIZE, 0]);
  assert.deepEqual([block!.erases, block!.blockErases], [SIZE / SECTOR_SIZE, SIZE / BLOCK_SIZE]);
});
