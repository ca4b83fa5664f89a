/** Each folder of tests has its place in the table of seconds that ends `npm test`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { areaOf, areas, testFiles, total } from "../../scripts/test-files.mjs";

test("each area has a budget, each budget an area, and their sum is the whole", () => {
  const { checks, ...folders } = areas;
  assert.ok(checks !== undefined);
  assert.deepEqual(Object.keys(folders).sort(), [...new Set(testFiles().map(areaOf))].sort());
  const sum = Object.values(areas).reduce((so, { seconds }) => so + seconds, 0);
  assert.ok(sum <= total, `${sum} s of ${total} s`);
});

test("what an area lists as unit tests is there", () => {
  const files = testFiles();
  for (const [area, { unit }] of Object.entries(areas))
    for (const name of Array.isArray(unit) ? unit : [])
      assert.ok(
        files.some((file) => areaOf(file) === area && file.endsWith(name)),
        `${area}: ${name}`,
      );
});
