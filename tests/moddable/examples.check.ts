/** The examples build with mcconfig and update themselves. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import { buildImage } from "../../hal/model-chip/build-image";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless, warnings } from "./harness";

for (const name of ["minimal", "lent-mqtt"]) {
  test(`examples/${name}: a whole update`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "xs-ota-example-"));
    const cloud = await createCloud();
    try {
      const { path, output } = build(join(ROOT, "examples", name), BUILD);
      assert.deepEqual(warnings(output), []);
      await cloud.start();
      const device = cloud.addDevice("tencent", {
        productId: "A1B2C3D4E5",
        deviceName: name,
        deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
      });
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "device.json"), JSON.stringify(cloud.deviceConfig(device)), { mode: 0o600 });
      const task = cloud.push(
        device,
        await cloud.packages.add(buildImage({ version: "0.2.0", payload: Buffer.from("//"), size: 100_000 })),
      );
      const run = new HeadlessRun(buildHeadless(BUILD), path, { XS_OTA_SIM: folder });
      await run.line(({ event, version }) => event === "confirmed" && version === "0.2.0");
      assert.equal((await cloud.settled(task.id)).status, "success");
      await run.cut();
      assert.deepEqual(cloud.violations(), []);
    } finally {
      await cloud.stop();
      rmSync(folder, { recursive: true });
    }
  });
}

test("the minimal example is as short as it says", () => {
  const lines = readFileSync(join(ROOT, "examples", "minimal", "main.ts"), "utf8")
    .trimEnd()
    .split("\n");
  assert.ok(lines.length < 40, `${lines.length} lines`);
});
