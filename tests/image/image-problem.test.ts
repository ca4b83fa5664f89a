/** What people give for firmware by mistake is named for what it is, in one line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { flashFactory } from "../../hal/model-chip/flash-factory";
import { FlashChip } from "../../hal/model-chip/flash-chip";
import { buildImage } from "../../hal/model-chip/build-image";
import { problemOfImage } from "../../host-sim/board/image-problem";
import { partitionTableFor } from "../../host-sim/board/partition-tables";

const IMAGE = Buffer.from(buildImage({ version: "1.0", payload: Buffer.alloc(3000, 1) }));

function problemOf(file: Uint8Array): string | undefined {
  return problemOfImage((offset, into) => {
    assert.ok(offset + into.length <= file.length, `${into.length} bytes at ${offset} of ${file.length}`);
    into.set(file.subarray(offset, offset + into.length));
  }, file.length);
}

/** The beginning of a bootloader: an image whose first segment is code, with no app description. */
function bootloader(): Buffer {
  const bytes = Buffer.from(IMAGE);
  bytes.fill(0, 32, 36);
  return bytes;
}

/** The flash of a new board, with `image` where a chip's ROM looks for the bootloader. */
function wholeFlash(bootloaderAt: number): Uint8Array {
  const chip = FlashChip.inMemory(4 << 20);
  flashFactory(chip, partitionTableFor(4 << 20), IMAGE);
  const bytes = new Uint8Array(0x40000);
  chip.read(0, bytes);
  bytes.set(bootloader(), bootloaderAt);
  return bytes;
}

test("an application image has no problem, also with bytes behind it", () => {
  assert.equal(problemOf(IMAGE), undefined);
  assert.equal(problemOf(Buffer.concat([IMAGE, Buffer.alloc(100)])), undefined);
});

test("a file of another kind is named", () => {
  const rows: readonly (readonly [Uint8Array, RegExp])[] = [
    [Buffer.from("<!doctype html><title>404</title>"), /^not an ESP image: it begins with 0x3c, not 0xe9 \(text\)$/],
    [Buffer.from('{\n\t"version": "1.0",\r\n\t"url": ""\n}'), /\(text\)$/],
    [Buffer.from("\ufeffplain text, and more of it"), /\(text\)$/],
    [Buffer.concat([Buffer.from("\x7fELF\x01\x01\x01"), IMAGE]), /\(an ELF file\)$/],
    [gzipSync(IMAGE), /\(gzip\)$/],
    [Buffer.concat([Buffer.from("PK\x03\x04"), IMAGE]), /\(zip\)$/],
    [Buffer.alloc(5000, 0xff), /\(erased flash\)$/],
    [Buffer.from([0x5a, 0, ...IMAGE]), /it begins with 0x5a, not 0xe9$/],
    [new Uint8Array(0), /^not an ESP image: 0 bytes$/],
    [bootloader(), /^ESP image: no app description \(a bootloader\?\)$/],
    [IMAGE.subarray(0, 2000), /^ESP image: segment 2 ends at \d+, beyond 2000 bytes$/],
  ];
  for (const [file, problem] of rows) assert.match(problemOf(file) ?? "nothing", problem);
});

test("flash with its bootloader is told from an application, wherever the chip has its bootloader", () => {
  for (const place of [0, 0x1000, 0x2000])
    assert.match(
      problemOf(wholeFlash(place)) ?? "nothing",
      /^not an application image but flash with bootloader and partition table: .* begins at 0x10000 in this one$/,
    );
});

test("bytes of any kind end in one line or none", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (bytes, image) => {
      if (image && bytes.length > 0) bytes[0] = 0xe9;
      assert.doesNotMatch(problemOf(bytes) ?? "", /\n/);
    }),
  );
});
