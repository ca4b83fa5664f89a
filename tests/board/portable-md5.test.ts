/** `xs-ota device --portable-md5`: the firmware computes MD5 itself, inside XS, over a whole update. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Board } from "../../host-sim/board/board";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import { BOARD } from "../cloud/helpers";
import { EventLog } from "./puppet";
import { temporaryFolder } from "../kit/folder";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

/** Least cost of this MD5, bytecodes per KiB (docs/BENCH.md); with the native one the whole update takes a tenth. */
const PER_KIB = 70_000;

test("an update whose MD5 is computed in XS: the offer of Tencent's platform is proven and confirmed", async (t) => {
  const image = async (version: string): Promise<Uint8Array> => await sampleImage(version);
  const cloud = await createCloud();
  await cloud.start();
  t.after(() => cloud.stop());
  const file = await image("0.2.0");
  const device = cloud.addDevice("tencent", BOARD);
  const task = cloud.push(device, await cloud.packages.add(file)).id;
  const folder = temporaryFolder(t);
  const path = join(folder, "device.json");
  writeFileSync(path, JSON.stringify(cloud.deviceConfig(device)), { mode: 0o600 });
  const eventLog = new EventLog();
  let bytecodes = 0;
  const board = await Board.open({
    folder: join(folder, "board"),
    configuration: { ...readDeviceConfig(path).firmware, portableMd5: true },
    factory: () => image("0.1.0"),
    createEngine: createXsEngine,
    onEvent: eventLog.note,
    onTurn: ({ compute }) => (bytecodes += compute),
  });
  t.after(() => board.close());
  void board.powerOn();
  assert.equal((await cloud.settled(task)).status, "success");
  assert.deepEqual(cloud.violations(), []);
  assert.equal(cloud.devices.get(device)?.version, "0.2.0");
  assert.ok(bytecodes > (file.length / 1024) * PER_KIB, `${bytecodes} bytecodes: the MD5 was the computer's`);
});
