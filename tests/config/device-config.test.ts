import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import type { DeviceConfig } from "../../host-sim/board/config/device-config";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { temporaryFolder } from "../kit/folder";

const SECRET = "3ZxkQmVyVGVzdFZlY3Rvcg==";
/** The example of the contract. */
const KEY = {
  platform: "tencent",
  mqtt: { host: "127.0.0.1", port: 1883, tls: false },
  auth_mode: "KEY",
  productId: "A1B2C3D4E5",
  deviceName: "ota-bench-01",
  key_deviceinfo: { deviceSecret: SECRET },
};

function write(folder: string, value: unknown, mode = 0o600): string {
  const path = join(folder, "device.json");
  writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
  chmodSync(path, mode);
  return path;
}
const host = (text: string): object => ({ ...KEY, mqtt: { ...KEY.mqtt, host: text } });
const read = (t: TestContext, value: unknown): DeviceConfig => readDeviceConfig(write(temporaryFolder(t), value));

test("the contract's example: identity, plain broker, safe policy", (t) => {
  assert.deepEqual(read(t, KEY), {
    firmware: {
      platform: {
        kind: "tencent",
        productId: "A1B2C3D4E5",
        deviceName: "ota-bench-01",
        authMode: "KEY",
        deviceSecret: SECRET,
      },
      broker: { host: "127.0.0.1", port: 1883, tls: false },
      policy: { allowHttp: true },
    },
    trust: { mqtt: {}, https: {} },
    flashSize: undefined,
    warnings: [],
  });
});

test("TLS is on and plain downloads are off unless the file says otherwise; the broker is the vendor's", (t) => {
  const { mqtt: _, ...rest } = KEY;
  const { firmware } = read(t, rest);
  assert.deepEqual(firmware.broker, { host: "A1B2C3D4E5.iotcloud.tencentdevices.com", port: 8883, tls: true });
  assert.equal(firmware.policy.allowHttp, false);
  assert.equal(read(t, { ...rest, allowHttp: true }).firmware.policy.allowHttp, true);
  assert.equal(read(t, { ...KEY, allowHttp: false }).firmware.policy.allowHttp, false);
  assert.deepEqual(read(t, { ...rest, mqtt: { tls: false } }).firmware.broker?.port, 1883);
});

/** The other example of the contract. */
const TOKEN = {
  platform: "thingspanel",
  profile: "v0",
  mqtt: { host: "127.0.0.1", port: 1883, tls: false },
  username: "token-123",
  password: "",
  clientId: "dev-1",
  deviceNumber: "dev-1",
  module: "MCU",
};

test("ThingsPanel: the contract's example, and the shortest file", (t) => {
  const { firmware, warnings } = read(t, TOKEN);
  assert.deepEqual(firmware, {
    platform: {
      kind: "thingspanel",
      profile: "v0",
      username: "token-123",
      clientId: "dev-1",
      brokerHost: "127.0.0.1",
      password: "",
      deviceNumber: "dev-1",
      module: "MCU",
    },
    broker: { host: "127.0.0.1", port: 1883, tls: false },
    policy: { allowHttp: true },
  });
  assert.deepEqual(warnings, []);
  const short = read(t, {
    platform: "thingspanel",
    profile: "v1",
    mqtt: { host: "panel.example" },
    username: "token",
    clientId: "c",
    module: null,
  });
  assert.deepEqual(short.firmware.platform, {
    kind: "thingspanel",
    profile: "v1",
    username: "token",
    clientId: "c",
    brokerHost: "panel.example",
  });
  assert.deepEqual(short.firmware.broker, { host: "panel.example", port: 8883, tls: true });
});

test("the checksum of each range is looked at on request", (t) => {
  assert.deepEqual(read(t, { ...TOKEN, crc16: true }).firmware.download, { crc16: true });
});

test("modules that are not the firmware, and the partitions that they go to", (t) => {
  assert.deepEqual(read(t, { ...TOKEN, modules: { assets: "assets", voice: "spare" } }).firmware.modules, {
    assets: "assets",
    voice: "spare",
  });
  assert.equal("modules" in read(t, TOKEN).firmware, false);
  for (const modules of [[], "assets", { assets: 5 }])
    assert.throws(() => read(t, { ...TOKEN, modules }), /modules: an object of strings is expected/);
});

test("policy and flash size", (t) => {
  const { firmware, flashSize } = read(t, {
    ...KEY,
    trialSeconds: 30,
    maxAttempts: 3,
    repeatBudget: 1,
    eraseBlock: 4,
    allowDowngrade: true,
    allowNoDigest: true,
    allowForeign: true,
    flashSize: "8MB",
    hmac: "SHA1",
  });
  assert.deepEqual(firmware.policy, {
    trialSeconds: 30,
    maxAttempts: 3,
    repeatBudget: 1,
    eraseBlock: 4,
    allowDowngrade: true,
    allowNoDigest: true,
    allowForeign: true,
    allowHttp: true,
  });
  assert.equal(flashSize, 8 << 20);
  assert.deepEqual(firmware.platform, {
    kind: "tencent",
    productId: "A1B2C3D4E5",
    deviceName: "ota-bench-01",
    authMode: "KEY",
    deviceSecret: SECRET,
    hmac: "SHA1",
  });
});

