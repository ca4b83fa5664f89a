import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { temporaryFolder } from "../kit/folder";

const PIN = `${"A".repeat(43)}=`;
const DEVICE = {
  platform: "tencent",
  auth_mode: "KEY",
  productId: "A1B2C3D4E5",
  deviceName: "ota-bench-01",
  key_deviceinfo: { deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" },
};

test("pinned keys are read for broker and file servers each; what is none is named", (t) => {
  const path = join(temporaryFolder(t), "device.json");
  const read = (change: object): ReturnType<typeof readDeviceConfig> => {
    writeFileSync(path, JSON.stringify({ ...DEVICE, ...change }));
    chmodSync(path, 0o600);
    return readDeviceConfig(path);
  };
  const { trust, warnings } = read({ mqtt: { pin: [PIN] }, https: { pin: [PIN, PIN] } });
  assert.deepEqual([trust.mqtt?.pins, trust.https?.pins, warnings], [[PIN], [PIN, PIN], []]);
  assert.throws(() => read({ mqtt: { pin: ["abc"] } }), /mqtt\.pin: SHA-256 of a public key in base64/);
  assert.throws(() => read({ https: { pin: PIN } }), /https\.pin: a list of strings/);
});
