/** What `npm run bench:deltas` measures, on the vectors of the format and with this machine's compiler. */
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CODE_BAR, RAM_BAR, decoderSizes, ramOf } from "../../bench/deltas/decoder";
import { measurePairs, pairTables, quantile } from "../../bench/deltas/pairs";
import { temporaryFolder } from "../kit/folder";

const VECTORS = new URL("../delta/vectors/", import.meta.url).pathname;

test("builds in a folder are compared each with the one before, and equal ones are left out", (t) => {
  const folder = temporaryFolder(t);
  for (const [from, to] of [
    ["0.1.0", "a"],
    ["0.2.0", "b"],
    ["0.2.0", "c"],
    ["0.3.0", "d"],
  ])
    cpSync(join(VECTORS, `${from}.bin`), join(folder, `${to}.bin`));
  const { pairs, tools } = measurePairs(folder, () => undefined);
  assert.deepEqual(
    pairs.map(({ old, file, size, part, whole }) => [old, file, size, part < size / 10, whole]),
    [
      ["a.bin", "b.bin", pairs[0]!.size, true, pairs[0]!.whole],
      ["c.bin", "d.bin", 4_784, true, 453],
    ],
  );
  assert.equal(pairs[1]!.part, 296, "as in the container of the vectors");
  assert.match(pairTables(pairs, tools), /^2 pairs of builds with a change of source, of 2 that differ/);
  assert.throws(() => measurePairs(join(VECTORS, ".."), () => undefined), /no two files \*\.bin/);
});

test("quantiles lie between the values", () => {
  assert.deepEqual(
    [0, 0.5, 0.75, 1].map((share) => quantile([4, 1, 3, 2], share)),
    [1, 2.5, 3.25, 4],
  );
});

test("the decoder is as small as it has to be", () => {
  const sizes = decoderSizes();
  assert.ok(sizes.length > 0);
  for (const size of sizes) {
    assert.ok(size.code > 0 && size.code <= CODE_BAR, `${size.target}: ${size.code} bytes of code`);
    assert.ok(size.state > 4_096 && ramOf(size) <= RAM_BAR, `${size.target}: ${ramOf(size)} bytes of memory`);
  }
});
