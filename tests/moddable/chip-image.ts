/**
 * The image of an app for a chip, as far as it can be made without Espressif's compiler and linker: the firmware block
 * is compiled out of hal/esp32/ota.c with the defines and settings that mcconfig has written, by this machine's compiler
 * over the fakes of tests/esp32; layout and app description are those of every image of mcconfig; the app's byte-code,
 * where it was made, stands for the rest.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { buildImage } from "../../hal/model-chip/build-image";
import { encodeFirmwareBlock, readFirmwareBlock } from "../../src/image/firmware-block";
import { writeSettings } from "./chip-build";
import type { ChipProject } from "./chip-build";
import { ROOT } from "./harness";

/** esp_chip_id_t, which ESP-IDF's Kconfig derives from the target. */
const CHIP_IDS: Readonly<Record<string, number>> = { esp32: 0, esp32c3: 5, esp32s3: 9, esp32c6: 13 };
const FAKES = join(ROOT, "tests", "esp32");

/** `chip`: as ESP-IDF's target is called. Throws with the compiler's output where ota.c does not compile. */
export function imageOf(project: ChipProject, chip: string): Uint8Array {
  const chipId = CHIP_IDS[chip];
  assert.ok(chipId !== undefined, chip);
  const block = compiledBlock(project, chipId);
  const firmware = readFirmwareBlock(block);
  assert.ok(firmware !== undefined, "the section holds a firmware block");
  assert.deepEqual(block, encodeFirmwareBlock(firmware));
  return buildImage({ ...firmware, chip: chipId, payload: byteCode(project) });
}

/** What the linker would put behind the app description. */
function compiledBlock(project: ChipProject, chipId: number): Uint8Array {
  const folder = join(project.folder, "firmware-block");
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(project.folder, "mc.defines.h"), join(folder, "mc.defines.h"));
  writeSettings(project.sdkconfig, join(folder, "sdkconfig.h"));
  const [object, bytes] = [join(folder, "ota.o"), join(folder, "block.bin")];
  const includes = [folder, join(FAKES, "fake-idf"), join(FAKES, "fake-xs"), join(ROOT, "hal", "esp32")];
  const [compiler = "cc", ...options] = (process.env["CC"] ?? "cc").split(" ");
  // ESP32: as the SDK's makefile gives it.
  const defines = [`-DCONFIG_IDF_FIRMWARE_CHIP_ID=${chipId}`, "-DESP32=1"];
  const source = join(ROOT, "hal", "esp32", "ota.c");
  execFileSync(compiler, [
    ...options,
    ...defines,
    ...includes.flatMap((each) => ["-I", each]),
    "-c",
    source,
    "-o",
    object,
  ]);
  execFileSync("objcopy", ["-O", "binary", "--only-section=.rodata_custom_desc", object, bytes]);
  return new Uint8Array(readFileSync(bytes));
}

function byteCode({ folder }: ChipProject): Uint8Array {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".xsb"));
  return Buffer.concat(files.sort().map((name) => readFileSync(join(folder, name))));
}
