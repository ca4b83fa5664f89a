import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { sha256 } from "../../hal/model-chip/sha256";
import { buildImage, extractPayload } from "../../hal/model-chip/build-image";
import type { VerifiedImage } from "../../hal/model-chip/image-check";
import { readSegments, verifyImage } from "../../hal/model-chip/image-check";
import { readAppDescription, readHeader } from "../../src/image/esp-image";

const IMAGE = Buffer.from(
  buildImage({
    version: "1.2.3",
    product: "lamp",
    payload: Buffer.alloc(9000, 7),
    custom: Buffer.from("ours"),
    size: 12_345,
  }),
);
const LENGTH = 12_336;
const changed = (change: (bytes: Buffer) => void): Buffer => {
  const bytes = Buffer.from(IMAGE);
  change(bytes);
  return bytes;
};
/** Reads beyond `limit` fail the test: nothing may be asked for that is not there. */
function verify(bytes: Buffer, limit = bytes.length): VerifiedImage {
  return verifyImage(
    (offset, into) => {
      assert.ok(offset >= 0 && offset + into.length <= limit, `read of ${into.length} at ${offset}, limit ${limit}`);
      into.set(bytes.subarray(offset, offset + into.length));
    },
    limit,
    sha256,
  );
}

test("header and description", () => {
  assert.deepEqual(readHeader(IMAGE), { segments: 3, chip: 0, hashAppended: true });
  const { custom, ...description } = readAppDescription(IMAGE.subarray(0, 4096));
  assert.deepEqual(description, { version: "1.2.3", project: "lamp", secureVersion: 0 });
  assert.equal(Buffer.from(custom).toString(), "ours");
});

test("a whole image: length and SHA-256, whatever follows it", () => {
  const digest = createHash("sha256")
    .update(IMAGE.subarray(0, LENGTH - 32))
    .digest("hex");
  for (const file of [IMAGE, IMAGE.subarray(0, LENGTH), Buffer.concat([IMAGE, Buffer.alloc(5000, 0xff)])]) {
    const { length, sha256: found, chip } = verify(file);
    assert.deepEqual([length, Buffer.from(found!).toString("hex"), chip], [LENGTH, digest, 0]);
  }
});

test("an image without appended SHA-256 is checked by its checksum", () => {
  const bytes = changed((image) => (image[23] = 0));
  assert.deepEqual(verify(bytes), { length: LENGTH - 32, sha256: undefined, chip: 0 });
  assert.throws(
    () =>
      verify(
        changed((image) => {
          image[23] = 0;
          image[5000]! ^= 1;
        }),
      ),
    /checksum is 0x.., the image says 0x../,
  );
});

test("any changed bit is found", () => {
  for (let place = 0; place < LENGTH; place += place < 400 || place > LENGTH - 60 ? 1 : 97) {
    // Not covered: nothing but the hash flag's own meaning, which turns the check off.
    if (place === 23) continue;
    assert.throws(() => verify(changed((image) => (image[place]! ^= 1 << (place % 8)))), Error, `byte ${place}`);
  }
});

test("a file truncated anywhere is refused", () => {
  for (let length = 0; length < LENGTH; length += length < 400 || length > LENGTH - 60 ? 1 : 511)
    assert.throws(() => verify(IMAGE.subarray(0, length)), /ESP image/, `${length} bytes`);
});

test("errors name what is wrong", () => {
  const rows: [Buffer, RegExp][] = [
    [Buffer.from("<!doctype html>".repeat(10)), /begins with 0x3c, not 0xe9/],
    [Buffer.alloc(5000, 0xff), /begins with 0xff/],
    [changed((image) => (image[1] = 0)), /0 segments, must be 1 to 16/],
    [changed((image) => (image[1] = 17)), /17 segments/],
    [changed((image) => image.writeUInt32LE(0xfffffffc, 28)), /segment 0 has an impossible length of 4294967292/],
    [changed((image) => image.writeUInt32LE(0x00fffffc, 28)), /segment 0 ends at 16777244, beyond 12345/],
    [changed((image) => image.writeUInt32LE(261, 28)), /segment 0 has an impossible length of 261/],
    [changed((image) => image.writeUInt32LE(12_312, 28)), /segment 1 begins beyond 12345 bytes/],
    [changed((image) => (image[LENGTH - 1]! ^= 1)), /the appended SHA-256 does not match/],
  ];
  for (const [bytes, message] of rows) assert.throws(() => verify(bytes), message);
});

test("missing descriptions, and those that are not text, are refused", () => {
  const rows: [(image: Buffer) => void, RegExp][] = [
    [(image) => image.writeUInt32LE(0, 32), /no app description/],
    [(image) => image.writeUInt32LE(100, 28), /no app description/],
    [(image) => image.fill(0, 48, 80), /empty version/],
    [(image) => image.fill(0x41, 48, 80), /the version has no end/],
    [(image) => (image[49] = 0x0a), /the version is not text/],
    [(image) => (image[82] = 0xc3), /the project name is not text/],
  ];
  for (const [change, message] of rows) assert.throws(() => readAppDescription(changed(change)), message);
  for (const length of [0, 23, 24, 287]) assert.throws(() => readAppDescription(IMAGE.subarray(0, length)), Error);
  assert.equal(readAppDescription(IMAGE.subarray(0, 288)).custom.length, 0);
});

test("bytes of any kind end in a result or an Error, and nothing beyond the limit is read", () => {
  const header = fc
    .tuple(fc.uint8Array({ minLength: 24, maxLength: 400 }), fc.nat(20), fc.array(fc.nat(300), { maxLength: 8 }))
    .map(([bytes, segments, lengths]) => {
      const image = Buffer.from(bytes);
      image[0] = 0xe9;
      image[1] = segments;
      let at = 24;
      for (const length of lengths) {
        if (at + 8 > image.length) break;
        image.writeUInt32LE(length & ~3, at + 4);
        at += 8 + (length & ~3);
      }
      return image;
    });
  const damaged = fc
    .array(fc.tuple(fc.nat(LENGTH + 8), fc.nat(255)), { minLength: 1, maxLength: 5 })
    .map((changes) => changed((image) => changes.forEach(([place, value]) => (image[place] = value))));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
        header,
        damaged,
      ),
      fc.nat(400),
      (bytes, cut) => {
        const file = bytes.subarray(0, bytes.length - (cut % (bytes.length + 1)));
        const read = (offset: number, into: Uint8Array): void => {
          assert.ok(offset + into.length <= file.length);
          into.set(file.subarray(offset, offset + into.length));
        };
        const uses: (() => unknown)[] = [
          () => readHeader(file),
          () => readAppDescription(file),
          () => readSegments(read, file.length),
          () => verifyImage(read, file.length, sha256),
          () => extractPayload(file),
        ];
        for (const use of uses) {
          try {
            use();
          } catch (error) {
            assert.ok(
              error instanceof Error &&
                !(error instanceof RangeError) &&
                !(error instanceof TypeError) &&
                error.name !== "AssertionError",
              String(error),
            );
          }
        }
      },
    ),
    { numRuns: 2000 },
  );
});
