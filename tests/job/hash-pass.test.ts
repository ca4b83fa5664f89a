/** The reading pass over what is stored. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Digest } from "../../src/ports";
import { SECTOR } from "../../src/constants";
import { HashPass } from "../../src/job/hash-pass";
import { TRAILER } from "../../src/signature/trailer";

/** A digest that notes the lengths of what it takes. */
class Noted implements Digest {
  readonly lengths: number[] = [];
  readonly #hash = createHash("sha256");
  write(bytes: Uint8Array): void {
    this.lengths.push(bytes.length);
    this.#hash.update(bytes);
  }
  close(): Uint8Array {
    return this.#hash.digest();
  }
}

const fileOf = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Reads to the end; the reads and yields on the way. */
function run(pass: HashPass, file: Uint8Array): string[] {
  const steps: string[] = [];
  for (let [effect] = pass.next(); effect !== undefined; [effect] = pass.next()) {
    steps.push(effect.type);
    assert.ok(steps.length < 1000, "no end");
    if (effect.type !== "read") continue;
    assert.equal(effect.from, "target");
    pass.take(file.subarray(effect.offset, effect.offset + effect.length));
  }
  return steps;
}

test("each byte is read once, a sector at a time, with a pause after every sixteen", () => {
  for (const sectors of [1, 16, 17, 40]) {
    const file = fileOf(sectors * SECTOR - 5);
    const whole = new Noted();
    const pass = new HashPass("target", file.length, { whole });
    const steps = run(pass, file);
    assert.equal(steps.filter((step) => step === "read").length, sectors);
    const pauses = steps
      .join(" ")
      .split("yield")
      .map((turn) => turn.split("read").length - 1);
    assert.deepEqual(pauses, [...Array.from({ length: Math.ceil(sectors / 16) - 1 }, () => 16), sectors % 16 || 16]);
    assert.equal(pass.close().whole, sha256(file));
    assert.equal(whole.lengths.length, sectors);
  }
});

test("what a signature covers is everything before the trailer, wherever a sector ends", () => {
  for (const length of [
    TRAILER - 1,
    TRAILER,
    TRAILER + 1,
    SECTOR,
    SECTOR + 1,
    SECTOR + TRAILER - 1,
    SECTOR + TRAILER,
    SECTOR + TRAILER + 1,
    3 * SECTOR + 50,
  ]) {
    const file = fileOf(length);
    const [whole, signed] = [new Noted(), new Noted()];
    const pass = new HashPass("target", length, { whole, signed });
    run(pass, file);
    const closed = pass.close();
    const covered = Math.max(0, length - TRAILER);
    assert.equal(closed.whole, sha256(file), `${length}`);
    assert.equal(Buffer.from(closed.signed!).toString("hex"), sha256(file.subarray(0, covered)), `${length}`);
    assert.deepEqual(closed.trailer.subarray(0, Math.min(length, TRAILER)), file.subarray(covered), `${length}`);
    assert.equal(signed.lengths.includes(0), false, "no digest takes empty pieces");
  }
});

test("a head that is not in flash comes first and is not read; a digest that is not wanted is not there", () => {
  const file = fileOf(2 * SECTOR);
  const pass = new HashPass("target", file.length, { whole: new Noted() }, file.subarray(0, 16));
  assert.deepEqual(pass.next(), [{ type: "read", from: "target", offset: 16, length: SECTOR - 16 }]);
  run(pass, file);
  const { whole, signed, first } = pass.close();
  assert.deepEqual([whole, signed], [sha256(file), undefined]);
  assert.deepEqual(first, file.slice(0, first.length), "what an image says of itself begins with the head");
  assert.equal(new HashPass("target", 1, {}).close().whole, undefined);
});
