import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { BLOCK, blocksIn } from "../../src/container/format";
import { expandPart } from "../../host-sim/delta/expand";
import { encodePart } from "../../host-sim/delta/part";
import { suffixArray } from "../../host-sim/delta/suffix-array";
import { imagePair, machineCode } from "./images";

const NONE = new Uint8Array(0);

test("the suffixes of any bytes are sorted", () => {
  fc.assert(
    fc.property(imagePair(1), ({ old }) => {
      const text = Buffer.from(old.subarray(0, 300));
      const expected = Array.from(text, (_, at) => at).sort((a, b) =>
        Buffer.compare(text.subarray(a), text.subarray(b)),
      );
      assert.deepEqual(Array.from(suffixArray(text)), expected);
    }),
    { numRuns: 300 },
  );
});

test("a part makes the new image from the older one, whatever was changed", () => {
  fc.assert(
    fc.property(fc.constantFrom(1, 1, 1, 80).chain(imagePair), ({ old, file }) => {
      for (const base of [old, undefined]) {
        const { bytes } = encodePart(file, base);
        assert.deepEqual(Buffer.from(expandPart(bytes, base ?? NONE, file.length)), Buffer.from(file));
      }
    }),
    { numRuns: 60 },
  );
});

test("code that has moved costs little, though each address in it has changed", () => {
  const old = machineCode(0);
  const { bytes } = encodePart(machineCode(24), old);
  const { bytes: unchanged } = encodePart(old, old);
  assert.ok(unchanged.length < old.length / 500, `${unchanged.length} bytes where nothing has changed`);
  assert.ok(bytes.length < old.length / 150, `${bytes.length} bytes for an insertion of 24`);
});

test("a table of pointers costs little where all have moved by the same, though most of its bytes differ", () => {
  const table = (base: number): Uint8Array =>
    new Uint8Array(Uint32Array.from({ length: 4_000 }, (_, index) => base + ((index * 7_919) % 4_000) * 16).buffer);
  const code = machineCode(0).subarray(0, 20_000);
  const image = (base: number): Uint8Array => new Uint8Array(Buffer.concat([code, table(base)]));
  const [old, file] = [image(0x3c00_0000), image(0x3c01_21a8)];
  const { bytes } = encodePart(file, old);
  assert.ok(bytes.length < 300, `${bytes.length} bytes`);
  assert.deepEqual(Buffer.from(expandPart(bytes, old, file.length)), Buffer.from(file));
});

test("a part needs the room that lets each block be decoded again until all its sectors are stored", () => {
  const file = machineCode(0);
  const { bytes, room } = encodePart(file, undefined);
  const blocks = blocksIn(file.length);
  const lengths = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4 * blocks);
  let input = 0;
  let needed = 0;
  for (let block = 0; block < blocks; block++) {
    needed = Math.max(needed, Math.ceil(Math.min((block + 1) * BLOCK, file.length) / 4_096) * 4_096 - input);
    input += lengths.getUint32(4 * block, true);
  }
  assert.equal(room, needed);
});

test("a damaged part makes nothing, or other bytes, and says why", () => {
  const old = machineCode(0).subarray(0, 100_000);
  const file = machineCode(24).subarray(0, 100_000);
  const { bytes } = encodePart(file, old);
  const without = (change: (copy: Uint8Array) => Uint8Array | void): Uint8Array => {
    const copy = bytes.slice();
    return change(copy) ?? copy;
  };
  const length = (copy: Uint8Array, block: number, add: number): void => {
    const view = new DataView(copy.buffer, copy.length - 8);
    view.setUint32(4 * block, view.getUint32(4 * block, true) + add, true);
  };
  const cases: [Uint8Array, RegExp][] = [
    [NONE, /can not hold 2 blocks/],
    [without((copy) => length(copy, 1, 1)), /block 1 ends beyond its part/],
    [without((copy) => length(copy, 1, -1)), /bytes of the part belong to no block|not a deflate stream/],
    [without((copy) => length(copy, 0, -1)), /block 0: not a deflate stream/],
    [without((copy) => copy.subarray(1)), /block 0|block 1|belong to no block/],
  ];
  for (const [part, reason] of cases) assert.throws(() => expandPart(part, old, file.length), reason);
  assert.throws(() => expandPart(bytes, old.subarray(0, 50_000), file.length), /reads outside of the older image/);
  assert.throws(() => expandPart(bytes, old, file.length - 1_000), /more bytes than the block has/);
});
