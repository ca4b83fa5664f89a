/**
 * Images of apps that mcconfig has configured for chips and boards, through the tools and the cloud to a simulated
 * board, which refuses each for the right reason. The board is an ESP32 of another product.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import { Device } from "../../host-sim/demo/device-process";
import { xsOta } from "../kit/xs-ota";
import { buildForChip, configureForChip } from "./chip-build";
import type { ChipProject } from "./chip-build";
import { imageOf } from "./chip-image";
import { APP, BOARD_APP, OUTER, addBoard, newApp } from "./document-apps";
import type { Target } from "./document-apps";
import { BUILD } from "./harness";

const CHIPS: readonly Target[] = [
  ["esp32", "esp32", 4],
  ["esp32/esp32c3_cdc", "esp32c3", 4],
];
const BOARDS: readonly Target[] = [
  ["esp32/m5stack_core2", "esp32", 16],
  ["esp32/moddable_six", "esp32s3", 8],
  ["esp32/lolin_c3mini", "esp32c3", 4],
];
const CHIP_IDS: Readonly<Record<string, number>> = { esp32: 0, esp32c3: 5, esp32s3: 9 };
/** Of the firmware block. The words are such that the C preprocessor could take them apart. */
const PRODUCT = "ESP32 lamp, 2nd";
const VERSION = "7.1.0-rc10";
const OUT = join(BUILD, "images");

let folder: string;
let cloud: Cloud;
let device: Device;
let id: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "xs-ota-images-"));
  cloud = await createCloud({});
  await cloud.start();
  id = cloud.addDevice("tencent", {
    productId: "A1B2C3D4E5",
    deviceName: "board-1",
    deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
  });
  const config = join(folder, "device.json");
  writeFileSync(config, JSON.stringify(cloud.deviceConfig(id)), { mode: 0o600 });
  device = Device.start(config, join(folder, "board"));
});

after(async () => {
  await device.kill();
  await cloud.stop();
  rmSync(folder, { recursive: true });
});

/** `manifest` with product and version of its own, as an app would have them. */
function named(manifest: string): string {
  const parsed = JSON.parse(manifest) as { defines?: object };
  return JSON.stringify({ ...parsed, defines: { ...parsed.defines, xsota: { product: PRODUCT, version: VERSION } } });
}

async function assertRefused(project: ChipProject, [platform, chip]: Target): Promise<void> {
  const image = imageOf(project, chip);
  mkdirSync(OUT, { recursive: true });
  const path = join(OUT, `${basename(project.folder)}-${basename(platform)}.bin`);
  writeFileSync(path, image);
  const { code, stdout } = await xsOta("inspect", path);
  const chipId = CHIP_IDS[chip]!;
  assert.deepEqual(
    [code, stdout],
    [0, `image of firmware ${VERSION}, product ${PRODUCT}, chip ${chipId}, ${image.length} bytes, not signed\n`],
  );
  const file = await cloud.packages.add(image);
  assert.deepEqual([file.version, file.project, file.chip, file.problem], [VERSION, PRODUCT, chipId, undefined]);
  const { status, code: result, message } = await cloud.settled(cloud.push(id, file).id);
  assert.deepEqual(
    [status, result, message],
    [
      "failure",
      -5,
      chipId === 0
        ? `image is of product "${PRODUCT}", this is "xs-ota-board"`
        : `image is for chip ${chipId}, this is chip 0`,
    ],
  );
}

const OUTER_ALONE = JSON.stringify({ include: "./xs-ota/manifest.json" });

for (const target of [...CHIPS, ...BOARDS]) {
  const [platform] = target;
  const board = BOARDS.includes(target);
  for (const [kind, manifest] of [
    ["root", board ? OUTER : OUTER_ALONE],
    ["own", board ? BOARD_APP : APP],
  ] as const) {
    test(`${platform}: ${kind === "root" ? "the firmware at the root in an outer app" : "an app of one's own"}`, async () => {
      const app = newApp(`image-${kind}-${basename(platform)}`, named(manifest));
      if (board) addBoard(app, target);
      // One with all its byte-code; for the others that is what the parts "chips" and "boards" do.
      const make = target === CHIPS[0] && kind === "root" ? buildForChip : configureForChip;
      await assertRefused(make(app, platform, OUT), target);
    });
  }
}
