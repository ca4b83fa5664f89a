import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import * as fc from "fast-check";
import { sha256 } from "../../hal/model-chip/sha256";
import { buildImage, extractPayload } from "../../hal/model-chip/build-image";
import { verifyImage } from "../../hal/model-chip/image-check";
import { readAppDescription } from "../../src/image/esp-image";
import { readFirmware } from "../../src/image/firmware-block";
import { readEspImage } from "./espressif-reader";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

const PAYLOAD = Buffer.from("trace('hello');\n".repeat(100));

for (const chip of [0, 5, 9, 13]) {
  test(`an image for chip ${chip} follows Espressif's format`, () => {
    const image = readEspImage(Buffer.from(buildImage({ version: "0.2.0", payload: PAYLOAD, chip, secureVersion: 3 })));
    assert.deepEqual(image.problems, []);
    assert.deepEqual([image.chip, image.secureVersion], [chip, 3]);
    const code = image.segments[1]!;
    assert.equal(image.entry, code.address, "the entry is in a segment of code");
  });
}

test("the app description is that of every image of mcconfig; product and version are in the firmware block", () => {
  const file = Buffer.from(buildImage({ version: "0.2.0", payload: PAYLOAD, securityFloor: 7 }));
  const { project, version } = readEspImage(file);
  assert.deepEqual([project, version], ["xs_esp32", "1"]);
  assert.deepEqual(readFirmware(file, false), { product: "xs-ota-board", version: "0.2.0", securityFloor: 7 });
});

test("an image without a firmware block names product and version in the app description", () => {
  const file = buildImage({ version: "0.2.0", payload: PAYLOAD, custom: new Uint8Array(0) });
  assert.throws(() => readFirmware(file, false), /no firmware block/);
  assert.deepEqual(readFirmware(file, true), { product: "xs-ota-board", version: "0.2.0", securityFloor: 0 });
});

test("any size from the minimum on is met exactly; what is below is refused and the minimum named", () => {
  const minimum = buildImage({ version: "0.2.0", payload: PAYLOAD }).length;
  for (const size of [
    minimum,
    minimum + 1,
    minimum + 15,
    minimum + 16,
    minimum + 17,
    minimum + 4095,
    65_536,
    708_482,
  ]) {
    const file = buildImage({ version: "0.2.0", payload: PAYLOAD, size });
    assert.equal(file.length, size);
    const image = readEspImage(Buffer.from(file));
    assert.deepEqual(image.problems, []);
    assert.equal(image.length, size - (size % 16));
    assert.deepEqual(Buffer.from(extractPayload(file)), PAYLOAD);
  }
  for (const size of [minimum - 1, 0, -5, 1000.5, Number.NaN]) {
    assert.throws(
      () => buildImage({ version: "0.2.0", payload: PAYLOAD, size }),
      new RegExp(`at least ${minimum} bytes`),
    );
  }
});

test("every payload length comes back, whatever its remainder", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat(100),
      fc.uint8Array({ maxLength: 70 }),
      (payload, more, custom) => {
        const smallest = buildImage({ version: "1", payload, custom });
        const file = buildImage({ version: "1", payload, custom, size: smallest.length + more });
        assert.deepEqual(readEspImage(Buffer.from(file)).problems, []);
        assert.deepEqual(Buffer.from(extractPayload(file)), Buffer.from(payload));
        assert.deepEqual(Buffer.from(readAppDescription(file).custom.subarray(0, custom.length)), Buffer.from(custom));
        assert.equal(
          verifyImage((offset, into) => into.set(file.subarray(offset, offset + into.length)), file.length, sha256)
            .length,
          file.length - (file.length % 16),
        );
      },
    ),
  );
});

test("the same inputs give the same bytes, other inputs others", () => {
  const build = (version: string, size: number): Buffer => Buffer.from(buildImage({ version, payload: PAYLOAD, size }));
  assert.ok(build("0.2.0", 100_000).equals(build("0.2.0", 100_000)));
  assert.ok(!build("0.2.0", 100_000).equals(build("0.2.1", 100_000)));
});

/** At how many places two files of one length differ. */
function differences(a: Uint8Array, b: Uint8Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((count, byte, index) => count + (byte === b[index] ? 0 : 1), 0);
}

test("two versions of one product differ in 67 bytes at most: the version twice, two digests, the checksum", async () => {
  const build = async (version: string): Promise<Uint8Array> => await sampleImage(version, undefined, 400_005);
  const count = differences(await build("0.1.0"), await build("0.2.0"));
  assert.ok(count > 0 && count <= 1 + 1 + 32 + 32 + 1, `${count} bytes differ`);
});

test("the padding of one product is the same at the same place, whatever the length of the payload and of the file", () => {
  const build = (payload: number, size: number): Uint8Array =>
    buildImage({ version: "0.2.0", payload: Buffer.alloc(payload), size }).subarray(2_000, 19_900);
  assert.equal(differences(build(1_000, 20_000), build(1_001, 20_000)), 0);
  assert.equal(differences(build(1_000, 20_000), build(1_000, 30_003)), 0);
});

test("the padding of two products differs nearly everywhere", () => {
  const build = (product: string): Uint8Array =>
    buildImage({ version: "0.2.0", product, payload: PAYLOAD, size: 100_000 });
  assert.ok(differences(build("thermostat"), build("doorbell")) > 95_000);
});

test("the filler does not compress", () => {
  const file = buildImage({ version: "0.2.0", payload: PAYLOAD, size: 200_000 });
  assert.ok(deflateSync(file).length > 195_000);
});

test("errors name what is wrong", () => {
  assert.throws(() => buildImage({ version: "", payload: PAYLOAD }), /"": 1 to 31 printable ASCII/);
  assert.throws(() => buildImage({ version: "x".repeat(32), payload: PAYLOAD }), /1 to 31/);
  assert.throws(() => buildImage({ version: "1.0.0-ü", payload: PAYLOAD }), /1 to 31/);
  assert.throws(() => buildImage({ version: "1", product: "", payload: PAYLOAD }), /"": 1 to 31/);
  assert.throws(() => buildImage({ version: "1", payload: PAYLOAD, chip: 77 }), /chip 77/);
});

test("an image of another project has no payload", () => {
  const file = Buffer.from(buildImage({ version: "1", payload: PAYLOAD }));
  const { segments } = readEspImage(file);
  file.writeUInt32LE(0x3ffb0000, file.indexOf(segments[2]!.data) - 8);
  assert.throws(() => extractPayload(file), /no JavaScript/);
});
