/** The settings of the firmware on a chip: the keys that it trusts, and secrets, which it reads at each connect. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import type { Policy } from "../../src/job/policy";
import type { BrokerPlatform } from "../../src/platforms/broker-platform";
import { readPublicKey } from "../../src/signature/keys";
import { makeKey } from "../signature/test-keys";
import { firmwareSettings } from "./firmware-settings";

const KEY = { platform: "tencent", productId: "P", deviceName: "d", deviceSecret: "c2VjcmV0LW9mLXRoaXMtdGVzdA==" };

test("signing keys: PEM or hex, one or several with commas between them; other products by permission", async (t) => {
  const readSettings = await firmwareSettings(t);
  const policy = (more: object): Partial<Policy> =>
    readSettings((key) => ({ ...KEY, ...more } as Record<string, string>)[key], new NodeCrypto()).policy;
  const [one, two] = [makeKey(), makeKey()];
  const hex = Buffer.from(two.point).toString("hex");
  assert.equal("signingKeys" in policy({}), false);
  assert.equal("signingKeys" in policy({ signingKeys: "" }), false);
  for (const text of [`${one.publicKey},${hex}`, `${one.publicKey.trim()} , ${hex}`]) {
    assert.deepEqual(policy({ signingKeys: text }).signingKeys?.map(readPublicKey), [one.point, two.point]);
  }
  assert.equal(policy({ allowForeign: "true" }).allowForeign, true);
  assert.throws(() => policy({ allowForeign: "maybe" }), /allowForeign: "true" or "false"/);
});

test("the secret is looked up at each connect and kept nowhere in between", async (t) => {
  const readSettings = await firmwareSettings(t);
  const asked: string[] = [];
  const values: Record<string, string> = { ...KEY };
  const { platform } = readSettings((key) => (asked.push(key), values[key]), new NodeCrypto());
  const times = (): number => asked.filter((key) => key === "deviceSecret").length;
  const before = times();
  const identity = () => (platform as BrokerPlatform).identity();
  const first = identity().password;
  assert.equal(times(), before + 1);
  values["deviceSecret"] = "YW5vdGhlcg==";
  assert.notEqual(identity().password, first);
  assert.ok(!JSON.stringify(platform).includes(KEY.deviceSecret));
});

test("a platform that is polled: no broker, numbers from text, and plain downloads as its address has it", async (t) => {
  const readSettings = await firmwareSettings(t);
  const stored: Record<string, string> = {
    platform: "static",
    manifest: "http://192.0.2.1/manifest.json",
    deviceId: "dev-1",
    pollSeconds: "600",
  };
  const read = (change: object = {}) =>
    readSettings((key) => ({ ...stored, ...change } as Record<string, string>)[key], new NodeCrypto());
  const { name, platform, broker, policy } = read();
  assert.deepEqual([name, platform.name, broker, policy.allowHttp], ["dev-1", "static", undefined, true]);
  assert.equal(read({ manifest: "https://files.example/manifest.json" }).policy.allowHttp, false);
  assert.throws(() => read({ manifest: "" }), { message: "manifest: is missing" });
  assert.throws(() => read({ pollSeconds: "5" }), { message: "pollSeconds: a whole number from 60 to 604800" });
});

test("recordings: off, and a topic that may be published to", async (t) => {
  const readSettings = await firmwareSettings(t);
  const read = (more: object) =>
    readSettings((key) => ({ ...KEY, ...more } as Record<string, string>)[key], new NodeCrypto());
  const { recorder, diagnosticsTopic } = read({ recorder: "false", diagTopic: "line/a" });
  assert.deepEqual([recorder, diagnosticsTopic], [false, "line/a"]);
  assert.ok(!("diagnosticsTopic" in read({ diagTopic: "" })));
  for (const diagTopic of ["line/+", "#"])
    assert.throws(() => read({ diagTopic }), { message: "diagTopic: a topic without + and #" });
});
