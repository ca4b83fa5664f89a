/** The settings of the platform `thingsboard` in a device.json, and what `inspect` shows of a job's URL. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { createPlatform } from "../../host-sim/board/firmware/platforms";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { temporaryFolder } from "../kit/folder";

const mqtt = { host: "127.0.0.1", port: 1883, tls: false };
const TOKEN = {
  platform: "thingsboard",
  mqtt,
  accessToken: "A1",
  server: "http://127.0.0.1:8080",
  title: "thermostat",
};

function read(t: TestContext, config: object): ReturnType<typeof readDeviceConfig> {
  const path = join(temporaryFolder(t), "device.json");
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  const found = readDeviceConfig(path);
  createPlatform(found.firmware.platform, new NodeCrypto());
  return found;
}

test("an access token with the server's address, or without it; or MQTT basic credentials", (t) => {
  const { firmware, warnings } = read(t, TOKEN);
  const { platform: _, mqtt: __, ...settings } = TOKEN;
  assert.deepEqual(firmware.platform, { kind: "thingsboard", ...settings });
  assert.deepEqual([firmware.broker, firmware.policy.allowHttp, warnings], [mqtt, true, []]);
  const basic = { ...TOKEN, accessToken: undefined, server: undefined };
  for (const change of [
    { ...TOKEN, server: undefined },
    { ...basic, clientId: "dev-1" },
    { ...basic, username: "user", password: "word" },
  ])
    assert.deepEqual(read(t, change).warnings, []);
});

test("what cannot work is refused with the name of the setting", (t) => {
  for (const [change, message] of [
    [{ title: undefined }, /title: is missing$/],
    [{ accessToken: undefined }, /accessToken: missing; or clientId, username and password$/],
    [{ accessToken: "a/b" }, /accessToken: printable characters without blanks and slashes$/],
    [{ server: "127.0.0.1:8080" }, /server: URL is neither http nor https$/],
    [{ mqtt: undefined }, /mqtt.host: is missing$/],
  ] as const)
    assert.throws(() => read(t, { ...TOKEN, ...change }), { message });
});
