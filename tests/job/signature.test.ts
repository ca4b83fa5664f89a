/** Only the right firmware: signature, security floor, product. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { RECORDS } from "../../src/job/records";
import { refusalOfSignature } from "../../src/signature/check";
import { makeKey, signed } from "../signature/test-keys";
import { JobFixture, image, offerOf } from "./job-fixture";

const key = makeKey();
const trust = (hash: Uint8Array, trailer: Uint8Array): string | undefined =>
  refusalOfSignature(hash, trailer, [key.point], new NodeCrypto());

test("a signed image updates; the trailer is part of the file that is stored and digested", () => {
  const file = signed(image("0.2.0"), key);
  const fixture = new JobFixture({ refusalOfSignature: trust });
  fixture.update(file, offerOf(file, "0.2.0"));
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("unsigned or wrongly signed: refused with its own cause, the slot left without a head, remembered", () => {
  for (const [file, message] of [
    [image("0.2.0"), /^signature: the file is not signed/],
    [signed(image("0.2.0"), makeKey()), /^signature: signed by a key that is not trusted/],
  ] as const) {
    const fixture = new JobFixture({ refusalOfSignature: trust });
    fixture.connect();
    fixture.push(offerOf(file, "0.2.0"));
    fixture.deliver(file);
    assert.match(fixture.outcomes[0] ?? "", message);
    fixture.ack("outcome");
    const head = new Uint8Array(16);
    fixture.board.chip.read(fixture.board.table.slots[1].address, head);
    assert.ok(head.every((byte) => byte === 0xff));
    fixture.powerOn();
    fixture.connect();
    fixture.push(offerOf(file, "0.2.0"));
    assert.match(fixture.outcomes[1] ?? "", /refused before/);
  }
});

test("the signature is checked over what is in flash also after a power cut behind the digest", () => {
  const file = signed(image("0.2.0"), key);
  const fixture = new JobFixture({ refusalOfSignature: trust });
  fixture.connect();
  fixture.push(offerOf(file, "0.2.0"));
  fixture.deliver(file);
  assert.equal(fixture.state, "burning");
  // Somebody changes the slot while the power is off.
  fixture.board.chip.program(fixture.board.table.slots[1].address + 8192, new Uint8Array(4));
  fixture.powerOn();
  assert.deepEqual(
    [fixture.state, fixture.downloads.at(-1)?.offset],
    ["downloading", 0],
    "all of it is downloaded once more",
  );
  fixture.deliver(Buffer.alloc(file.length, file.subarray(0, 4096)));
  assert.match(fixture.outcomes.at(-1) ?? "", /^digest-mismatch: /);
});

test("an offer without a digest is taken where a signature vouches for the file", () => {
  const file = signed(image("0.2.0"), key);
  const { digest: _digest, ...offer } = offerOf(file, "0.2.0");
  const fixture = new JobFixture({ refusalOfSignature: trust, policy: { signingKeys: [key.publicKey] } });
  fixture.update(file, offer);
  assert.deepEqual(fixture.outcomes, ["done"]);
});

test("an offer without a digest whose file nobody trusted has signed is refused, and the slot left without a head", () => {
  const file = signed(image("0.2.0"), makeKey());
  const { digest: _digest, ...offer } = offerOf(file, "0.2.0");
  const fixture = new JobFixture({ refusalOfSignature: trust, policy: { signingKeys: [key.publicKey] } });
  fixture.push(offer);
  fixture.deliver(file);
  // Nothing but the signature tells that the bytes are right, so they are fetched once more.
  assert.deepEqual(fixture.outcomes, []);
  fixture.deliver(file);
  assert.match(fixture.outcomes[0] ?? "", /^signature: signed by a key that is not trusted/);
  const head = new Uint8Array(16);
  fixture.board.chip.read(fixture.board.table.slots[1].address, head);
  assert.ok(head.every((byte) => byte === 0xff));
});

test("the floor only rises: firmware with a lower one that was flashed over the wire changes nothing, and none is written twice", () => {
  for (const [own, floor] of [
    [1, 5],
    [5, 5],
    [6, 6],
  ] as const) {
    const fixture = new JobFixture({
      refusalOfSignature: trust,
      factory: signed(image("0.1.0", 24_000, { securityFloor: own }), key),
    });
    fixture.board.ports.store.setNumber(RECORDS.minimumSecurityVersion.key, 5);
    fixture.powerOn();
    assert.equal(fixture.board.ports.store.getNumber(RECORDS.minimumSecurityVersion.key), floor);
    let operations = 0;
    fixture.board.chip.onOperation = () => void operations++;
    fixture.powerOn();
    assert.equal(operations, 0);
  }
});

test("a confirmed signed image raises the security floor: no older one comes back, allowDowngrade or not", () => {
  const file = signed(image("0.2.0", 24_000, { securityFloor: 5 }), key);
  const fixture = new JobFixture({ refusalOfSignature: trust, policy: { allowDowngrade: true } });
  fixture.update(file, offerOf(file, "0.2.0"));
  const old = signed(image("0.1.5", 24_000, { securityFloor: 4 }), key);
  fixture.push(offerOf(old, "0.1.5"));
  fixture.deliver(old);
  assert.match(fixture.outcomes.at(-1) ?? "", /security floor of the image is 4, this device has seen 5/);
  fixture.ack("outcome");
  const equal = signed(image("0.1.6", 24_000, { securityFloor: 5 }), key);
  fixture.update(equal, offerOf(equal, "0.1.6"));
  assert.equal(fixture.outcomes.at(-1), "done");
});

test("without signing keys no image can raise the floor", () => {
  const file = image("0.2.0", 24_000, { securityFloor: 5 });
  const fixture = new JobFixture({ policy: { allowDowngrade: true } });
  fixture.update(file, offerOf(file, "0.2.0"));
  assert.equal(fixture.board.ports.store.getNumber("floor"), undefined);
});

test("an image without a firmware block is somebody else's", () => {
  const file = image("0.2.0", 24_000, { custom: new Uint8Array(0) });
  const fixture = new JobFixture();
  fixture.push(offerOf(file, "0.2.0"));
  fixture.deliver(file);
  assert.match(fixture.outcomes[0] ?? "", /no firmware block/);
  const open = new JobFixture({ policy: { allowForeign: true } });
  open.update(file, offerOf(file, "0.2.0"));
  assert.deepEqual(open.outcomes, ["done"]);
});