test("roots and the client certificate come from the files that it names, beside it", async (t) => {
  const folder = temporaryFolder(t);
  const authority = await Authority.create("ec");
  const client = await authority.client("A1B2C3D4E5ota-bench-01");
  writeFileSync(join(folder, "root.pem"), authority.root);
  writeFileSync(join(folder, "dev.crt"), client.certificate);
  writeFileSync(join(folder, "dev.key"), client.key, { mode: 0o600 });
  const { key_deviceinfo: _, ...rest } = KEY;
  const value = {
    ...rest,
    auth_mode: "CERT",
    mqtt: { ca: "root.pem" },
    https: { ca: join(folder, "root.pem") },
    cert_deviceinfo: { devCertFile: "dev.crt", devPrivateKeyFile: "dev.key" },
  };
  const { trust, firmware, warnings } = readDeviceConfig(write(folder, value, 0o644));
  assert.deepEqual(trust, {
    mqtt: { ca: authority.root, certificate: client.certificate, privateKey: client.key },
    https: { ca: authority.root },
  });
  assert.deepEqual(firmware.platform, {
    kind: "tencent",
    productId: "A1B2C3D4E5",
    deviceName: "ota-bench-01",
    authMode: "CERT",
  });
  assert.deepEqual(warnings, [], "the file itself holds no secret");

  chmodSync(join(folder, "dev.key"), 0o640);
  assert.deepEqual(readDeviceConfig(write(folder, value)).warnings, [
    `${join(folder, "dev.key")} holds a secret that others may read: chmod 600 is better`,
  ]);

  assert.throws(
    () => readDeviceConfig(write(folder, { ...value, mqtt: { tls: false } })),
    /device\.json: auth_mode: a certificate needs TLS, and mqtt\.tls is false/,
  );

  const other = await authority.client("other");
  writeFileSync(join(folder, "dev.key"), other.key);
  assert.throws(
    () => readDeviceConfig(write(folder, value)),
    /device\.json: cert_deviceinfo: the private key is not that of the certificate/,
  );
});

test("signing keys: a file beside it, PEM text or hex; a private key is not taken, and what is no key is named by its number", (t) => {
  const folder = temporaryFolder(t);
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = publicKey.export({ format: "pem", type: "spki" }).toString();
  const hex = publicKey.export({ format: "der", type: "spki" }).subarray(-65).toString("hex");
  // Another last bit: one key in 256 ends with any given byte.
  const offCurve = hex.slice(0, -1) + (parseInt(hex.slice(-1), 16) ^ 1).toString(16);
  writeFileSync(join(folder, "vendor.pem"), pem);
  writeFileSync(join(folder, "private.pem"), privateKey.export({ format: "pem", type: "pkcs8" }));
  const { firmware } = readDeviceConfig(write(folder, { ...KEY, signingKeys: ["vendor.pem", pem, hex] }));
  assert.deepEqual(firmware.policy.signingKeys, [pem, pem, hex]);
  for (const [entry, message] of [
    ["private.pem", /signingKeys: entry 2: that is a private key; a device gets the public half only/],
    ["absent.pem", /signingKeys: entry 2: there is no such file or folder/],
    [offCurve, /signingKeys: entry 2: public key: the point is not on P-256/],
  ] as const) {
    assert.throws(() => readDeviceConfig(write(folder, { ...KEY, signingKeys: [hex, entry] })), message);
  }
});

test("the vendor's file with keys of its own is taken; what is not understood is told, without values", (t) => {
  const { warnings } = read(t, {
    ...KEY,
    productSecret: "hidden-value",
    region: "china",
    mqtt: { ...KEY.mqtt, keepalive: 1 },
    cert_deviceinfo: { devCertFile: "YOUR_cert.crt", devPrivateKeyFile: "YOUR_private.key" },
  });
  assert.deepEqual(warnings, [
    "unknown key productSecret is ignored",
    "unknown key region is ignored",
    "unknown key mqtt.keepalive is ignored",
  ]);
});

test("a secret that others may read is worth a warning", (t) => {
  const path = write(temporaryFolder(t), KEY, 0o644);
  assert.deepEqual(readDeviceConfig(path).warnings, [
    `${path} holds a secret that others may read: chmod 600 is better`,
  ]);
});

