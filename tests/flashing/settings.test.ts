/** The settings that the cloud gives for a chip are those of the device.json, as the firmware reads them. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { withNetwork } from "../../host-sim/cloud/console/web/flashing/network";
import { firmwareSettings } from "../config/firmware-settings";
import { call, ok, withHost } from "../console/helpers";
import { temporaryFolder } from "../kit/folder";

const TENCENT = { productId: "P1", deviceName: "a", deviceSecret: "c2VjcmV0c2VjcmV0" };
const THINGSPANEL = { profile: "v1", username: "token-1", deviceNumber: "d-1", clientId: "d-1" };

test("settings of a chip: every platform of the console, with the root as content", async (t) => {
  const root = join(temporaryFolder(t), "root.pem");
  const { certificate } = await (await Authority.create("ec")).client("root");
  writeFileSync(root, certificate);
  const readSettings = await firmwareSettings(t);
  await withHost(
    async (host) => {
      const devices = [
        { platform: "tencent", identity: TENCENT },
        { platform: "thingspanel", identity: THINGSPANEL },
      ];
      const { ids } = await ok<{ ids: string[] }>(host, "/devices", { method: "POST", body: { devices } });
      for (const [index, name] of [
        [0, "a"],
        [1, "d-1"],
      ] as const) {
        const path = `/devices/${encodeURIComponent(ids[index]!)}/settings`;
        const { settings } = await ok<{ settings: Record<string, string> }>(host, path);
        assert.match(settings["mqttCa"]!, /^-----BEGIN CERTIFICATE-----\n/);
        const all = withNetwork(settings, { ssid: "Hall", password: "wlan-secret" });
        const read = readSettings((key) => all.get(key), new NodeCrypto());
        // As hal/esp32/network/wifi.ts does.
        assert.equal(all.get("wifiPassword") ?? all.get("password"), "wlan-secret");
        if (index === 1) assert.ok(!all.has("password"), "that would be the cloud's");
        const { host: broker, port, tls } = read.broker!;
        assert.deepEqual([read.name, broker, port, tls], [name, "127.0.0.1", host.cloud.mqttsPort, true]);
      }
    },
    { cloud: { tls: { kind: "ec" } }, rootFile: root },
  );
});

test("a network without a password, and none at all", () => {
  assert.deepEqual([...withNetwork({ a: "b" }, { ssid: "", password: "x" })], [["a", "b"]]);
  assert.deepEqual([...withNetwork({}, { ssid: "Hall", password: "" })], [["ssid", "Hall"]]);
});

test("a root that is gone is one line, without a secret", async () => {
  await withHost(
    async (host) => {
      const devices = [{ platform: "tencent", identity: TENCENT }];
      const { ids } = await ok<{ ids: string[] }>(host, "/devices", { method: "POST", body: { devices } });
      const { status, body } = await call(host, `/devices/${encodeURIComponent(ids[0]!)}/settings`);
      assert.equal(status, 422);
      assert.match(body.toString(), /mqtt\.ca: \/somewhere\/root\.pem can not be read: there is no such file/);
    },
    { cloud: { tls: { kind: "ec" } }, rootFile: "/somewhere/root.pem" },
  );
});
