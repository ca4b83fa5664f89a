/** The SDK's engine takes an update by a container, and expands it over power cuts with the chip's decoder. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openFlashOf } from "../../host-sim/board/board-folder";
import { describe } from "../../host-sim/board/describe";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import { buildImage } from "../../hal/model-chip/build-image";
import { PartitionTable } from "../../hal/model-chip/partitions";
import { identify } from "../../src/image/identify";
import { containerOf } from "../kit/containers";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless } from "./harness";
import type { Line } from "./harness";

const SIZE = 300_000;
const CUTS = 3;

/** The file of the image that the device was made with. */
function factoryOf(folder: string): Uint8Array {
  const { chip, close } = openFlashOf(folder);
  try {
    const { address } = PartitionTable.read(chip).slots[0];
    const read = (offset: number, into: Uint8Array): void => chip.read(address + offset, into);
    const file = new Uint8Array(identify(read)!.length);
    read(0, file);
    return file;
  } finally {
    close();
  }
}

const inState =
  (state: string) =>
  (line: Line): boolean =>
    line["state"] === state;

test("a container is expanded over power cuts, and nothing of it is fetched again", async () => {
  const { path } = build(ROOT, BUILD);
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-delta-"));
  const cloud = await createCloud();
  try {
    await cloud.start();
    const device = cloud.addDevice("tencent", {
      productId: "A1B2C3D4E5",
      deviceName: "moddable-delta",
      deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
    });
    writeFileSync(join(folder, "device.json"), JSON.stringify(cloud.deviceConfig(device)), { mode: 0o600 });
    const power = (): HeadlessRun => new HeadlessRun(buildHeadless(BUILD), path, { XS_OTA_SIM: folder });
    let run = power();
    await run.line(() => true);
    await run.cut();
    const next = buildImage({ version: "0.2.0", payload: Buffer.from("/* new */"), size: SIZE });
    const { bytes } = containerOf(next, [factoryOf(folder)]);
    const task = cloud.push(device, await cloud.packages.add(bytes, { version: "0.2.0", name: "update.xsu" }));
    run = power();
    for (let cut = 0; cut < CUTS; cut++) {
      await run.line(inState("expanding"));
      await run.cut();
      run = power();
    }
    await run.line(({ event, version }) => event === "confirmed" && version === "0.2.0");
    assert.equal((await cloud.settled(task.id)).status, "success");
    await run.cut();
    assert.equal(cloud.traffic.total().bytes, bytes.length, "bytes served");
    const { chip, close } = openFlashOf(folder);
    assert.equal(describe(chip).slots[1]?.version, "0.2.0");
    close();
    assert.deepEqual(cloud.violations(), []);
  } finally {
    await cloud.stop();
    rmSync(folder, { recursive: true });
  }
});
