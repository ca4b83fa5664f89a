/** An app in Moddable's simulator, updated by a local Tencent cloud. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildImage } from "../../hal/model-chip/build-image";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import { BUILD, HeadlessRun, buildHeadless } from "./harness";

export interface AppOptions {
  /** Of device.json, beside the cloud's own. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Bytes per second of the file server. */
  readonly throttle?: number;
  /** Notices that come before the one of the confirm, in this order. */
  readonly before?: readonly string[];
}

/**
 * Rejects where `app` (its mc.so) does not confirm version 0.2.0, or the cloud does not hear of it, or is sent
 * something wrong.
 */
export async function wholeUpdate(
  app: string,
  deviceName: string,
  { settings = {}, throttle, before = [] }: AppOptions = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "xs-ota-app-"));
  const cloud = await createCloud(throttle === undefined ? {} : { throttle });
  try {
    await cloud.start();
    const device = cloud.addDevice("tencent", {
      productId: "A1B2C3D4E5",
      deviceName,
      deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
    });
    writeFileSync(join(folder, "device.json"), JSON.stringify({ ...cloud.deviceConfig(device), ...settings }), {
      mode: 0o600,
    });
    const task = cloud.push(
      device,
      await cloud.packages.add(buildImage({ version: "0.2.0", payload: Buffer.from("//"), size: 100_000 })),
    );
    const run = new HeadlessRun(buildHeadless(BUILD), app, { XS_OTA_SIM: folder });
    for (const notice of before) await run.line(({ event }) => event === notice);
    await run.line(({ event, version }) => event === "confirmed" && version === "0.2.0");
    assert.equal((await cloud.settled(task.id)).status, "success");
    await run.cut();
    assert.deepEqual(cloud.violations(), []);
  } finally {
    await cloud.stop();
    rmSync(folder, { recursive: true });
  }
}
