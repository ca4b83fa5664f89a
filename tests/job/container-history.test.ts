/** What is remembered of an image counts for it as a plain file and in a container, whichever way it came first. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Offer } from "../../src/job/types";
import { containerOf } from "../kit/containers";
import { build, container, device, next, offer, old, take } from "./container-fixture";
import type { JobFixture } from "./job-fixture";
import { offerOf } from "./job-fixture";

const ROLLED_BACK = "rejected: this image was rolled back before; it is not tried again";
const sha256 = (file: Uint8Array): Offer =>
  offerOf(file, "0.2.0", { digest: { algorithm: "SHA256", hex: createHash("sha256").update(file).digest("hex") } });
const PLATFORMS = { MD5: (file: Uint8Array) => offerOf(file, "0.2.0"), SHA256: sha256 };

/** Nothing of the slot changes. */
function refusedAtOnce(on: JobFixture, again: Offer, file: Uint8Array): void {
  const { address, size } = on.board.table.slots[1];
  const { erases } = on.board.chip.counts(address, size);
  const ended = on.outcomes.length;
  on.connect();
  on.push(again);
  // A plain file is refused before anything is asked for.
  if (on.state === "downloading") on.deliver(file);
  assert.deepEqual(on.outcomes.slice(ended), [ROLLED_BACK]);
  assert.equal(on.board.chip.counts(address, size).erases, erases);
}

for (const [algorithm, offered] of Object.entries(PLATFORMS)) {
  test(`an image that was rolled back is refused at once in a container, offered by ${algorithm}`, () => {
    const on = device({ answers: { health: false } });
    on.update(next, offered(next));
    assert.match(on.outcomes[0] ?? "", /^rolled-back/);
    refusedAtOnce(on, offered(container.bytes), container.bytes);
  });

  test(`an image of a container that was rolled back is refused at once as a plain file, offered by ${algorithm}`, () => {
    const on = device({ answers: { health: false } });
    on.update(container.bytes, offered(container.bytes));
    assert.match(on.outcomes[0] ?? "", /^rolled-back/);
    const downloads = on.downloads.length;
    refusedAtOnce(on, offered(next), next);
    assert.equal(on.downloads.length, downloads, "nothing is fetched");
  });

  test(`an image of a container that was rolled back is refused at once in another one, offered by ${algorithm}`, () => {
    const on = device({ answers: { health: false } });
    on.update(container.bytes, offered(container.bytes));
    const other = containerOf(next, [old]).bytes;
    assert.notDeepEqual(offered(other).digest, offered(container.bytes).digest);
    refusedAtOnce(on, offered(other), other);
  });
}

for (const [first, second] of [
  [PLATFORMS.MD5, PLATFORMS.SHA256],
  [PLATFORMS.SHA256, PLATFORMS.MD5],
] as const)
  test(`an image that was rolled back is refused by its other digest too, first ${first(next).digest?.algorithm}`, () => {
    for (const [one, other] of [
      [next, container.bytes],
      [container.bytes, next],
      [container.bytes, containerOf(next, [old]).bytes],
    ] as const) {
      const on = device({ answers: { health: false } });
      on.update(one, first(one));
      assert.match(on.outcomes[0] ?? "", /^rolled-back/);
      refusedAtOnce(on, second(other), other);
    }
  });

test("an image that was confirmed here as a plain file is a repeated install in a container, and the other way round", () => {
  for (const [first, second] of [
    [next, container.bytes],
    [container.bytes, next],
  ] as const) {
    const on = device({ policy: { repeatBudget: 0, allowDowngrade: true } });
    on.update(first, offerOf(first, "0.2.0"));
    const between = build("0.1.1");
    on.update(between, offerOf(between, "0.1.1"));
    assert.deepEqual(on.outcomes, ["done", "done"]);
    take(on, second);
    assert.match(on.outcomes[2] ?? "", /^rejected: sent back and forth between 0.1.1 and 0.2.0/);
  }
});

test("a container of the image that runs is done, by whichever file that came", () => {
  const on = device();
  on.update(next, offerOf(next, "0.2.0"));
  on.push(offer);
  on.deliver(container.bytes);
  assert.deepEqual(on.outcomes, ["done", "done"]);
});

for (const restarts of [
  "never",
  "before the push",
  "before the push and before the head",
  "before the file and before the head",
])
  test(`a container that was staged in part before its image was rolled back is refused, restart: ${restarts}`, () => {
    const on = device();
    on.push(offer);
    on.deliver(container.bytes, 8192);
    on.dispatch({ type: "download-failed", cause: "download-timeout", message: "stalled" });
    on.ack("outcome");
    if (restarts.startsWith("before the file")) {
      on.powerOn();
      on.connect();
    }
    on.answers = { health: false };
    on.now += 24 * 3_600_000;
    on.update(next, offerOf(next, "0.2.0"));
    assert.match(on.outcomes.at(-1) ?? "", /^rolled-back/);
    if (restarts.startsWith("before the push")) on.powerOn();
    on.connect();
    on.now += 24 * 3_600_000;
    if (restarts.endsWith("head")) {
      on.push(offer);
      on.powerOn();
    }
    refusedAtOnce(on, offer, container.bytes);
  });
