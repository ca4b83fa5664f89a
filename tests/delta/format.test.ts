import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { PARTS_MAX, blocksIn, headLengthOf, isContainer, partsFor, readContainer } from "../../src/container/format";
import type { Container, Part } from "../../src/container/format";
import { encodeContainer } from "../../host-sim/delta/head";
import { SECTOR } from "../../src/constants";

const sha256 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const md5 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const text = fc.stringMatching(/^[!-~]{1,31}$/);
const u32 = fc.nat(0x7fff_ffff);

const older = fc.record({ id: sha256, version: text, length: fc.integer({ min: 1, max: 16 << 20 }) });

const containers: fc.Arbitrary<Container> = fc
  .record({
    signed: fc.boolean(),
    product: text,
    version: text,
    chip: fc.nat(65_535),
    securityFloor: u32,
    file: fc.record({ length: fc.integer({ min: 1, max: 16 << 20 }), sha256, md5 }),
    image: sha256,
    parts: fc.array(
      fc.record({
        base: fc.option(older, {
          nil: undefined,
        }),
        extra: fc.integer({ min: 1, max: 1 << 20 }),
        room: u32,
        sha256,
      }),
      { minLength: 1, maxLength: PARTS_MAX },
    ),
  })
  .map(({ parts, ...rest }) => {
    const headLength = headLengthOf(parts.length, rest.signed);
    let length = headLength;
    const placed: Part[] = parts.map(({ extra, ...part }) => {
      const size = 4 * blocksIn(rest.file.length) + extra;
      length += size;
      return { ...part, offset: length - size, length: size };
    });
    return { ...rest, parts: placed, headLength, length };
  });

const headOf = (container: Container): Uint8Array => {
  const head = new Uint8Array(container.headLength);
  head.set(encodeContainer(container));
  return head;
};

test("a head that is written is read as it was, and is never longer than a sector", () => {
  fc.assert(
    fc.property(containers, (container) => {
      const head = headOf(container);
      assert.ok(head.length <= SECTOR);
      assert.ok(isContainer(head));
      // The samples have no prototype.
      assert.deepEqual(readContainer(head), structuredClone(container));
    }),
  );
});

test("a damaged head is refused in words, or is another head", () => {
  const damage = fc.tuple(containers, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat());
  fc.assert(
    fc.property(damage, ([container, at, change, cut]) => {
      const head = headOf(container);
      head[at % head.length]! ^= change;
      for (const bytes of [head, head.subarray(0, cut % head.length)]) {
        try {
          assert.ok(readContainer(bytes).parts.length <= PARTS_MAX);
        } catch (error) {
          assert.match((error as Error).message, /container/);
        }
      }
    }),
  );
});

test("parts that overlap, leave a gap, or are too short for their blocks are refused", () => {
  const base = { id: new Uint8Array(32).fill(1), version: "0.1.0", length: 5_000 };
  const container = fc.sample(containers, { numRuns: 1, seed: 3 })[0]!;
  const two = (first: Partial<Part>, second: Partial<Part>): Container => {
    const head = headLengthOf(2, false);
    const part = { room: 0, sha256: new Uint8Array(32), length: 100 };
    const parts = [
      { ...part, base, offset: head, ...first },
      { ...part, base: undefined, offset: head + 100, ...second },
    ];
    const file = { length: 70_000, sha256: new Uint8Array(32), md5: new Uint8Array(16) };
    return { ...container, signed: false, file, headLength: head, length: head + 200, parts };
  };
  assert.equal(readContainer(headOf(two({}, {}))).parts.length, 2);
  for (const [broken, reason] of [
    [two({ offset: headLengthOf(2, false) - 1 }, {}), /part 0 of the container is damaged/],
    [two({}, { offset: headLengthOf(2, false) + 99 }), /part 1 of the container is damaged/],
    [two({}, { offset: headLengthOf(2, false) + 101 }), /part 1 of the container is damaged/],
    [two({ length: 8 }, {}), /part 0 of the container is damaged/],
    [two({}, { length: 101 }), /parts end at/],
    [{ ...two({}, {}), file: { ...two({}, {}).file, length: 0 } }, /parts end at/],
  ] as const)
    assert.throws(() => readContainer(headOf(broken)), reason);
});

test("a device takes the part from the image that it runs, else the whole, else none", () => {
  const container = fc.sample(containers, { numRuns: 1, seed: 3 })[0]!;
  const part = container.parts[0]!;
  const base = { id: new Uint8Array(32).fill(1), version: "0.1.0", length: 5_000 };
  const patch = { ...part, base };
  const whole = { ...part, base: undefined };
  const both = { ...container, parts: [whole, patch] };
  assert.deepEqual(partsFor(both, base), [patch, whole]);
  assert.deepEqual(partsFor(both, { ...base, length: 5_001 }), [whole]);
  assert.deepEqual(partsFor(both, { ...base, id: new Uint8Array(32) }), [whole]);
  assert.deepEqual(partsFor(both, undefined), [whole]);
  assert.deepEqual(partsFor({ ...container, parts: [patch] }, undefined), []);
});
