/** A sample of `npm run test:long -- --only rollout`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rollout } from "./rollout";

test("devices on five older versions, one unknown among them, take one container for a fraction of the bytes", () => {
  const { devices, updated, unknown, cuts, served, full } = rollout(20);
  assert.deepEqual([updated, unknown, cuts], [devices, 1, 2]);
  assert.ok(served < 0.2 * full, `${served} of ${full} bytes`);
});
