/** An update by a container: staged in the tail of the slot, proven, expanded, and then like any other image. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { containerOf } from "../kit/containers";
import {
  SIZE,
  build,
  container,
  device,
  next,
  offer,
  old,
  signedContainer,
  signedNext,
  take,
  trust,
} from "./container-fixture";
import type { JobFixture } from "./job-fixture";
import { offerOf } from "./job-fixture";

const slotOf = (on: JobFixture, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  on.board.ports.flash.read(0, bytes);
  return bytes;
};
const sectors = (length: number): number => Math.ceil(length / SECTOR);

test("a patch makes the image from the one that runs, and the update ends like any other", () => {
  const on = device();
  on.update(container.bytes, offer);
  assert.deepEqual(on.outcomes, ["done"]);
  assert.deepEqual(on.running, { version: "0.2.0", slot: "ota_1", state: "valid" });
  assert.ok(container.container.parts[2]!.length * 20 < SIZE, "the patch is small");
});

test("what is in the slot is the plain file, byte for byte", () => {
  const on = device({ answers: { restart: false } });
  take(on, container.bytes);
  assert.equal(on.state, "burning");
  assert.deepEqual(slotOf(on, next.length), next);
});

test("a device that no patch fits takes the compressed image", () => {
  const on = device({ factory: build("0.1.1") });
  on.update(container.bytes, offer);
  assert.deepEqual(on.outcomes, ["done"]);
});

test("without keys the whole container is staged once, in one download, and proven by the platform's digest", () => {
  const on = device({ answers: { restart: false } });
  take(on, container.bytes);
  assert.deepEqual(
    on.downloads.map(({ offset, size }) => [offset, size]),
    [[0, container.bytes.length]],
  );
  const wrong = device();
  const bytes = container.bytes.slice();
  bytes[bytes.length - 5]! ^= 1;
  wrong.push(offer);
  wrong.deliver(bytes);
  assert.equal(wrong.downloads.length, 2, "it is downloaded once more");
  wrong.deliver(bytes);
  assert.match(wrong.outcomes[0]!, /^digest-mismatch/);
  assert.ok(!wrong.notices.some((notice) => notice.event === "state" && notice.state === "expanding"));
});

test("with keys only the sectors with the part are fetched, and its digest in the signed head is what counts", () => {
  const on = device({ refusalOfSignature: trust, answers: { restart: false } });
  // The platform's digest over the whole file cannot be checked, and is not.
  on.push(offerOf(signedContainer.bytes, "0.2.0", { digest: { algorithm: "MD5", hex: "0".repeat(32) } }));
  on.deliver(signedContainer.bytes);
  const { offset, length } = signedContainer.container.parts[2]!;
  const [first, part] = on.downloads;
  assert.deepEqual([first?.offset, first?.end], [0, undefined]);
  assert.equal(part?.offset, Math.floor(offset / SECTOR) * SECTOR);
  assert.ok((part?.end ?? signedContainer.bytes.length) - offset <= length + SECTOR);
  assert.equal(on.state, "burning");
  assert.deepEqual(slotOf(on, signedNext.length), signedNext);
});

test("sectors are erased once, the first twice, those that are staged once; the running slot never", () => {
  const on = device({ policy: { eraseBlock: 4 }, answers: { restart: false } });
  take(on, container.bytes);
  const [running, slot] = on.board.table.slots;
  assert.equal(on.board.chip.counts(running.address, running.size).erases, 0);
  const { erases, mostErases } = on.board.chip.counts(slot.address, slot.size);
  assert.equal(erases, sectors(SIZE) + sectors(container.bytes.length) + 1);
  assert.equal(mostErases, 2, "the slot is large enough: the two do not meet");
});

test("the percentage counts fetching and expanding together, and never falls", () => {
  const on = device({ answers: { restart: false } });
  take(on, container.bytes);
  const percents = on.reports.flatMap(({ report }) => (report.kind === "progress" ? [report.percent] : []));
  assert.equal(percents[0], 0);
  assert.equal(percents.at(-1), 100);
  assert.deepEqual(
    percents,
    percents.toSorted((a, b) => a - b),
  );
});

test("a power cut in the expansion costs no byte of the network and at most one block decoded again", () => {
  for (const made of [0, 1, 7, 15, 16, 17, 40, sectors(SIZE) - 1]) {
    const on = device({ answers: { restart: false } });
    let left = made;
    on.onHandled = (event) => {
      if (event.type === "expanded" && left-- === 0) throw new PowerCut();
    };
    on.push(offer);
    assert.throws(() => on.deliver(container.bytes), PowerCut);
    const downloads = on.downloads.length;
    let decoded = 0;
    on.onHandled = (event) => void (event.type === "expanded" && decoded++);
    on.powerOn();
    assert.equal(on.state, "awaiting-link", `cut at ${made}`);
    assert.equal(on.downloads.length, downloads, "nothing is fetched");
    assert.equal(decoded, sectors(SIZE) - Math.floor(made / 16) * 16, `after ${made}`);
    assert.deepEqual(slotOf(on, next.length), next);
  }
});

test("a download that fails in the middle of a container goes on where it was with the next offer of it", () => {
  const on = device({ answers: { restart: false } });
  on.push(offer);
  on.deliver(container.bytes, 10 * SECTOR);
  on.dispatch({ type: "download-failed", cause: "download-timeout", message: "stalled" });
  on.ack("outcome");
  on.push(offer);
  assert.equal(on.downloads.at(-1)?.offset, 10 * SECTOR);
  on.deliver(container.bytes);
  assert.equal(on.state, "burning");
  const later = device({ answers: { restart: false } });
  later.push(offer);
  later.deliver(container.bytes, 10 * SECTOR);
  later.powerOn();
  later.connect();
  later.push(offer);
  assert.equal(later.downloads.at(-1)?.offset, 10 * SECTOR);
  later.deliver(container.bytes);
  assert.equal(later.state, "burning");
});

test("an image that supersedes a container in its expansion is taken, and after it the container again", () => {
  const on = device({ answers: { restart: false } });
  const newer = build("0.3.0");
  let pushed = false;
  on.onHandled = (event) => {
    if (event.type !== "expanded" || pushed) return;
    pushed = true;
    on.push(offerOf(newer, "0.3.0"));
  };
  take(on, container.bytes);
  assert.equal(on.state, "downloading");
  on.push(offer);
  on.deliver(container.bytes);
  assert.equal(on.state, "burning");
  assert.deepEqual(slotOf(on, next.length), next);
});

test("a container without the compressed image serves those that have a patch in it", () => {
  const { bytes } = containerOf(next, [old], { whole: false });
  const on = device();
  on.update(bytes, offerOf(bytes, "0.2.0"));
  assert.deepEqual(on.outcomes, ["done"]);
});
