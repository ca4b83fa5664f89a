/** The settings of the platform `static` in a device.json. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { temporaryFolder } from "../kit/folder";

function read(t: TestContext, config: object): ReturnType<typeof readDeviceConfig> {
  const path = join(temporaryFolder(t), "device.json");
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  return readDeviceConfig(path);
}

test("a platform that is polled has no broker, and the manifest's scheme decides about plain downloads", (t) => {
  const files = {
    platform: "static",
    manifest: "http://127.0.0.1:8090/manifest.json",
    deviceId: "dev-1",
    pollSeconds: 600,
  };
  const { firmware, warnings } = read(t, files);
  assert.deepEqual(firmware.platform, {
    kind: "static",
    manifest: files.manifest,
    deviceId: "dev-1",
    pollSeconds: 600,
  });
  assert.equal(firmware.broker, undefined);
  assert.equal(firmware.policy.allowHttp, true);
  assert.deepEqual(warnings, []);
  const tls = { ...files, manifest: "https://files.example/manifest.json" };
  assert.equal(read(t, tls).firmware.policy.allowHttp, false);
  assert.equal(read(t, { ...tls, allowHttp: true }).firmware.policy.allowHttp, true);
  assert.deepEqual(read(t, { ...files, mqtt: { host: "h" } }).warnings, ["unknown key mqtt is ignored"]);
  for (const [change, message] of [
    [{ manifest: undefined }, /manifest: is missing$/],
    [{ manifest: "manifest.json" }, /manifest: URL is neither http nor https$/],
    [{ deviceId: "" }, /deviceId: is missing$/],
    [{ pollSeconds: "600" }, /pollSeconds: a whole number from 60 to 604800 is expected$/],
    [{ pollSeconds: 5 }, /pollSeconds: a whole number from 60 to 604800 is expected$/],
    [{ report: "nowhere" }, /report: URL is neither http nor https$/],
  ] as const)
    assert.throws(() => read(t, { ...files, ...change }), { message });
});
