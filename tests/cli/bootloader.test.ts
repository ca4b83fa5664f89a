/** `xs-ota device --bootloader stock`: the whole command, over real TCP. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import { Device } from "../../host-sim/demo/device-process";
import { BOARD } from "../cloud/helpers";
import { temporaryFolder } from "../kit/folder";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

test("device --bootloader stock: a good update is confirmed, and the agent knows that no bootloader rolls back", async (t) => {
  const cloud = await createCloud();
  await cloud.start();
  t.after(() => cloud.stop());
  const image = await sampleImage("0.2.0");
  const id = cloud.addDevice("tencent", BOARD);
  const task = cloud.push(id, await cloud.packages.add(image, { name: "fw.bin" })).id;
  const folder = temporaryFolder(t);
  const config = join(folder, "device.json");
  writeFileSync(config, JSON.stringify(cloud.deviceConfig(id)), { mode: 0o600 });
  const device = Device.start(config, join(folder, "board"), "--bootloader", "stock");
  t.after(() => device.kill());
  assert.deepEqual(await device.event("bootloader"), { event: "bootloader", rollsBack: false });
  assert.deepEqual(await device.event("confirmed"), { event: "confirmed", version: "0.2.0" });
  assert.equal((await cloud.settled(task)).status, "success");
  const boots = device.events.flatMap(({ event, slot, trial }) => (event === "boot" ? [[slot, trial]] : []));
  assert.deepEqual(boots, [
    ["ota_0", false],
    ["ota_1", true],
  ]);
});
