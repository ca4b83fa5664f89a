/** Somebody has written to store and slot while the power was off: what the records claim is not believed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import {
  COMPONENT_SLOT,
  encodeHeader,
  encodeJob,
  encodeOffset,
  encodePhase,
  identityOf,
} from "../../src/job/job-codecs";
import { RECORDS } from "../../src/job/records";
import type { Phase } from "../../src/job/job-codecs";
import type { Offer } from "../../src/job/types";
import { refusalOfSignature } from "../../src/signature/check";
import { makeKey, signed } from "../signature/test-keys";
import { JobFixture, image, offerOf } from "./job-fixture";

const key = makeKey();
const trust = (hash: Uint8Array, trailer: Uint8Array): string | undefined =>
  refusalOfSignature(hash, trailer, [key.point], new NodeCrypto());
const forged = image("6.6.6");

/** The whole image in the slot, and records that say how far a job with it has come. */
function plant(fixture: JobFixture, file: Uint8Array, offer: Offer, phase: Phase, slot = "ota_1"): void {
  const { board } = fixture;
  const { address, size } = board.table.slots[1];
  for (let at = 0; at < size; at += 4096) board.chip.erase(address + at);
  board.chip.program(address, file);
  const record = { platform: "tencent", slot, offer };
  const identity = identityOf(record);
  const { store } = board.ports;
  store.setBytes(RECORDS.job.key, encodeJob(record));
  store.setBytes(RECORDS.firmwareHeader.key, encodeHeader(identity, file.subarray(0, 16)));
  store.setNumber(RECORDS.firmwareOffset.key, encodeOffset(identity, Math.ceil(file.length / 4096)));
  store.setNumber(RECORDS.phase.key, encodePhase(identity, { phase, activations: 1, trials: 0, refetched: false }));
}

function headOf(fixture: JobFixture): number {
  const head = new Uint8Array(1);
  fixture.board.chip.read(fixture.board.table.slots[1].address, head);
  return head[0]!;
}

for (const phase of ["downloading", "committing", "trial"] as const) {
  test(`an unsigned image with a job that claims to be ${phase}: not started, refused, the slot left without a head`, () => {
    const fixture = new JobFixture({ refusalOfSignature: trust });
    plant(fixture, forged, offerOf(forged, "6.6.6"), phase);
    fixture.powerOn();
    assert.deepEqual(
      [fixture.outcomes, fixture.running.version, headOf(fixture)],
      [["signature: the file is not signed"], "0.1.0", 0xff],
    );
    fixture.ack("outcome");
    const good = signed(image("0.2.0"), key);
    fixture.update(good, offerOf(good, "0.2.0"));
    assert.deepEqual([fixture.outcomes.at(-1), fixture.running.version], ["done", "0.2.0"]);
  });
}

test("a slot that was changed behind a trial is not tried again, and the image that was offered is not blamed", () => {
  const good = signed(image("0.2.0"), key);
  const fixture = new JobFixture({ refusalOfSignature: trust });
  plant(fixture, forged, offerOf(good, "0.2.0"), "trial");
  fixture.powerOn();
  assert.deepEqual([fixture.state, fixture.downloads.at(-1)?.offset], ["downloading", 0]);
  assert.equal(headOf(fixture), 0xff);
  fixture.deliver(good);
  fixture.ack("burning");
  fixture.connect();
  assert.deepEqual([fixture.outcomes.at(-1), fixture.running.version], ["done", "0.2.0"]);
});

test("a module with a trial in its record starts nothing", () => {
  const fixture = new JobFixture({ refusalOfSignature: trust });
  plant(
    fixture,
    forged,
    { ...offerOf(forged, "6.6.6"), module: "assets", component: "assets" },
    "trial",
    COMPONENT_SLOT,
  );
  fixture.powerOn();
  assert.deepEqual([fixture.outcomes, fixture.state, fixture.running.version], [[], "idle", "0.1.0"]);
  assert.deepEqual(fixture.notices, [
    { event: "bootloader", rollsBack: true },
    { event: "warning", message: "stored job dropped: a module has no trial" },
  ]);
});

