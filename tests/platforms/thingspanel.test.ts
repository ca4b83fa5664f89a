import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { MESSAGE_MAX, URL_MAX } from "../../src/constants";
import type { Cause, Offer } from "../../src/job/types";
import { MqttSession } from "../../src/mqtt/session";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import type { ThingsPanelConfig } from "../../src/platforms/thingspanel/dialect";
import { feed } from "../mqtt/feed";

const crypto = new NodeCrypto();
const CONFIG: ThingsPanelConfig = {
  profile: "v0",
  brokerHost: "broker.example",
  username: "token-123",
  clientId: "dev-1",
  deviceNumber: "dev-1",
  module: "MCU",
};
const platform = (config: Partial<ThingsPanelConfig> = {}) => new ThingsPanelPlatform({ ...CONFIG, ...config }, crypto);

const MD5 = "0123456789abcdef0123456789abcdef";
const SHA256 = MD5 + MD5;
const PARAMS = {
  version: "v1.1",
  size: 432945,
  url: "http://files.example/s121jg3245gg.bin",
  signMethod: "SHA256",
  sign: SHA256,
  module: "MCU",
  extData: {},
};
const TASK = { id: "147258369", code: 200, params: PARAMS };

function parse(message: unknown, config: Partial<ThingsPanelConfig> = {}) {
  const dialect = platform(config);
  return dialect.parse(
    dialect.subscriptions[0]!,
    Buffer.from(typeof message === "string" ? message : JSON.stringify(message)),
  );
}
/** The offer that the documented task makes with some of its params changed; undefined takes one away. */
function offer(params: object = {}, config: Partial<ThingsPanelConfig> = {}): Offer {
  const incoming = parse({ ...TASK, params: { ...PARAMS, ...params } }, config);
  assert.equal(incoming.kind, "offer", JSON.stringify(incoming));
  return (incoming as { offer: Offer }).offer;
}
/** What the cloud is told of a task that can not be carried out. */
function refusal(
  message: unknown,
  config: Partial<ThingsPanelConfig> = {},
): { step: string; desc: string; module?: string } {
  const incoming = parse(message, config);
  assert.equal(incoming.kind, "refused", JSON.stringify(incoming));
  const { task, outcome } = incoming as Extract<typeof incoming, { kind: "refused" }>;
  return JSON.parse(platform(config).encode({ kind: "outcome", task, outcome })!.payload);
}

/* ---- the rows of the comparison of the manual with the servers' code; those about the job and the download have tests of their own ---- */

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
    if (last.type === "down")
      assert.equal(last.reason, "the broker refused every subscription: no offer could ever arrive");
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

test("row 9, module: absent, null, empty, default and the device's own name mean the firmware; others are parts", () => {
  for (const module of ["MCU", "default", "", null, undefined]) assert.equal("part" in offer({ module }), false);
  for (const module of ["assets", "mcu", "Default", "MCU "]) assert.equal(offer({ module }).component, module);
  assert.equal(offer({ module: "MCU" }, { module: "default" }).component, "MCU");
});

test("row 10, step: text, 1 to 99 while under way, 100 at the end, and never 0", () => {
  const task = { version: "v1.1", module: "MCU" };
  const step = (percent: number) =>
    (JSON.parse(platform().encode({ kind: "progress", task, percent })!.payload) as { step: unknown }).step;
  assert.deepEqual([0, 0.4, 1, 37, 99, 100].map(step), ["1", "1", "1", "37", "99", "99"]);
  assert.deepEqual(JSON.parse(platform().encode({ kind: "burning", task })!.payload), {
    step: "99",
    desc: "downloaded and verified, about to restart",
    module: "MCU",
  });
});

