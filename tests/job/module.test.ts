/** Modules that are not the firmware: their own installer, no boot, a checkpoint of their own. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { INSTALL_TIMEOUT, SECTOR } from "../../src/constants";
import type { ModuleImage, ModuleInstaller } from "../../src/modules/installer";

import {
  assets,
  moduleOffer,
  offer,
  next,
  firmware,
  fixture,
  changed,
  stored,
  operationsElsewhere,
} from "./module-fixture";

test("a module is stored, proven and installed; nothing restarts and no slot is touched", () => {
  const installed: ModuleImage[] = [];
  const on = fixture({ installed });
  const elsewhere = operationsElsewhere(on);
  on.push(offer);
  on.deliver(assets);
  assert.equal(on.state, "reporting");
  assert.deepEqual(on.outcomes, ["done"]);
  assert.deepEqual(on.reports.at(-1)?.report, { kind: "outcome", task: offer, outcome: { kind: "done" } });
  assert.deepEqual(stored(on), assets);
  assert.deepEqual(installed, [{ version: "a1", size: assets.length }]);
  assert.deepEqual(elsewhere, []);
  on.ack("outcome");
  assert.equal(on.state, "idle");
  assert.equal(on.running.slot, "ota_0");
  assert.ok(!on.reports.some(({ report }) => report.kind === "burning"));
});

test("a module of any content and of any length is taken", () => {
  for (const length of [1, 15, 16, SECTOR - 1, SECTOR, SECTOR + 1, 64 * 1024]) {
    const file = Uint8Array.from({ length }, (_, index) => index & 0xff);
    const on = fixture();
    on.push(moduleOffer(file, "a1"));
    on.deliver(file);
    assert.deepEqual(on.outcomes, ["done"], `${length} bytes`);
    assert.deepEqual(stored(on, length), file);
  }
});

test("each sector of the partition is erased once", () => {
  const on = fixture();
  const erased: number[] = [];
  const { address, size } = on.board.table.data("assets");
  on.board.chip.onOperation = ({ kind, address: at }) => {
    if (kind === "erase" && at >= address && at < address + size) erased.push((at - address) / SECTOR);
  };
  on.push(offer);
  on.deliver(assets);
  assert.deepEqual(erased, [0, 1, 2, 3, 4, 5]);
});

test("what nobody installs, and what does not fit, is refused before anything is asked of the network", () => {
  const on = fixture();
  on.push({ ...offer, module: "mcu2", component: "mcu2" });
  on.push({ ...offer, module: "__proto__", component: "__proto__" });
  on.push({ ...offer, size: 64 * 1024 + 1 });
  assert.deepEqual(on.outcomes, [
    'rejected: this device has no module "mcu2"',
    'rejected: this device has no module "__proto__"',
    "rejected: 65537 bytes do not fit module assets, which takes 65536",
  ]);
  assert.deepEqual(on.downloads, []);
});

test("a length that is learnt from the server is checked before the first erase", () => {
  const on = fixture();
  on.push({ ...offer, size: 0 });
  on.dispatch({ type: "total", size: 64 * 1024 + 1, validator: undefined });
  assert.deepEqual(on.outcomes, ["rejected: 65537 bytes do not fit module assets, which takes 65536"]);
  const good = fixture();
  good.push({ ...offer, size: 0 });
  good.deliver(assets);
  assert.deepEqual(good.outcomes, ["done"]);
});

test("versions of modules are not compared with the firmware's", () => {
  const on = fixture();
  on.push({ ...offer, version: "0.0.1" });
  on.deliver(assets);
  on.ack("outcome");
  on.push({ ...offer, version: "0.1.0" });
  on.deliver(assets);
  assert.deepEqual(on.outcomes, ["done", "done"]);
});

test("after a power cut it goes on at the checkpoint, with an installer that is told where", () => {
  const begun: number[] = [];
  const wrap = (installer: ModuleInstaller): ModuleInstaller =>
    changed(installer, { begin: (what, offset) => (begun.push(offset), installer.begin(what, offset)) });
  const on = fixture({ wrap, rules: { resumeDelay: 0 } });
  on.push(offer);
  on.deliver(assets, 3 * SECTOR);
  on.powerOn();
  on.wait();
  assert.deepEqual(on.downloads.at(-1)?.offset, 3 * SECTOR);
  on.deliver(assets);
  assert.deepEqual(on.outcomes, ["done"]);
  assert.deepEqual(begun, [0, 3 * SECTOR]);
  assert.deepEqual(stored(on), assets);
});

test("sectors that come again are announced to the installer, and so is a whole file that comes again", () => {
  const begun: number[] = [];
  const on = fixture({
    wrap: (installer) =>
      changed(installer, { begin: (what, offset) => (begun.push(offset), installer.begin(what, offset)) }),
  });
  on.push(offer);
  on.deliver(assets, 3 * SECTOR);
  on.dispatch({ type: "rewind", offset: SECTOR });
  for (let offset = SECTOR; offset < assets.length; offset += SECTOR)
    on.dispatch({ type: "sector", offset, bytes: assets.slice(offset, offset + SECTOR) });
  on.dispatch({ type: "finished" });
  assert.deepEqual([on.outcomes, begun], [["done"], [0, SECTOR]]);
  on.ack("outcome");
  // Both slots have a boot entry now.
  on.update(next, firmware);
  begun.length = 0;
  const elsewhere = operationsElsewhere(on);
  on.push({ ...offer, version: "a2", digest: { algorithm: "MD5", hex: "0".repeat(32) } });
  on.deliverTwice(assets);
  assert.deepEqual(begun, [0, 0]);
  assert.deepEqual(elsewhere, [], "slot and boot entries are the firmware's");
});

test("a cut after the last sector costs no byte, one in the installation repeats it", () => {
  const installed: ModuleImage[] = [];
  let fail = true;
  // The first time the power goes before it is done.
  const wrap = (installer: ModuleInstaller): ModuleInstaller =>
    changed(installer, { finish: (done) => (fail ? void (fail = false) : installer.finish(done)) });
  const on = fixture({ installed, wrap });
  on.push(offer);
  on.deliver(assets);
  assert.equal(on.state, "installing");
  on.powerOn();
  assert.deepEqual([on.state, installed.length, on.downloads.length], ["reporting", 1, 1]);
  on.connect();
  assert.deepEqual(on.outcomes.at(-1), "done");
});

test("an installer that never answers, refuses or throws ends the job with its own words", () => {
  const cases: [Partial<ModuleInstaller>, string][] = [
    [{ finish: () => {} }, "rejected: module assets: not installed within 10 min"],
    [
      { finish: (done) => done(new Error("second processor does not answer")) },
      "rejected: module assets: second processor does not answer",
    ],
    [
      {
        begin: () => {
          throw new Error("busy playing");
        },
      },
      "rejected: busy playing",
    ],
    [
      {
        write: () => {
          throw new Error("bus error");
        },
      },
      "flash: bus error",
    ],
    [{ equals: () => false }, "flash: flash at 0x0 does not hold what is written"],
    [
      {
        read: () => {
          throw new Error("bus error");
        },
      },
      "flash: bus error",
    ],
    [
      {
        read: (_, into) => void into.fill(0),
        abort: () => {
          throw new Error("again");
        },
      },
      "digest-mismatch: SHA256 of what is in flash is ",
    ],
  ];
  for (const [change, outcome] of cases) {
    const on = fixture({ wrap: (installer) => changed(installer, change) });
    on.push(offer);
    on.deliver(assets);
    // Where the digest differs there is a second download.
    if (on.downloading) on.deliver(assets);
    if (on.state === "installing") {
      on.now += INSTALL_TIMEOUT;
      on.dispatch({ type: "tick" });
    }
    assert.equal(on.outcomes.length, 1);
    assert.ok(on.outcomes[0]!.startsWith(outcome), on.outcomes[0]);
    on.ack("outcome");
    assert.equal(on.state, "idle");
    // Nothing of it is left for the next one.
    on.push(offer);
    assert.equal(on.downloads.at(-1)?.offset, 0);
  }
});
