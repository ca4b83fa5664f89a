/** The power cut at every place of a module's update: before, inside and after each operation on flash. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { SECTOR } from "../../src/constants";
import type { Offer } from "../../src/job/types";
import { PartitionInstaller } from "../../src/modules/partition-installer";
import { cutAt, cutsOf, operationsOf } from "../model-chip/cuts";
import { JobDesk } from "./job-desk";

const file = Uint8Array.from({ length: 2 * SECTOR + 100 }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
const offer: Offer = {
  version: "a1",
  size: file.length,
  url: "http://files/assets.bin",
  module: "assets",
  component: "assets",
  digest: { algorithm: "SHA256", hex: createHash("sha256").update(file).digest("hex") },
};

function started(): JobDesk {
  const desk = new JobDesk({
    platform: "thingspanel",
    rules: { versionReport: false, renewable: false, resumeDelay: 0 },
    modules: (board) => ({ assets: new PartitionInstaller(board.ports.partition("assets")) }),
  });
  desk.connect();
  return desk;
}

function update(desk: JobDesk): void {
  if (desk.state === "idle") desk.push(offer);
  if (desk.state === "waiting") desk.wait();
  if (desk.state === "downloading") desk.deliver(file);
  desk.connect();
  desk.ack("outcome");
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
    const desk = started();
    const at = JSON.stringify(cut);
    assert.ok(
      cutAt(desk.board.chip, cut, () => update(desk)),
      at,
    );
    // Each sector that is handed over takes 50 ms.
    const handed = desk.now / 50;
    desk.powerOn();
    const inHand = desk.job.task !== undefined;
    const before = desk.downloads.length;
    update(desk);
    assert.equal(desk.state, "idle", at);
    assert.deepEqual([...new Set(desk.outcomes)], ["done"], at);
    const bytes = new Uint8Array(file.length);
    desk.board.ports.partition("assets").read(0, bytes);
    assert.deepEqual(bytes, file, at);
    assert.equal(desk.running.version, "0.1.0", at);
    // Without a job in hand it had not begun, or was over, and the push came once more.
    assert.ok(inHand || handed === 0 || handed === Math.ceil(file.length / SECTOR), at);
    const again = inHand ? desk.downloads[before] : undefined;
    if (again !== undefined)
      assert.ok(again.offset >= (handed - 1) * SECTOR, `${at}: ${handed} sectors, then from ${again.offset}`);
  }
});
