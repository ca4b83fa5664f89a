/** Flash time of an update by a container, on the model of the chip: beside that of the plain image. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { containerOf } from "../kit/containers";
import { fillerOf } from "../../hal/model-chip/filler";
import { device, take } from "./container-fixture";
import { image } from "./job-fixture";

/** As the agent with both clouds for an ESP32-C3, and as compressible: about the half is left. */
const SIZE = 1_355_680;
const code = fillerOf("half of it")(0, 1_340_000).map((byte, index) => (index % 4096 < 2048 ? byte : index & 0x1f));
const build = (version: string): Uint8Array => {
  const payload = code.slice();
  payload.set(new TextEncoder().encode(`firmware ${version}`));
  return image(version, SIZE, { payload, seed: "all versions" });
};
const [old, next] = [build("0.1.0"), build("0.2.0")];

/** Modelled milliseconds of the slot that is written, from the offer to the proven image. */
function flashTime(factory: Uint8Array, file: Uint8Array): number {
  const on = device({ factory, answers: { restart: false } });
  const { address, size } = on.board.table.slots[1];
  on.board.chip.resetCounts();
  take(on, file);
  assert.equal(on.state, "burning");
  return on.board.chip.counts(address, size).milliseconds;
}

const plain = flashTime(old, next);

test("a patch takes at most 1.15 times the flash time of the plain image", (context) => {
  const { bytes } = containerOf(next, [old], { whole: false });
  const time = flashTime(old, bytes);
  context.diagnostic(`${bytes.length} bytes: ${time.toFixed(0)} ms, plain ${plain.toFixed(0)} ms`);
  assert.ok(time <= 1.15 * plain, `${(time / plain).toFixed(3)} times`);
});

test("the compressed image takes at most 1.6 times the flash time of the plain one", (context) => {
  const { bytes } = containerOf(next, []);
  const time = flashTime(old, bytes);
  context.diagnostic(`${bytes.length} bytes: ${time.toFixed(0)} ms, plain ${plain.toFixed(0)} ms`);
  assert.ok(time <= 1.6 * plain, `${(time / plain).toFixed(3)} times`);
});
