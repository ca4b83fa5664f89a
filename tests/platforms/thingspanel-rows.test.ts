/**
 * The rows of docs/PLATFORMS.md where manual, servers and forks of ThingsPanel disagree. Those about job and download
 * have files of their own.
 */
import assert from "node:assert/strict";
import { feed } from "../mqtt/feed";
import { test } from "node:test";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { MqttSession } from "../../src/mqtt/session";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import { CONFIG, MD5, PARAMS, SHA256, TASK, crypto, offer, parse, platform, refusal } from "./thingspanel";

test("row 1, topics: each profile has its own, and reports go nowhere else", () => {
  const task = { version: "v1.1" };
  assert.deepEqual(platform().subscriptions, ["ota/device/inform/token-123"]);
  assert.equal(platform().encode({ kind: "progress", task, percent: 5 })!.topic, "ota/device/progress");
  assert.equal(platform().encode({ kind: "version", version: "v1.0" })!.topic, "ota/device/inform");
  const v1 = platform({ profile: "v1" });
  assert.equal(v1.encode({ kind: "progress", task, percent: 5 })!.topic, "ota/devices/progress");
  for (const dialect of [platform(), v1])
    assert.equal(dialect.parse("ota/device/inform/somebody-else", Buffer.from(JSON.stringify(TASK))).kind, "ignored");
});

test("row 1, topics: v0 behind VerneMQ listens below the progress topic", () => {
  const dialect = platform({ progressTopic: "ota/device/progress/token-123" });
  assert.equal(dialect.encode({ kind: "burning", task: { version: "2" } })!.topic, "ota/device/progress/token-123");
});

test("row 2, inform and infrom: v1 listens at both", () => {
  const v1 = platform({ profile: "v1" });
  assert.deepEqual(v1.subscriptions, ["ota/devices/inform/dev-1", "ota/devices/infrom/dev-1"]);
  for (const topic of v1.subscriptions) assert.equal(v1.parse(topic, Buffer.from(JSON.stringify(TASK))).kind, "offer");
});

test("row 2, inform and infrom: each in a SUBSCRIBE of its own; one refusal is a warning, two end the connection with a reason", () => {
  for (const [codes, end] of [
    [[1, 0x80], "up"],
    [[0x80, 1], "up"],
    [[0x80, 0x80], "down"],
  ] as const) {
    const v1 = platform({ profile: "v1" });
    const session = new MqttSession({
      identity: () => v1.identity(),
      subscriptions: v1.subscriptions,
      random: () => 0.5,
    });
    session.start(0);
    session.opened(0);
    const sent = feed(session, Uint8Array.of(0x20, 2, 0, 0), 0).flatMap((effect) =>
      effect.type === "send" ? [effect.bytes] : [],
    );
    assert.deepEqual(
      sent.map((bytes) => bytes[0]),
      [0x82, 0x82],
    );
    const effects = sent.flatMap((bytes, index) =>
      feed(session, Uint8Array.of(0x90, 3, bytes[2]!, bytes[3]!, codes[index]!), 0),
    );
    assert.equal(effects.filter(({ type }) => type === "warning").length, codes.filter((code) => code === 0x80).length);
    const last = effects.at(-1)!;
    assert.equal(last.type, end);
    if (last.type === "down") assert.match(last.reason, /^SUBACK refused for \S+: no offer could ever arrive$/);
  }
});

test("row 3, access token and device number: the number is the user name unless it is set", () => {
  const { deviceNumber: _, ...config } = CONFIG;
  assert.equal(
    new ThingsPanelPlatform({ ...config, profile: "v1" }, crypto).subscriptions[0],
    "ota/devices/inform/token-123",
  );
  assert.equal(platform({ profile: "v0", deviceNumber: "other" }).subscriptions[0], "ota/device/inform/token-123");
});

test("row 4, duplicates: the id of a push makes no difference", () => {
  assert.deepEqual(parse({ ...TASK, id: "1" }), parse({ ...TASK, id: "2" }));
});

test("row 5, id: text, number, null or none; ours has 10 digits and is text", () => {
  for (const id of ["147258369", 147258369, null, undefined, { a: 1 }])
    assert.equal(parse({ ...TASK, id }).kind, "offer");
  for (const random of [() => 0, Math.random, () => 1 - Number.EPSILON]) {
    const dialect = new ThingsPanelPlatform(CONFIG, new NodeCrypto(random));
    assert.match(
      dialect.encode({ kind: "version", version: "v1.0" })!.payload,
      /^\{"id":"[1-9][0-9]{9}","params":\{"version":"v1\.0","module":"MCU"\}\}$/,
    );
  }
});

test("row 6, code: 200 as number and as text; anything else is refused with -1", () => {
  for (const code of [200, "200"]) assert.equal(parse({ ...TASK, code }).kind, "offer");
  for (const code of [500, "500", "0200", 0, null, undefined, true, {}]) {
    const { step, desc, module } = refusal({ ...TASK, code });
    assert.deepEqual([step, module], ["-1", "MCU"]);
    assert.match(desc, /^bad offer, code: /);
  }
});

