/** Containers that are refused: each with its cause, the slot unbootable, and the next offer taken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeContainer } from "../../host-sim/delta/head";
import type { Container } from "../../src/container/format";
import { containerOf } from "../kit/containers";
import { makeKey } from "../signature/test-keys";
import {
  build,
  container,
  device,
  key,
  next,
  offer,
  old,
  signedContainer,
  signedNext,
  take,
  trust,
  unbootable,
} from "./container-fixture";
import type { FixtureOptions, JobFixture } from "./job-fixture";
import { offerOf } from "./job-fixture";

/** The head says something else; the bytes behind it stay. */
const with_ = (change: Partial<Container>): Uint8Array => {
  const bytes = container.bytes.slice();
  bytes.set(encodeContainer({ ...container.container, ...change }));
  return bytes;
};

/** It takes an image after all that. */
function takesTheNext(on: JobFixture): void {
  unbootable(on);
  on.ack("outcome");
  const plain = build("0.9.0");
  on.update(plain, offerOf(plain, "0.9.0"));
  assert.deepEqual(on.running, { version: "0.9.0", slot: "ota_1", state: "valid" });
}

const { file } = container.container;
const HEADS: readonly (readonly [string, Uint8Array, RegExp, FixtureOptions?])[] = [
  ["containers are not wanted", container.bytes, /^rejected: .*allowDelta/, { policy: { allowDelta: false } }],
  ["another product", with_({ product: "toaster" }), /^rejected: image is of product "toaster"/],
  ["another chip", with_({ chip: 5 }), /^rejected: image is for chip 5/],
  ["another version than offered", with_({ version: "0.2.1" }), /^rejected: version in the image is 0.2.1/],
  ["another length than the file has", with_({ length: 5000 }), /^rejected: the container/],
  ["an image that no slot holds", with_({ file: { ...file, length: 64 << 20 } }), /^rejected: .*(slot|damaged)/],
  ["parts that leave a gap", with_({ parts: container.container.parts.slice(1) }), /^rejected: /],
  ["not signed", container.bytes, /^signature: the container is not signed/, { refusalOfSignature: trust }],
];

for (const [title, bytes, cause, options] of HEADS)
  test(`refused by its head, before anything is erased: ${title}`, () => {
    const on = device(options);
    take(on, bytes);
    assert.match(on.outcomes[0] ?? "", cause);
    const { address, size } = on.board.table.slots[1];
    assert.equal(on.board.chip.counts(address, size).erases, 0);
    if (options?.refusalOfSignature === undefined) takesTheNext(on);
  });

test("refused by its head: an older security floor than this device has seen", () => {
  const on = device({ factory: build("0.1.0", { securityFloor: 3 }), refusalOfSignature: trust });
  take(on, signedContainer.bytes);
  assert.match(on.outcomes[0] ?? "", /^rejected: security floor of the image is 0, this device has seen 3/);
});

test("refused by its head: signed by a key that is not trusted, or changed after it was signed", () => {
  const foreign = containerOf(signedNext, [old], { key: makeKey().privateKey }).bytes;
  const changed = signedContainer.bytes.slice();
  changed[130]! ^= 1;
  for (const bytes of [foreign, changed]) {
    const on = device({ refusalOfSignature: trust });
    take(on, bytes);
    assert.match(on.outcomes[0] ?? "", /^signature: /);
  }
});

test("a signed head does not make an unsigned image trusted", () => {
  const { bytes } = containerOf(next, [old], { key: key.privateKey });
  const on = device({ refusalOfSignature: trust });
  take(on, bytes);
  assert.match(on.outcomes[0] ?? "", /^signature: the file is not signed/);
  unbootable(on);
});

test("a container with no part for this device", () => {
  const { bytes } = containerOf(next, [build("0.0.9")], { whole: false });
  const on = device();
  take(on, bytes);
  assert.equal(on.outcomes[0], "rejected: the container has no part for 0.1.0 and no compressed image");
  takesTheNext(on);
});

test("a slot that is too small for the container and what it makes", () => {
  const room = with_({ parts: container.container.parts.map((part) => ({ ...part, room: 4 << 20 })) });
  const on = device();
  take(on, room);
  assert.match(on.outcomes[0] ?? "", /^rejected: the container and the image of 200000 bytes do not fit the slot/);
  takesTheNext(on);
});

test("a part that makes another file than the head says is remembered, and only the container is", () => {
  const lying = with_({ file: { ...file, sha256: new Uint8Array(32).fill(7) } });
  const on = device();
  take(on, lying);
  assert.match(on.outcomes[0] ?? "", /^rejected: the container makes another file: SHA256/);
  unbootable(on);
  on.ack("outcome");
  on.push(offerOf(lying, "0.2.0"));
  assert.match(on.outcomes[1] ?? "", /^rejected: this image was refused before/);
  on.update(next, offerOf(next, "0.2.0"));
  assert.equal(on.outcomes.at(-1), "done");
});

test("a part whose blocks are damaged", () => {
  const part = container.container.parts[2]!;
  for (const [title, at] of [
    ["a block", part.offset + 3],
    ["the lengths of the blocks", part.offset + part.length - 9],
  ] as const) {
    const bytes = container.bytes.slice();
    bytes[at]! ^= 0xff;
    const on = device();
    take(on, bytes);
    assert.match(on.outcomes[0] ?? "", /^rejected: /, title);
    takesTheNext(on);
  }
});

test("another image in the running slot since the part was chosen", () => {
  const cable = build("0.1.0", { payload: new TextEncoder().encode("flashed by cable") });
  for (const until of [8192, container.bytes.length - 1]) {
    const on = device();
    on.push(offer);
    on.deliver(container.bytes, until);
    const [{ address }] = on.board.table.slots;
    for (let at = 0; at < cable.length; at += 4096) {
      on.board.chip.erase(address + at);
      on.board.chip.program(address + at, cable.subarray(at, at + 4096));
    }
    on.powerOn();
    on.connect();
    on.push(offer);
    on.deliver(container.bytes);
    assert.equal(on.outcomes[0], "rejected: the container's part is for another image than the running one");
    unbootable(on);
    on.ack("outcome");
    // The same offer once more: the part that fits now is taken.
    on.update(container.bytes, offer);
    assert.equal(on.outcomes.at(-1), "done");
  }
});

test("a container of the image that runs is done at once, by that image and not by its own digest", () => {
  const rebuilt = containerOf(old, [build("0.0.9")]).bytes;
  const on = device();
  on.push(offerOf(rebuilt, "0.1.0", { size: 0 }));
  on.deliver(rebuilt);
  assert.deepEqual(on.outcomes, ["done"]);
});