const { auth_mode: _mode, ...WITHOUT_MODE } = KEY;
for (const [title, value, message] of [
  ["no platform", { ...KEY, platform: undefined }, /platform: is missing/],
  ["another platform", { ...KEY, platform: "aws" }, /platform: "tencent".* is expected/],
  ["no product", { ...KEY, productId: "" }, /productId: is missing/],
  ["a product with a slash in it", { ...KEY, productId: "a/b" }, /productId: /],
  ["a device name that is a number", { ...KEY, deviceName: 5 }, /deviceName: a string is expected/],
  ["no way to authenticate", WITHOUT_MODE, /auth_mode: is missing/],
  ["an unknown way", { ...KEY, auth_mode: "PSK" }, /auth_mode: "KEY" or "CERT" is expected/],
  ["no secret", { ...KEY, key_deviceinfo: {} }, /key_deviceinfo\.deviceSecret: is missing/],
  ["a secret that is not base64", { ...KEY, key_deviceinfo: { deviceSecret: "not*base64" } }, /deviceSecret: base64/],
  ["CERT without files", { ...KEY, auth_mode: "CERT" }, /cert_deviceinfo\.devCertFile: is missing/],
  [
    "a certificate that is not there",
    { ...KEY, auth_mode: "CERT", cert_deviceinfo: { devCertFile: "a", devPrivateKeyFile: "b" } },
    /cert_deviceinfo\.devCertFile: a can not be read/,
  ],
  ["a port out of range", { ...KEY, mqtt: { port: 70_000 } }, /mqtt\.port: a whole number from 1 to 65535/],
  ["an empty host", { ...KEY, mqtt: { host: "", tls: false } }, /mqtt\.host: a host name or an address is expected/],
  ["a host as a URL", host("mqtt://192.0.2.7"), /mqtt\.host: the name or address alone is expected, "192\.0\.2\.7"$/],
  [
    "a host with its port",
    host("192.0.2.7:1883"),
    /mqtt\.host: the name or address alone is expected, "192\.0\.2\.7", and 1883 in mqtt\.port$/,
  ],
  [
    "an IPv6 host with its port",
    host("[2001:db8::7]:1883"),
    /alone is expected, "2001:db8::7", and 1883 in mqtt\.port/,
  ],
  ["a host with a slash", host("Broker.Example/"), /alone is expected, "broker\.example"$/],
  ["a host of blanks", host("  "), /mqtt\.host: a host name or an address is expected/],
  ["a host with a blank inside", host("my broker"), /mqtt\.host: a host name or an address is expected/],
  ["tls as a word", { ...KEY, mqtt: { tls: "false" } }, /mqtt\.tls: true or false is expected/],
  ["mqtt as text", { ...KEY, mqtt: "mqtt://x" }, /mqtt: a JSON object is expected/],
  [
    "a CA file that is not there",
    { ...KEY, mqtt: { ca: "absent.pem" } },
    /mqtt\.ca: absent\.pem can not be read: there is no such file/,
  ],
  [
    "a CA file that is none",
    { ...KEY, https: { ca: "device.json" } },
    /https\.ca: device\.json: holds no certificate in PEM form/,
  ],
  ["a trial too short", { ...KEY, trialSeconds: 5 }, /trialSeconds: a whole number from 30 to 900/],
  ["an erase block between", { ...KEY, eraseBlock: 32 }, /eraseBlock: 64 or 4 \(KiB\) is expected/],
  ["an erase block too large", { ...KEY, eraseBlock: 128 }, /eraseBlock: a whole number from 4 to 64/],
  ["a policy that is not a switch", { ...KEY, allowDowngrade: "yes" }, /allowDowngrade: true or false is expected/],
  ["a flash size that is not made", { ...KEY, flashSize: "3MB" }, /flashSize: "4MB" or "8MB" or "16MB" is expected/],
  ["signing keys as text", { ...KEY, signingKeys: "key.pem" }, /signingKeys: a list of strings is expected/],
  ["ThingsPanel without a profile", { ...TOKEN, profile: undefined }, /profile: is missing/],
  ["ThingsPanel of an unknown profile", { ...TOKEN, profile: "v2" }, /profile: "v0" or "v1" is expected/],
  ["ThingsPanel without a host", { ...TOKEN, mqtt: {} }, /mqtt\.host: is missing/],
  ["ThingsPanel without a token", { ...TOKEN, username: "" }, /username: is missing/],
  [
    "ThingsPanel with a token that no topic can carry",
    { ...TOKEN, username: "a/b" },
    /username: has a character that no topic can carry/,
  ],
  ["a list", [KEY], /device\.json: a JSON object is expected/],
  ["nothing", "", /device\.json: is not JSON/],
] as const) {
  test(`refused with one line that names the key: ${title}`, (t) => {
    const path = write(temporaryFolder(t), value);
    assert.throws(
      () => readDeviceConfig(path),
      (error: Error) => {
        assert.ok(error.message.startsWith(`${path}: `), error.message);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
    );
  });
}

test("a file that is not there", (t) => {
  const path = join(temporaryFolder(t), "none.json");
  assert.throws(() => readDeviceConfig(path), { message: `${path} can not be read: there is no such file or folder` });
});
