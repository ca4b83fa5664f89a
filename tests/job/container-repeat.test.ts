/** A container whose image lies in the slot already, since its trials were cut short: nothing is fetched again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Offer } from "../../src/job/types";
import { build, container, device, next, offer } from "./container-fixture";
import type { JobFixture } from "./job-fixture";
import { offerOf } from "./job-fixture";

/** From a switch to the failure that is told when the power was lost in each trial. */
function cutTrials(on: JobFixture): void {
  on.ack("burning");
  assert.equal(on.state, "trial");
  while (on.state === "trial") on.powerOn("brown-out");
  on.connect();
  assert.match(on.outcomes.at(-1)!, /^rolled-back: trial cut short by power loss/);
  on.ack("outcome");
  assert.equal(on.state, "idle");
}

function untilNextTrial(on: JobFixture): void {
  on.now += 24 * 3_600_000;
  on.dispatch({ type: "tick" });
}

function cutShort(file: Uint8Array, offered: Offer): JobFixture {
  const on = device();
  on.push(offered);
  on.deliver(file);
  cutTrials(on);
  untilNextTrial(on);
  return on;
}

function becomesDone(on: JobFixture): void {
  on.ack("burning");
  on.connect();
  assert.equal(on.outcomes.at(-1), "done");
  assert.deepEqual(on.running, { version: "0.2.0", slot: "ota_1", state: "valid" });
}

test("a container whose trials were cut short goes on without a download when it is pushed again", () => {
  for (const restarts of [false, true]) {
    const on = cutShort(container.bytes, offer);
    const downloads = on.downloads.length;
    if (restarts) {
      on.powerOn();
      on.connect();
      untilNextTrial(on);
    }
    on.push({ ...offer, url: "http://files/fw.bin?sign=2" });
    assert.equal(on.downloads.length, downloads, "nothing is fetched");
    becomesDone(on);
  }
});

test("its image goes on without a download although the power is cut while it is proven again", () => {
  const on = cutShort(container.bytes, offer);
  const downloads = on.downloads.length;
  let reads = 0;
  on.onHandled = (event) => {
    if (event.type === "bytes" && reads++ === 3) throw new Error("cut");
  };
  assert.throws(() => on.push(offer), /cut/);
  on.onHandled = undefined;
  on.powerOn();
  on.connect();
  assert.equal(on.downloads.length, downloads, "nothing is fetched");
  becomesDone(on);
});

test("an offer without a size goes on as soon as the server tells it", () => {
  const on = cutShort(container.bytes, offer);
  const downloads = on.downloads.length;
  on.push({ ...offer, size: 0 });
  on.dispatch({ type: "total", size: container.bytes.length, validator: undefined });
  assert.equal(on.downloads.length, downloads + 1);
  assert.equal(on.downloading, false);
  becomesDone(on);
});

test("what an earlier job has left and is not the image any more is downloaded once more, and nobody is blamed", () => {
  const on = cutShort(container.bytes, offer);
  const { address } = on.board.table.slots[1];
  on.board.chip.program(address + 20_000, new Uint8Array(16));
  const downloads = on.downloads.length;
  on.push(offer);
  assert.deepEqual(
    on.downloads.slice(downloads).map(({ offset }) => offset),
    [0],
  );
  on.deliver(container.bytes);
  becomesDone(on);
});

/** The download ends after `until` bytes, and its failure was told. */
function breakOff(on: JobFixture, file: Uint8Array, offered: Offer, until: number): void {
  on.push(offered);
  on.deliver(file, until);
  on.dispatch({ type: "download-failed", cause: "not-found", message: "gone" });
  on.ack("outcome");
  assert.equal(on.state, "idle");
}

for (const restarts of [false, true])
  test(`a container that was staged in part goes on when it is pushed again, restart in between: ${restarts}`, () => {
    const on = device();
    const restart = (): void => {
      if (!restarts) return;
      on.powerOn();
      on.connect();
    };
    breakOff(on, container.bytes, offer, 8_192);
    restart();
    breakOff(on, container.bytes, offer, 12_288);
    assert.equal(on.downloads.at(-1)!.offset, 8_192);
    restart();
    breakOff(on, next, offerOf(next, "0.2.0"), 8_192);
    assert.equal(on.downloads.at(-1)!.offset, 0, "the image as a plain file takes the slot");
    restart();
    on.push(offer);
    assert.equal(on.downloads.at(-1)!.offset, 0, "and the container takes it back");
    on.deliver(container.bytes);
    becomesDone(on);
  });

test("what is staged outlives restarts, and a file that does not fit, while only the server knows the size", () => {
  const on = device();
  const unsized = { ...offer, size: 0 };
  const restart = (): void => {
    on.powerOn();
    on.connect();
  };
  const asked = (): number => {
    on.push(unsized);
    on.dispatch({ type: "total", size: container.bytes.length, validator: undefined });
    return on.downloads.at(-1)!.offset;
  };
  breakOff(on, container.bytes, unsized, 8_192);
  restart();
  on.push({ ...offerOf(next, "0.3.0"), size: 0 });
  on.dispatch({ type: "total", size: 64 << 20, validator: undefined });
  on.ack("outcome");
  on.push(unsized);
  restart();
  assert.equal(asked(), 8_192);
  restart();
  assert.equal(asked(), 8_192);
  on.deliver(container.bytes);
  becomesDone(on);
});

test("another image in between takes the slot: the container is downloaded again", () => {
  const on = cutShort(container.bytes, offer);
  const other = build("0.1.5");
  on.push(offerOf(other, "0.1.5"));
  on.deliver(other, 40_000);
  on.push(offer);
  assert.equal(on.downloads.at(-1)?.offset, 0);
  on.deliver(container.bytes);
  becomesDone(on);
});

test("an image is tried as often in a container as plain", () => {
  const [plain, packed] = [
    { file: next, offered: offerOf(next, "0.2.0") },
    { file: container.bytes, offered: offer },
  ].map(({ file, offered }) => {
    const on = cutShort(file, offered);
    for (let push = 0; push < 6; push++) {
      on.push(offered);
      assert.notEqual(on.state, "downloading");
      if (on.state === "awaiting-link" || on.state === "burning") cutTrials(on);
      else on.ack(on.state === "idle" ? "refused" : "outcome");
      untilNextTrial(on);
    }
    return on.outcomes;
  });
  assert.deepEqual(packed, plain);
  assert.match(packed!.at(-1)!, /^rejected: tried \d+ times and never confirmed/);
});
