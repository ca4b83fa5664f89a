/** The power cut at every place of a module's update: before, inside and after each operation on flash. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import type { Offer } from "../../src/job/types";
import { PartitionInstaller } from "../../src/modules/partition-installer";
import { cutAt, cutsOf, operationsOf } from "../model-chip/cuts";
import { JobFixture } from "./job-fixture";

const file = Uint8Array.from({ length: 2 * SECTOR + 100 }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
const offer: Offer = {
  version: "a1",
  size: file.length,
  url: "http://files/assets.bin",
  module: "assets",
  component: "assets",
  digest: { algorithm: "SHA256", hex: createHash("sha256").update(file).digest("hex") },
};

function started(): JobFixture {
  const fixture = new JobFixture({
    platform: "thingspanel",
    rules: { versionReport: false, renewable: false, resumeDelay: 0 },
    modules: (board) => ({ assets: new PartitionInstaller(board.ports.partition("assets")) }),
  });
  fixture.connect();
  return fixture;
}

function update(fixture: JobFixture): void {
  if (fixture.state === "idle") fixture.push(offer);
  if (fixture.state === "waiting") fixture.wait();
  if (fixture.state === "downloading") fixture.deliver(file);
  fixture.connect();
  fixture.ack("outcome");
}

test("wherever the power is cut, the module ends whole, is reported done, and costs a sector at most", () => {
  const whole = started();
  const cuts = cutsOf(operationsOf(whole.board.chip, () => update(whole))).filter(
    ({ reached }) =>
      typeof reached === "string" ||
      "bitsOfSeed" in reached ||
      reached.firstBytes % 1024 === 0 ||
      reached.firstBytes === 5,
  );
  assert.ok(cuts.length > 150, `${cuts.length} cuts`);
  for (const cut of cuts) {
    const fixture = started();
    const at = JSON.stringify(cut);
    assert.ok(
      cutAt(fixture.board.chip, cut, () => update(fixture)),
      at,
    );
    // Each sector that is handed over takes 50 ms.
    const handed = fixture.now / 50;
    fixture.powerOn();
    const inHand = fixture.job.task !== undefined;
    const before = fixture.downloads.length;
    update(fixture);
    assert.equal(fixture.state, "idle", at);
    assert.deepEqual([...new Set(fixture.outcomes)], ["done"], at);
    const bytes = new Uint8Array(file.length);
    fixture.board.ports.partition("assets").read(0, bytes);
    assert.deepEqual(bytes, file, at);
    assert.equal(fixture.running.version, "0.1.0", at);
    // Without a job in hand it had not begun, or was over, and the push came once more.
    assert.ok(inHand || handed === 0 || handed === Math.ceil(file.length / SECTOR), at);
    const again = inHand ? fixture.downloads[before] : undefined;
    if (again !== undefined)
      assert.ok(again.offset >= (handed - 1) * SECTOR, `${at}: ${handed} sectors, then from ${again.offset}`);
  }
});
