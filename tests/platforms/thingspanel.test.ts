/** The dialect of ThingsPanel: real messages, URLs, what is answered and what is not, identity and settings. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { MESSAGE_MAX, URL_MAX } from "../../src/constants";
import type { Cause } from "../../src/job/types";
import { ThingsPanelPlatform } from "../../src/platforms/thingspanel/dialect";
import type { ThingsPanelConfig } from "../../src/platforms/thingspanel/dialect";
import { MD5, PARAMS, SHA256, TASK, offer, parse, platform, refusal } from "./thingspanel";

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
    [{ brokerHost: "" }, /^brokerHost: missing$/],
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
