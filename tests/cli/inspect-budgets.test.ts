import assert from "node:assert/strict";
import { test } from "node:test";
import { budgetsInWords } from "../../host-sim/cli/inspect-budgets";
import { REPEAT_BUDGET } from "../../src/constants";
import { Budgets } from "../../src/job/budgets";
import type { JobEffect } from "../../src/job/effects";
import type { Snapshot } from "../../src/job/records";
import { image, offerOf } from "../job/job-fixture";

const file = image("0.2.0");
const offer = offerOf(file, "0.2.0");
const id = offer.digest!.hex.slice(0, 16);

/** What the store holds after `act`, at `now` ms of the first start. */
function after(act: (budgets: Budgets, now: number) => readonly JobEffect[], now = 0): Snapshot {
  const budgets = new Budgets({}, REPEAT_BUDGET);
  budgets.start(0);
  let stored: Snapshot = {};
  for (const effect of act(budgets, now)) {
    if (effect.type === "put-bytes") stored = { ...stored, budgets: effect.bytes };
    if (effect.type === "put-number") stored = { ...stored, awakeSeconds: effect.value };
  }
  return stored;
}

test("inspect tells what was counted, how much is left and until when", () => {
  assert.deepEqual(budgetsInWords({}), []);
  assert.deepEqual(budgetsInWords(after((budgets, now) => budgets.trialEnded(offer, "power", 1, now), 60_000)), [
    `image ${id}: 1 of 3 trials, the power was cut; next trial in 2 min`,
  ]);
  assert.deepEqual(
    budgetsInWords(
      after((budgets, now) => {
        budgets.confirmed(offer, now);
        return [
          ...budgets.installs(offer, now),
          ...budgets.installs(offerOf(file, "0.3.0", { digest: { algorithm: "MD5", hex: "3".repeat(32) } }), now),
        ];
      }),
    ),
    [
      "repeated installs: 1 of 8 (by default), one less in 15 min",
      "new images: 1 of 60, one less in 10 min",
      `confirmed here: ${id}`,
    ],
  );
});

test("an image without trials left is told as such, and a wait that is over as none", () => {
  const thrice = after((budgets, now) =>
    [1, 2, 3].flatMap((job) => budgets.trialEnded(offer, "not reached", job, now)),
  );
  assert.deepEqual(budgetsInWords(thrice), [`image ${id}: 3 of 3 trials, the cloud was not reached; not tried again`]);
  const once = after((budgets, now) => budgets.trialEnded(offer, "outage", 1, now));
  assert.deepEqual(budgetsInWords({ ...once, awakeSeconds: 1000 }), [
    `image ${id}: 1 of 3 trials, the cloud was not reached; next trial now`,
  ]);
});