test("a job that does not fit this device is dropped with all that it had in the store, and the next offer begins anew", () => {
  const file = image("0.2.0");
  const offer = offerOf(file, "0.2.0");
  const fixture = new JobFixture({ platform: "thingspanel" });
  plant(fixture, file, offer, "downloading");
  fixture.powerOn();
  assert.deepEqual([fixture.state, fixture.job.task, fixture.outcomes], ["idle", undefined, []]);
  const { store } = fixture.board.ports;
  assert.deepEqual(
    [
      store.getBytes(RECORDS.job.key),
      store.getNumber(RECORDS.phase.key),
      store.getNumber(RECORDS.firmwareOffset.key),
      store.getBytes(RECORDS.firmwareHeader.key),
    ],
    [undefined, undefined, undefined, undefined],
  );
  fixture.update(file, offer);
  assert.deepEqual([fixture.downloads[0]?.offset, fixture.outcomes], [0, ["done"]]);
});

test("older firmware with a good signature, planted with its job: neither version nor security floor lets it in", () => {
  const old = signed(image("0.0.9", 24_000, { securityFloor: 1 }), key);
  for (const [policy, message] of [
    [{}, /^rejected: version 0\.0\.9 is older/],
    [{ allowDowngrade: true }, /^rejected: security floor of the image is 1, this device has seen 2/],
  ] as const) {
    for (const phase of ["committing", "trial"] as const) {
      const fixture = new JobFixture({
        refusalOfSignature: trust,
        policy,
        factory: signed(image("0.1.0", 24_000, { securityFloor: 2 }), key),
      });
      plant(fixture, old, offerOf(old, "0.0.9"), phase);
      fixture.powerOn();
      assert.match(fixture.outcomes[0] ?? "", message);
      assert.equal(fixture.running.version, "0.1.0");
    }
  }
});

test("a job in the store does not take a device back that was flashed with something newer meanwhile", () => {
  const file = image("0.2.0");
  const fixture = new JobFixture({ factory: image("0.3.0") });
  plant(fixture, file, offerOf(file, "0.2.0"), "downloading");
  fixture.powerOn();
  assert.match(fixture.outcomes[0] ?? "", /^rejected: version 0\.2\.0 is older than the running 0\.3\.0/);
});

test("a cut while the running image was looked at: it is looked at again, and nothing is downloaded", () => {
  const fixture = new JobFixture();
  const same = image("0.1.0");
  plant(fixture, image("0.2.0"), offerOf(same, "0.1.0"), "downloading");
  fixture.board.ports.store.delete(RECORDS.firmwareOffset.key);
  fixture.powerOn();
  assert.deepEqual([fixture.outcomes, fixture.downloads], [["done"], []]);
});

test("a job that claims to be proven and has no checkpoint: nothing starts, and the flash is at fault, not the image", () => {
  const file = image("0.2.0");
  for (const key of [RECORDS.firmwareHeader.key, RECORDS.firmwareOffset.key]) {
    const fixture = new JobFixture();
    // As a job leaves it: the head is not in flash yet.
    plant(
      fixture,
      Uint8Array.from(file, (byte, at) => (at < 16 ? 0xff : byte)),
      offerOf(file, "0.2.0"),
      "committing",
    );
    fixture.board.ports.store.delete(key);
    fixture.powerOn();
    assert.deepEqual([fixture.outcomes, fixture.running.version], [["flash: the head of the image is lost"], "0.1.0"]);
    fixture.ack("outcome");
    fixture.update(file, offerOf(file, "0.2.0"));
    assert.deepEqual([fixture.outcomes.at(-1), fixture.running.version], ["done", "0.2.0"]);
  }
});