test("row 7, size: number or decimal text; nothing, zero and what is no whole number mean unknown", () => {
  for (const size of [432945, "432945"]) assert.equal(offer({ size }).size, 432945);
  for (const size of [
    0,
    "0",
    -1,
    "-1",
    1.5,
    "1.5",
    "",
    "12 KB",
    "1e3",
    null,
    undefined,
    true,
    {},
    1e300,
    "99999999999999999999",
  ])
    assert.equal(offer({ size }).size, 0, String(size));
});

test("row 8, sign: its length tells the digest, whatever signMethod says; case does not matter", () => {
  for (const signMethod of ["MD5", "Md5", "md5", "SHA256", "SHA-256", "whatever", null, undefined, 5]) {
    assert.deepEqual(offer({ sign: MD5, signMethod }).digest, { algorithm: "MD5", hex: MD5 });
    assert.deepEqual(offer({ sign: SHA256.toUpperCase(), signMethod }).digest, { algorithm: "SHA256", hex: SHA256 });
  }
});

test("row 8, sign: empty, null and none are an offer without a digest; what is no digest is refused", () => {
  for (const sign of ["", null, undefined, 7]) assert.equal("digest" in offer({ sign }), false);
  for (const sign of ["a243fgh4b9v", MD5.slice(1), `${MD5}0`, "g".repeat(32), ` ${MD5}`]) {
    const { step, desc } = refusal({ ...TASK, params: { ...PARAMS, sign } });
    assert.deepEqual([step, desc], ["-1", "bad offer, sign: neither 32 hex digits (MD5) nor 64 (SHA-256)"]);
  }
});

test("row 9, module: echoed exactly as received, and absent where it was", () => {
  const echoed = (given: object) => {
    const payload = platform().encode({ kind: "outcome", task: offer(given), outcome: { kind: "done" } })!.payload;
    return JSON.parse(payload) as object;
  };
  for (const module of ["MCU", "mcu", "default", "", "主控", ' a"b '])
    assert.deepEqual(echoed({ module }), { step: "100", desc: "v1.1 installed", module });
  for (const module of [null, undefined, 5])
    assert.deepEqual(echoed({ module }), { step: "100", desc: "v1.1 installed" });
});

test("row 9, module: absent, null, empty, default and the device's own name mean the firmware; others are components", () => {
  for (const module of ["MCU", "default", "", null, undefined]) assert.equal("component" in offer({ module }), false);
  for (const module of ["assets", "mcu", "Default", "MCU "]) assert.equal(offer({ module }).component, module);
  assert.equal(offer({ module: "MCU" }, { module: "default" }).component, "MCU");
});

test("row 10, step: text, 1 to 99 while under way, 100 at the end, and never 0", () => {
  const task = { version: "v1.1", module: "MCU" };
  const step = (percent: number) =>
    (JSON.parse(platform().encode({ kind: "progress", task, percent })!.payload) as { step: unknown }).step;
  assert.deepEqual([0, 0.4, 1, 37, 99, 100].map(step), ["1", "1", "1", "37", "99", "99"]);
  const note = "asleep for 900 s";
  assert.deepEqual(JSON.parse(platform().encode({ kind: "progress", task, percent: 5, note })!.payload), {
    step: "5",
    desc: note,
    module: "MCU",
  });
  assert.deepEqual(JSON.parse(platform().encode({ kind: "burning", task })!.payload), {
    step: "99",
    desc: "downloaded and verified, about to restart",
    module: "MCU",
  });
});

test("row 13, no pull: only v0 has a version report, and none asks for a URL", () => {
  assert.deepEqual(platform().rules, {
    versionReport: true,
    proof: "burning",
    versionAfterOutcome: 1_000,
    versionWhileBusy: false,
    renewable: false,
    resumeDelay: 0,
  });
  const { versionAfterOutcome: _, proof: __, ...rules } = platform().rules;
  assert.deepEqual(platform({ profile: "v1" }).rules, { ...rules, versionReport: false });
});

test("row 14, extData: an object, null or anything else, and keys that nobody knows", () => {
  const plain = offer();
  for (const extData of [{}, { key1: "value1", _package_udi: "{}" }, null, undefined, [], "x"])
    assert.deepEqual(offer({ extData, surprise: { a: [1] } }), plain);
});

test("row 15, version report: v1 has none", () => {
  assert.equal(platform({ profile: "v1" }).encode({ kind: "version", version: "v1.1" }), undefined);
  assert.equal(
    platform({ module: "default" }).encode({ kind: "version", version: "v1.1" })!.payload.slice(18),
    ',"params":{"version":"v1.1","module":"default"}}',
  );
});
