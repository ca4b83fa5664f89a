/**
 * Output, logs and API of a device and its cloud contain no secret in any form, and no copy of a secret stays in
 * memory.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Crypto } from "../../src/ports";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { Authority } from "../../host-sim/cloud/core/listeners/certificates";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import { readDeviceConfig } from "../../host-sim/board/config/device-config";
import { Device } from "../../host-sim/demo/device-process";
import { MqttSession } from "../../src/mqtt/session";
import { TencentPlatform } from "../../src/platforms/tencent/dialect";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import { temporaryFolder } from "../kit/folder";
import { BOARD } from "../cloud/helpers";
import { xsOta } from "../kit/xs-ota";
import { feed } from "../mqtt/feed";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

/** Forms in which a secret may be disclosed. */
function forms(secret: string): string[] {
  const decoded = Buffer.from(secret, "base64");
  return [
    secret,
    Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    Buffer.from(secret).toString("hex"),
    encodeURIComponent(secret),
    decoded.toString("hex"),
    decoded.toString("latin1"),
    decoded.toString("utf8"),
  ];
}

function assertSilent(text: string, secrets: readonly string[], where: string): void {
  for (const secret of secrets) {
    for (const form of forms(secret)) {
      for (const spelling of [form, form.toUpperCase()])
        assert.equal(text.indexOf(spelling), -1, `${where} holds a secret`);
    }
  }
}

/** Output of the command. */
async function saidBy(...args: string[]): Promise<string> {
  const { stdout, stderr } = await xsOta(...args);
  return stdout + stderr;
}

/** All output of a device during an interrupted download, an update, a refused image and a refused connection. */
async function outputOf(t: TestContext, cloud: Cloud, id: string, config: object, folder: string): Promise<string> {
  const [path, state] = [join(folder, "device.json"), join(folder, "board")];
  writeFileSync(path, JSON.stringify(config), { mode: 0o600 });
  let said = "";
  const on = (): Device => {
    const device = Device.start(path, state, "--engine", "node", "--verbose");
    t.after(() => device.kill());
    return device;
  };
  const off = async (device: Device): Promise<void> => {
    await device.kill();
    said += JSON.stringify(device.events) + device.stderr;
    said += (
      await Promise.all([saidBy("inspect", "--state", state), saidBy("inspect", "--state", state, "--json")])
    ).join("");
  };
  const file = await cloud.packages.add(await sampleImage("0.2.0", undefined, 300_000));
  cloud.files.throttle = 100_000;
  let device = on();
  // Where versions are not reported, the SUBACK tells: the broker refuses one of the two spellings of the topic.
  if (cloud.identity(id)?.["profile"] === "v1")
    await device.until(
      "SUBACK",
      ({ event, message }) => event === "warning" && /refused the subscription/.test(String(message)),
    );
  else
    await new Promise<void>((resolve) =>
      cloud.on("device", (changed) => changed.id === id && changed.version !== undefined && resolve()),
    );
  const task = cloud.push(id, file);
  await device.until("a quarter", ({ percent }) => Number(percent) >= 25);
  await off(device);
  cloud.files.throttle = undefined;
  device = on();
  await device.until("done", ({ state }) => state === "done");
  assert.equal((await cloud.settled(task.id)).status, "success");
  const bad = await cloud.packages.add(new Uint8Array(5_000).fill(1), { version: "0.3.0" });
  assert.equal((await cloud.settled(cloud.push(id, bad).id)).status, "failure");
  // The cloud refuses a removed device.
  const refused = new Promise<void>((resolve) => cloud.once("refused", () => resolve()));
  cloud.removeDevice(id);
  await refused;
  await off(device);
  assert.match(said, /mqtt/i, "the log is in it");
  return said;
}

test("Tencent, secret: the output contains neither the secret, nor a password made of it, nor the signature of a URL", async (t) => {
  const cloud = await createCloud({ urlSecret: "url-secret-of-this-test" });
  await cloud.start();
  t.after(() => cloud.stop());
  const id = cloud.addDevice("tencent", BOARD);
  const said = await outputOf(t, cloud, id, cloud.deviceConfig(id), temporaryFolder(t));
  assertSilent(said, [BOARD.deviceSecret, "url-secret-of-this-test"], "what it says");
  assert.doesNotMatch(said, /hmacsha/);
  assert.doesNotMatch(said, /[?&]sign=/);
});

for (const profile of ["v0", "v1"] as const) {
  test(`ThingsPanel ${profile}: the output contains neither access token nor password, not even in topics`, async (t) => {
    const identity = { profile, username: "t0ken-of-this-device-7f", password: "passw0rd-of-this-device-9a" };
    const cloud = await createCloud();
    await cloud.start();
    t.after(() => cloud.stop());
    const id = cloud.addDevice("thingspanel", { ...identity, clientId: "client-1" });
    const said = await outputOf(t, cloud, id, cloud.deviceConfig(id), temporaryFolder(t));
    assertSilent(said, [identity.username, identity.password], "what it says");
  });
}