test("row 13, no pull: only v0 has a version report, and none asks for a URL", () => {
  assert.deepEqual(platform().rules, {
    versionReport: true,
    versionWhileBusy: false,
    renewable: false,
    resumeDelay: 0,
  });
  assert.deepEqual(platform({ profile: "v1" }).rules, { ...platform().rules, versionReport: false });
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

/* ---- messages as they really look ---- */

test("the message of a v1 server: every number a text, no size, no sign, no module", () => {
  const message =
    '{"code":"200","id":"583920174","params":{"extData":{},"module":null,"sign":"","signMethod":"SHA256","size":"0",' +
    '"url":"http://files.example:8080/api/v1/ota/download/files/upgradePackage/2026-08-05/0123456789abcdef0123456789abcdef.bin","version":"v1.1"}}';
  assert.deepEqual(parse(message, { profile: "v1" }), {
    kind: "offer",
    offer: {
      version: "v1.1",
      size: 0,
      url: "http://files.example:8080/api/v1/ota/download/files/upgradePackage/2026-08-05/0123456789abcdef0123456789abcdef.bin",
    },
  });
});

test("the message of a v0 server: a SHA-256 that is called Md5", () => {
  const message = `{"code":"200","id":"5","params":{"extData":{"k":"v"},"module":"MCU","sign":"${SHA256}","signMethod":"Md5","size":708482,"url":"http://files.example/f.bin","version":"v2"}}`;
  assert.deepEqual(parse(message), {
    kind: "offer",
    offer: {
      version: "v2",
      module: "MCU",
      size: 708482,
      url: "http://files.example/f.bin",
      digest: { algorithm: "SHA256", hex: SHA256 },
    },
  });
});

/* ---- URLs ---- */

test("a URL is passed on verbatim", () => {
  const url = "http://files.example:8080/a%2Fb/%00?x=%26&y=a+b";
  assert.equal(offer({ url }).url, url);
});

test("a relative URL goes behind httpBase, or is refused with advice", () => {
  const url = "/api/v1/ota/download/files/a.bin";
  for (const httpBase of ["http://files.example:9999", "http://files.example:9999/"])
    for (const given of [url, `.${url}`, url.slice(1)])
      assert.equal(offer({ url: given }, { httpBase }).url, `http://files.example:9999${url}`);
  assert.equal(offer({ url }, { httpBase: "https://files.example/prefix/" }).url, `https://files.example/prefix${url}`);
  const { step, desc } = refusal({ ...TASK, params: { ...PARAMS, url } });
  assert.deepEqual(
    [step, desc],
    ["-1", "bad offer, url: relative; set ota.download_address on the server, or httpBase here"],
  );
});

test("a loopback URL is the device itself, unless the broker is there too", () => {
  for (const host of [
    "127.0.0.1:8080",
    "127.1.2.3",
    "localhost",
    "LOCALHOST.",
    "files.localhost",
    "[::1]:8080",
    "0.0.0.0",
    "[::ffff:127.0.0.1]",
  ]) {
    const url = `http://${host}/a.bin`;
    const { step, desc } = refusal({ ...TASK, params: { ...PARAMS, url } });
    assert.equal(step, "-1");
    assert.match(desc, /^bad offer, url: .* is the device itself; set ota\.download_address on the server$/);
    for (const brokerHost of ["127.0.0.1", "localhost", "::1"]) assert.equal(offer({ url }, { brokerHost }).url, url);
  }
  for (const host of ["127.example", "localhost.example", "10.0.0.1", "mylocalhost", "[fe80::1]"])
    assert.equal(offer({ url: `http://${host}/a` }).url, `http://${host}/a`);
});

test("a URL that can not be used is refused", () => {
  for (const url of [
    "",
    "ftp://files.example/a",
    "http://",
    "http://127.0.0.1:8080 /a.bin",
    "http://a b/",
    `http://files.example/${"a".repeat(URL_MAX)}`,
    null,
    5,
    undefined,
  ])
    assert.match(refusal({ ...TASK, params: { ...PARAMS, url } }).desc, /^bad offer, url: /);
});

/* ---- tasks and what is none ---- */

test("what names neither version nor URL is no task: a server of 1.x crashes on a report that no task waits for", () => {
  for (const message of [
    "",
    "null",
    "[]",
    "5",
    "{}",
    '{"params":null}',
    '{"params":[]}',
    '{"code":500,"params":{}}',
    { ...TASK, params: { module: "MCU" } },
    "{",
    "\xff",
    "[".repeat(100),
  ])
    assert.equal(parse(message).kind, "ignored");
});

test("a task whose version is missing or too long is refused", () => {
  for (const version of [undefined, "", null, 5, "v".repeat(37)])
    assert.match(refusal({ ...TASK, params: { ...PARAMS, version } }).desc, /^bad offer, version: /);
  assert.equal(offer({ version: "v".repeat(36) }).version.length, 36);
});

test("each cause has its step", () => {
  const steps: { [cause in Cause]: string } = {
    "download-timeout": "-2",
    "not-found": "-2",
    "url-expired": "-2",
    download: "-2",
    "digest-mismatch": "-3",
    flash: "-4",
    rejected: "-1",
    signature: "-3",
    "rolled-back": "-1",
  };
  for (const [cause, step] of Object.entries(steps)) {
    const message = platform().encode({
      kind: "outcome",
      task: { version: "2", module: "MCU" },
      outcome: { kind: "fail", cause: cause as Cause, message: "why" },
    })!;
    assert.equal(message.payload, `{"step":"${step}","desc":"why","module":"MCU"}`);
    assert.equal(message.qos, 1);
  }
});

test("a description has at most 128 bytes, whole characters", () => {
  const message = platform().encode({
    kind: "outcome",
    task: { version: "2" },
    outcome: { kind: "fail", cause: "flash", message: "验".repeat(100) },
  })!;
  const { desc } = JSON.parse(message.payload) as { desc: string };
  assert.equal(desc, "验".repeat(42));
  assert.ok(Buffer.byteLength(desc) <= MESSAGE_MAX);
});

test("reports that must arrive are at QoS 1, the others at QoS 0", () => {
  const task = { version: "2" };
  const qos = (report: Parameters<ThingsPanelPlatform["encode"]>[0]) => platform().encode(report)!.qos;
  assert.deepEqual(
    [
      qos({ kind: "version", version: "1" }),
      qos({ kind: "progress", task, percent: 9 }),
      qos({ kind: "burning", task }),
      qos({ kind: "outcome", task, outcome: { kind: "done" } }),
    ],
    [1, 0, 1, 1],
  );
});

test("parse never throws, and what it makes of arbitrary params can be reported", () => {
  const keys = ["version", "size", "url", "signMethod", "sign", "module", "extData"];
  const message = fc.record({
    code: fc.oneof(fc.constant(200), fc.anything()),
    id: fc.anything(),
    params: fc.dictionary(
      fc.constantFrom(...keys),
      fc.oneof(fc.jsonValue(), fc.constantFrom(MD5, SHA256, "/a", "MCU")),
    ),
  });
  fc.assert(
    fc.property(message, (value) => {
      const text = JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? Number(item) : item)) ?? "";
      const incoming = parse(text);
      if (incoming.kind !== "refused" && incoming.kind !== "offer") return;
      const task = incoming.kind === "offer" ? incoming.offer : incoming.task;
      const { payload } = platform().encode({ kind: "progress", task, percent: 50 })!;
      assert.ok(payload.length < 1_000 && typeof JSON.parse(payload) === "object");
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      (bytes) => void platform().parse("ota/device/inform/token-123", bytes),
    ),
    { numRuns: 300 },
  );
});

/* ---- connection and settings ---- */

test("a device whose voucher is the token alone sends no password", () => {
  assert.deepEqual(platform().identity(), { clientId: "dev-1", username: "token-123", keepAlive: 60 });
  assert.deepEqual(platform({ password: "" }).identity(), { clientId: "dev-1", username: "token-123", keepAlive: 60 });
  assert.deepEqual(platform({ password: "s3cr3t7", keepAlive: 300 }).identity(), {
    clientId: "dev-1",
    username: "token-123",
    password: "s3cr3t7",
    keepAlive: 300,
  });
});

test("a configuration that can not work is refused by the name of the setting", () => {
  const cases: [Partial<ThingsPanelConfig>, RegExp][] = [
    [{ profile: "v2" as "v1" }, /^profile: "v0" or "v1"$/],
    [{ username: "" }, /^username: missing$/],
    [{ username: "a/b" }, /^username: has a character/],
    [{ deviceNumber: "+" }, /^deviceNumber: has a character/],
    [{ clientId: "" }, /^clientId: missing$/],
    [{ module: "" }, /^module: missing$/],
    [{ httpBase: "files.example" }, /^httpBase: /],
    [{ keepAlive: 301 }, /^keepAlive: .* 1 to 300$/],
  ];
  for (const [config, message] of cases)
    assert.throws(
      () => platform(config),
      (error: Error) => message.test(error.message),
      JSON.stringify(config),
    );
});
