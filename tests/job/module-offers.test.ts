/** Components and firmware beside each other: whose turn it is, and what each keeps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import { SECTOR } from "../../src/constants";
import { PartitionInstaller } from "../../src/modules/partition-installer";
import { JobFixture } from "./job-fixture";

import { assets, moduleOffer, offer, next, firmware, fixture, changed, stored } from "./module-fixture";

test("what failed leaves no beginning that could be taken for a module; what lost its connection does", () => {
  const on = fixture();
  on.push({ ...offer, digest: { algorithm: "MD5", hex: "0".repeat(32) } });
  on.deliverTwice(assets);
  assert.match(on.outcomes[0]!, /^digest-mismatch: /);
  assert.deepEqual(stored(on, SECTOR), new Uint8Array(SECTOR).fill(0xff));
  on.ack("outcome");
  on.push(offer);
  on.deliver(assets, 2 * SECTOR);
  on.dispatch({ type: "download-failed", cause: "download-timeout", message: "no new data" });
  on.ack("outcome");
  on.push(offer);
  assert.equal(on.downloads.at(-1)?.offset, 2 * SECTOR);
});

test("firmware and module wait for each other, and neither costs the other its checkpoint", () => {
  const on = fixture();
  on.push(offer);
  on.deliver(assets, 2 * SECTOR);
  on.dispatch({ type: "download-failed", cause: "download-timeout", message: "no new data" });
  on.ack("outcome");
  on.push(firmware);
  on.deliver(next, 3 * SECTOR);
  on.push(offer);
  assert.deepEqual([on.state, on.downloads.length], ["downloading", 2], "the module waits");
  on.dispatch({ type: "download-failed", cause: "download-timeout", message: "no new data" });
  on.ack("outcome");
  assert.deepEqual(on.downloads.at(-1), { ...on.downloads.at(-1), url: offer.url, offset: 2 * SECTOR });
  on.push(firmware);
  on.deliver(assets);
  on.ack("outcome");
  assert.deepEqual(on.downloads.at(-1), { ...on.downloads.at(-1), url: firmware.url, offset: 3 * SECTOR });
  on.deliver(next);
  on.ack("burning");
  on.connect();
  assert.equal(on.running.version, "0.2.0");
  assert.deepEqual(
    on.outcomes.map((each) => each.slice(0, 16)),
    ["download-timeout", "download-timeout", "done", "done"],
  );
  assert.deepEqual(stored(on), assets);
});

test("an offer for another module that comes while the application is asked waits for that answer, and is then asked about once", () => {
  for (const decision of ["accept", "reject"] as const) {
    const on = fixture({ answers: { consent: true } });
    on.push(offer);
    on.push(firmware);
    assert.deepEqual([on.state, on.job.task], ["consent", undefined]);
    on.dispatch({ type: "consent", decision });
    if (decision === "accept") {
      assert.deepEqual([on.state, on.job.task], ["downloading", offer]);
      on.deliver(assets);
      on.ack("outcome");
    }
    assert.equal(on.state, "consent");
    on.dispatch({ type: "consent", decision: "reject" });
    assert.deepEqual(
      [on.state, on.outcomes],
      [
        "idle",
        [
          decision === "accept" ? "done" : "rejected: declined by the application",
          "rejected: declined by the application",
        ],
      ],
    );
  }
});

test("firmware on trial that finds a module's job in the store proves itself first; then the module goes on at its checkpoint", () => {
  const on = fixture();
  on.update(next, firmware);
  on.push(offer);
  on.deliver(assets, 2 * SECTOR);
  // On trial once more, as if this were its first start.
  const { address } = on.board.table.otadata;
  const entry = new Uint8Array(32);
  on.board.chip.read(address + SECTOR, entry);
  entry[24] = 0;
  on.board.chip.erase(address + SECTOR);
  on.board.chip.program(address + SECTOR, entry);
  on.powerOn();
  assert.deepEqual([on.running.state, on.state, on.job.task], ["pending", "trial", undefined]);
  on.connect();
  assert.deepEqual([on.running.state, on.state, on.downloads.at(-1)?.offset], ["valid", "downloading", 2 * SECTOR]);
  on.deliver(assets);
  assert.deepEqual([on.outcomes.at(-1), stored(on)], ["done", assets]);
});

test("a module that failed, and a power cut before its checkpoint was dropped: the firmware's sectors in the slot stay", () => {
  const on = fixture();
  on.push(firmware);
  on.deliver(next, 3 * SECTOR);
  on.dispatch({ type: "download-failed", cause: "download-timeout", message: "no new data" });
  on.ack("outcome");
  on.push({ ...offer, digest: { algorithm: "MD5", hex: "0".repeat(32) } });
  on.deliver(assets, assets.length - 1);
  on.board.ports.store.delete = () => {
    throw new PowerCut();
  };
  assert.throws(() => on.dispatch({ type: "finished" }), PowerCut);
  on.powerOn();
  on.connect();
  assert.match(on.outcomes.at(-1) ?? "", /^digest-mismatch: /);
  on.ack("outcome");
  on.push(firmware);
  assert.equal(on.downloads.at(-1)?.offset, 3 * SECTOR);
  on.deliver(next);
  on.ack("burning");
  on.connect();
  assert.deepEqual([on.running.version, on.outcomes.at(-1)], ["0.2.0", "done"]);
});

test("a newer image of the same module supersedes the older one", () => {
  const on = fixture();
  const newer = assets.map((byte) => byte ^ 0xff);
  on.push(offer);
  on.deliver(assets, 2 * SECTOR);
  on.push(moduleOffer(newer, "a2"));
  assert.equal(on.downloads.at(-1)?.offset, 0);
  on.deliver(newer);
  assert.deepEqual(on.outcomes, ["done"]);
  assert.deepEqual(stored(on), newer);
});

test("an offer that comes while a module is being installed waits", () => {
  const dones: ((error?: Error) => void)[] = [];
  const on = fixture({
    wrap: (installer) => changed(installer, { finish: (done) => void dones.push(done) }),
  });
  on.push(offer);
  on.deliver(assets);
  on.push(firmware);
  on.push(offer);
  assert.equal(on.state, "installing");
  on.dispatch({ type: "install", ok: true, message: "" });
  on.ack("outcome");
  assert.deepEqual([on.state, on.downloads.at(-1)?.url], ["downloading", firmware.url]);
});

test("firmware without the installer lets the job go with a clear word", () => {
  let present = true;
  const on: JobFixture = new JobFixture({
    modules: (board) => (present ? { assets: new PartitionInstaller(board.ports.partition("assets")) } : {}),
  });
  on.connect();
  on.push(offer);
  on.deliver(assets, 2 * SECTOR);
  present = false;
  on.powerOn();
  on.wait();
  on.dispatch({ type: "total", size: assets.length, validator: undefined });
  assert.deepEqual(on.outcomes, ['rejected: this device has no module "assets"']);
});