test("Tencent, certificate: the output contains nothing of the private key", async (t) => {
  const authority = await Authority.create("ec");
  const cloud = await createCloud({ tls: { authority, clientCertificates: true } });
  await cloud.start();
  t.after(() => cloud.stop());
  const { productId, deviceName } = BOARD;
  const id = cloud.addDevice("tencent", { productId, deviceName });
  const folder = temporaryFolder(t);
  const { certificate, key } = await authority.client(`${productId}${deviceName}`);
  writeFileSync(join(folder, "root.pem"), cloud.root!);
  writeFileSync(join(folder, `${deviceName}.crt.pem`), certificate);
  writeFileSync(join(folder, `${deviceName}.key.pem`), key, { mode: 0o600 });
  const said = await outputOf(t, cloud, id, cloud.deviceConfig(id, "root.pem"), folder);
  const lines = key.split("\n").filter((line) => line.length > 20 && !line.startsWith("-"));
  assert.ok(lines.length >= 2);
  assertSilent(said, lines, "what it says");
});

test("the error for a secret in the wrong place or of the wrong type does not show it", (t) => {
  const secret = "bXktdmVyeS1zZWNyZXQtdmFsdWU=";
  const key = {
    platform: "tencent",
    mqtt: { host: "h", port: 1, tls: false },
    auth_mode: "KEY",
    productId: "P",
    deviceName: "d",
  };
  const panel = { platform: "thingspanel", profile: "v0", mqtt: { host: "h" }, clientId: "c" };
  const wrong: readonly unknown[] = [
    { ...key, key_deviceinfo: secret },
    { ...key, key_deviceinfo: { deviceSecret: [secret] } },
    { ...key, key_deviceinfo: { deviceSecret: `${secret}*` } },
    { ...key, key_deviceinfo: { [secret]: secret } },
    { ...key, productId: `${secret}/`, key_deviceinfo: { deviceSecret: secret } },
    { ...key, deviceName: `${secret}#`, key_deviceinfo: { deviceSecret: secret } },
    { ...key, mqtt: secret, key_deviceinfo: { deviceSecret: secret } },
    { ...key, auth_mode: secret },
    { ...key, hmac: secret, key_deviceinfo: { deviceSecret: secret } },
    { ...key, signingKeys: [secret], key_deviceinfo: { deviceSecret: secret } },
    { ...panel, username: `${secret}/`, password: secret },
    { ...panel, username: "u", password: [secret] },
    { ...panel, username: "u", httpBase: secret },
    secret,
    `{"deviceSecret":"${secret}"`,
  ];
  const path = join(temporaryFolder(t), "device.json");
  for (const value of wrong) {
    writeFileSync(path, typeof value === "string" && value.startsWith("{") ? value : JSON.stringify(value), {
      mode: 0o600,
    });
    try {
      for (const warning of readDeviceConfig(path).warnings) assertSilent(warning, [secret], warning);
    } catch (error) {
      assert.ok(error instanceof Error && !(error instanceof assert.AssertionError), String(error));
      assertSilent(error.message, [secret], JSON.stringify(value));
    }
  }
});

/** Keeps every array that is written to a digest. */
class Keeper extends NodeCrypto implements Crypto {
  readonly seen: Uint8Array[] = [];

  override digest(algorithm: Parameters<Crypto["digest"]>[0]): ReturnType<Crypto["digest"]> {
    const digest = super.digest(algorithm);
    return {
      write: (bytes) => {
        this.seen.push(bytes);
        digest.write(bytes);
      },
      close: () => digest.close(),
    };
  }
}

test("the secret is decoded for one connect, and every array that held it is overwritten afterwards", () => {
  let asked = 0;
  const crypto = new Keeper();
  const deviceSecret = (): string => {
    asked++;
    return BOARD.deviceSecret;
  };
  for (const [secret, block] of [
    [deviceSecret, 64],
    [() => Buffer.alloc(100, 7).toString("base64"), 64],
  ] as const) {
    crypto.seen.length = 0;
    const platform = new TencentPlatform(
      { productId: "P", deviceName: "d", authMode: "KEY", deviceSecret: secret },
      crypto,
    );
    assert.equal(crypto.seen.length, 0);
    assert.match(platform.identity().password ?? "", /^[0-9a-f]{64};hmacsha256$/);
    const blocks = crypto.seen.filter(({ length }) => length === block || length === 100);
    assert.ok(blocks.length >= 2);
    for (const bytes of blocks) assert.deepEqual(bytes, new Uint8Array(bytes.length));
  }
  assert.equal(asked, 2, "once to see that it is one, once to connect");
});

test("a password from a function is requested at each connect and not kept", () => {
  let asked = 0;
  const platform = new ThingsPanelPlatform(
    { profile: "v0", username: "u", clientId: "c", brokerHost: "h", password: () => `p${++asked}` },
    new NodeCrypto(),
  );
  assert.deepEqual([platform.identity().password, platform.identity().password], ["p1", "p2"]);
});

test("a topic that is made of the access token is not shown", () => {
  const platform = new ThingsPanelPlatform(
    { profile: "v0", username: "t0ken", clientId: "c", brokerHost: "h" },
    new NodeCrypto(),
  );
  const session = new MqttSession({
    identity: () => platform.identity(),
    subscriptions: platform.subscriptions,
    random: () => 0.5,
  });
  session.start(0);
  session.opened(1);
  feed(session, Uint8Array.of(0x20, 2, 0, 0), 2);
  const refused = feed(session, Uint8Array.of(0x90, 3, 0, 1, 0x80), 3);
  assert.deepEqual(refused[0], {
    type: "warning",
    message: "the broker refused the subscription to ota/device/inform/*: check the device's permissions",
  });
});
