/** Modules that are not the firmware: their own installer, no boot, a checkpoint of their own. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { PowerCut } from "../../hal/model-chip/flash-chip";
import type { MemoryBoard } from "../../hal/model-chip/memory-board";
import { INSTALL_TIMEOUT, SECTOR } from "../../src/constants";
import type { Offer } from "../../src/job/types";
import type { ModuleImage, ModuleInstaller } from "../../src/modules/installer";
import { PartitionInstaller } from "../../src/modules/partition-installer";
import { JobDesk, image, offerOf } from "./job-desk";
import type { DeskOptions } from "./job-desk";

const assets = Uint8Array.from({ length: 5 * SECTOR + 100 }, (_, index) => (index * 7) & 0xff);
const moduleOffer = (file: Uint8Array, version: string, change: Partial<Offer> = {}): Offer => ({
  version,
  size: file.length,
  url: "http://files/assets.bin",
  digest: { algorithm: "SHA256", hex: createHash("sha256").update(file).digest("hex") },
  module: "assets",
  component: "assets",
  ...change,
});
const offer = moduleOffer(assets, "a1");
const next = image("0.2.0");
const firmware = offerOf(next, "0.2.0");

/** A board with the partition installer; `installed` collects what it was told. */
function desk(
  options: DeskOptions & { installed?: ModuleImage[]; wrap?(installer: ModuleInstaller): ModuleInstaller } = {},
): JobDesk {
  const { installed = [], wrap = (installer) => installer, ...rest } = options;
  const modules = (board: MemoryBoard) => ({
    assets: wrap(new PartitionInstaller(board.ports.partition("assets"), (what) => installed.push(what))),
  });
  const made = new JobDesk({ modules, ...rest });
  made.connect();
  return made;
}

/** The installer with some of its calls replaced. */
function changed(installer: ModuleInstaller, change: Partial<ModuleInstaller>): ModuleInstaller {
  return {
    capacity: installer.capacity,
    begin: (what, offset) => installer.begin(what, offset),
    write: (offset, bytes) => installer.write(offset, bytes),
    equals: (offset, bytes) => installer.equals(offset, bytes),
    read: (offset, into) => installer.read(offset, into),
    finish: (done) => installer.finish(done),
    abort: () => installer.abort(),
    ...change,
  };
}

function stored(on: JobDesk, length = assets.length): Uint8Array {
  const bytes = new Uint8Array(length);
  on.board.ports.partition("assets").read(0, bytes);
  return bytes;
}

/** From here on: operations of flash that are neither in the module's partition nor in NVS. */
function operationsElsewhere(on: JobDesk): readonly string[] {
  const { address, size } = on.board.table.data("assets");
  const { nvs } = on.board.table;
  const elsewhere: string[] = [];
  on.board.chip.onOperation = (operation) => {
    const inside = (at: number, length: number): boolean => operation.address >= at && operation.address < at + length;
    if (!inside(address, size) && !inside(nvs.address, nvs.size))
      elsewhere.push(`${operation.kind} ${operation.address}`);
  };
  return elsewhere;
}

test("a module is stored, proven and installed; nothing restarts and no slot is touched", () => {
  const installed: ModuleImage[] = [];
  const on = desk({ installed });
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
    const on = desk();
    on.push(moduleOffer(file, "a1"));
    on.deliver(file);
    assert.deepEqual(on.outcomes, ["done"], `${length} bytes`);
    assert.deepEqual(stored(on, length), file);
  }
});

test("each sector of the partition is erased once", () => {
  const on = desk();
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
  const on = desk();
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
  const on = desk();
  on.push({ ...offer, size: 0 });
  on.dispatch({ type: "total", size: 64 * 1024 + 1, validator: undefined });
  assert.deepEqual(on.outcomes, ["rejected: 65537 bytes do not fit module assets, which takes 65536"]);
  const good = desk();
  good.push({ ...offer, size: 0 });
  good.deliver(assets);
  assert.deepEqual(good.outcomes, ["done"]);
});

test("versions of modules are not compared with the firmware's", () => {
  const on = desk();
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
  const on = desk({ wrap, rules: { resumeDelay: 0 } });
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
  const on = desk({
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
  const on = desk({ installed, wrap });
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
    const on = desk({ wrap: (installer) => changed(installer, change) });
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

test("what failed leaves no beginning that could be taken for a module; what lost its connection does", () => {
  const on = desk();
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
  const on = desk();
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
    const on = desk({ answers: { consent: true } });
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
  const on = desk();
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
  const on = desk();
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
  const on = desk();
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
  const on = desk({
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
  const on: JobDesk = new JobDesk({
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
