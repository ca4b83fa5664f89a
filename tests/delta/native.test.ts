/** The decoder of the chip in C, under AddressSanitizer and UBSan, against the one of the host. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { BLOCK } from "../../src/container/format";
import { expandPart } from "../../host-sim/delta/expand";
import { encodePart } from "../../host-sim/delta/part";
import { temporaryFolder } from "../kit/folder";
import { imagePair, machineCode } from "./images";
import { NativeExpander } from "./native-expander";
import type { Case } from "./native-expander";

/** All by `npm run test:long -- --only delta`. */
const INPUTS = Number(process.env["XS_OTA_INPUTS"] ?? 3_000);
const expander = new NativeExpander(temporaryFolder({ after }));

function firstBlock(old: Uint8Array, file: Uint8Array, step: number): Case {
  const head = file.subarray(0, BLOCK);
  const { bytes } = encodePart(head, old);
  return { old, block: bytes.subarray(0, bytes.length - 4), start: 0, size: head.length, step };
}

/** What the host makes of a block; undefined: it refuses it. */
function onHost({ old, block, size }: Case): Uint8Array | undefined {
  const part = Buffer.concat([block, Buffer.alloc(4)]);
  part.writeUInt32LE(block.length, block.length);
  try {
    return expandPart(part, old, size);
  } catch {
    return undefined;
  }
}

const pairs = fc.tuple(imagePair(1), fc.integer({ min: 1, max: 4_096 })).filter(([{ file }]) => file.length > 0);

test("both decoders make the same of a block, however many bytes are asked for at a time", () => {
  const cases = fc.sample(pairs, { numRuns: 150, seed: 7 }).map(([{ old, file }, step]) => firstBlock(old, file, step));
  expander.expand(cases).forEach(({ result, bytes }, index) => {
    assert.equal(result, 0);
    assert.deepEqual(Buffer.from(bytes), Buffer.from(onHost(cases[index]!)!));
  });
});

test("both decoders refuse the same damaged blocks, or make the same wrong bytes", () => {
  const damage = fc.tuple(pairs, fc.nat(), fc.integer({ min: 1, max: 255 }));
  const cases = fc.sample(damage, { numRuns: 400, seed: 7 }).map(([[{ old, file }, step], at, change]) => {
    const whole = firstBlock(old, file, step);
    const block = whole.block.slice();
    block[at % block.length]! ^= change;
    return { ...whole, block };
  });
  let refused = 0;
  expander.expand(cases).forEach(({ result, bytes }, index) => {
    const expected = onHost(cases[index]!);
    assert.equal(result === 0, expected !== undefined, `case ${index}: ${result}`);
    if (expected === undefined) refused++;
    else assert.deepEqual(Buffer.from(bytes), Buffer.from(expected));
  });
  assert.ok(refused > 100 && refused < 400, `${refused} of 400 refused`);
});

test("whatever a block holds, the decoder stays within block, older image and its own memory", () => {
  const old = machineCode(0).subarray(0, 120_000);
  for (const [seed, example] of [
    firstBlock(old, machineCode(24), 1),
    firstBlock(new Uint8Array(0), old, 1),
  ].entries()) {
    const refused = expander.fuzz(example, INPUTS, seed + 1);
    assert.ok(refused > INPUTS / 2, `${refused} of ${INPUTS} mutations refused`);
  }
});
