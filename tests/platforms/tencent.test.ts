import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { JSON_DEPTH, MESSAGE_MAX, URL_MAX } from "../../src/constants";
import type { Cause } from "../../src/job/types";
import { passwordOf, secretKey, usernameOf } from "../../src/platforms/tencent/auth";
import { TencentPlatform, defaultBroker } from "../../src/platforms/tencent/dialect";
import type { TencentConfig } from "../../src/platforms/tencent/dialect";

const crypto = new NodeCrypto();
const CONFIG: TencentConfig = {
  productId: "A1B2C3D4E5",
  deviceName: "ota-bench-01",
  authMode: "KEY",
  deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==",
};
const UPDATE = "$ota/update/A1B2C3D4E5/ota-bench-01";
const REPORT = "$ota/report/A1B2C3D4E5/ota-bench-01";
const platform = (config: Partial<TencentConfig> = {}) => new TencentPlatform({ ...CONFIG, ...config }, crypto);
const parse = (message: unknown) =>
  platform().parse(UPDATE, Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));

/* ---- credentials ---- */

test("the four password vectors, made with other tools", () => {
  const key = secretKey("3ZxkQmVyVGVzdFZlY3Rvcg==");
  const first = usernameOf("A1B2C3D4E5ota-bench-01", "12010126", "a1B2c", 2147483647);
  assert.equal(first, "A1B2C3D4E5ota-bench-01;12010126;a1B2c;2147483647");
  assert.equal(
    passwordOf(crypto, "SHA256", key, first),
    "2a3716c8df627ea26ba8882e49dbc195b70ad555edc214cef7f1fe831206c7b4;hmacsha256",
  );
  assert.equal(passwordOf(crypto, "SHA1", key, first), "08075dca5e0bbdb2bde7f3a27a89f956ee54d396;hmacsha1");
  const second = usernameOf("A1B2C3D4E5ota-bench-01", "21010406", "Zz9Yy", 1767225600);
  assert.equal(
    passwordOf(crypto, "SHA256", key, second),
    "c147be9135d3b7556741a89b806fe44d5927b91c448d315873b5131fe6d2d3ee;hmacsha256",
  );
  assert.equal(passwordOf(crypto, "SHA1", key, second), "bd6d7a1f2da3a5828d282121d7e70390d16ac6e4;hmacsha1");
});

test("KEY: user name with a new connection id each time, password over that very name", () => {
  const one = platform();
  const seen = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const { clientId, username, password, keepAlive } = one.identity();
    assert.equal(clientId, "A1B2C3D4E5ota-bench-01");
    assert.equal(keepAlive, 60);
    const [, connection] = /^A1B2C3D4E5ota-bench-01;21010406;([A-Za-z0-9]{5});2147483647$/.exec(username!)!;
    seen.add(connection!);
    assert.equal(password, passwordOf(crypto, "SHA256", secretKey(CONFIG.deviceSecret), username!));
  }
  assert.ok(seen.size > 90);
});

test("SHA-1, another sdkAppId and another keep-alive on request", () => {
  const { username, password, keepAlive } = platform({ hmac: "SHA1", sdkAppId: "12010126", keepAlive: 240 }).identity();
  assert.match(username!, /^A1B2C3D4E5ota-bench-01;12010126;/);
  assert.match(password!, /^[0-9a-f]{40};hmacsha1$/);
  assert.equal(keepAlive, 240);
});

test("CERT: the same user name and no password, no secret needed", () => {
  const { deviceSecret: _, ...rest } = CONFIG;
  const identity = new TencentPlatform({ ...rest, authMode: "CERT" }, crypto).identity();
  assert.match(identity.username!, /^A1B2C3D4E5ota-bench-01;21010406;[A-Za-z0-9]{5};2147483647$/);
  assert.equal("password" in identity, false);
});

test("the largest random number still gives a connection id", () => {
  const identity = new TencentPlatform(CONFIG, new NodeCrypto(() => 1 - Number.EPSILON)).identity();
  assert.match(identity.username!, /;99999;/);
});

test("a configuration that can not work is refused by the name of the setting, the secret never shown", () => {
  const cases: [Partial<TencentConfig>, RegExp][] = [
    [{ productId: "" }, /^productId: missing$/],
    [{ deviceName: undefined as unknown as string }, /^deviceName: missing$/],
    [{ deviceName: "a/b" }, /^deviceName: has a character/],
    [{ deviceName: "a;b" }, /^deviceName: has a character/],
    [{ authMode: "PSK" as "KEY" }, /^authMode: /],
    [{ hmac: "MD5" as "SHA1" }, /^hmac: /],
    [{ keepAlive: 901 }, /^keepAlive: .* 0 to 900$/],
    [{ keepAlive: 1.5 }, /^keepAlive: /],
    [{ deviceSecret: "" }, /^deviceSecret: needed in KEY mode$/],
    [{ deviceSecret: "sEcReT!!" }, /^deviceSecret: base64: character 7 /],
  ];
  for (const [config, message] of cases) {
    assert.throws(
      () => platform(config),
      (error: Error) => message.test(error.message) && !error.message.includes("sEcReT"),
      JSON.stringify(config),
    );
  }
  platform({ keepAlive: 0 });
  platform({ keepAlive: 900 });
});

test("the broker's default address", () => {
  assert.deepEqual(defaultBroker("A1B2C3D4E5"), { host: "A1B2C3D4E5.iotcloud.tencentdevices.com", port: 8883 });
});

test("what the core goes by", () => {
  const { name, subscriptions, rules } = platform();
  assert.ok(name.length <= 15);
  assert.deepEqual(subscriptions, [UPDATE]);
  assert.deepEqual(rules, { versionReport: true, versionWhileBusy: true, renewable: true, resumeDelay: 30_000 });
});

/* ---- reports ---- */

test("reports, byte for byte", () => {
  const task = { version: "0.2" };
  const encode = (report: Parameters<TencentPlatform["encode"]>[0]) => platform().encode(report);
  assert.deepEqual(encode({ kind: "version", version: "0.1" }), {
    topic: REPORT,
    qos: 1,
    payload: '{"type":"report_version","report":{"version":"0.1"}}',
  });
  assert.deepEqual(encode({ kind: "progress", task, percent: 10 }), {
    topic: REPORT,
    qos: 0,
    payload:
      '{"type":"report_progress","report":{"progress":{"state":"downloading","percent":"10","result_code":"0","result_msg":""},"version":"0.2"}}',
  });
  assert.deepEqual(encode({ kind: "burning", task }), {
    topic: REPORT,
    qos: 1,
    payload:
      '{"type":"report_progress","report":{"progress":{"state":"burning","result_code":"0","result_msg":""},"version":"0.2"}}',
  });
  assert.deepEqual(encode({ kind: "outcome", task, outcome: { kind: "done" } }), {
    topic: REPORT,
    qos: 1,
    payload:
      '{"type":"report_progress","report":{"progress":{"state":"done","result_code":"0","result_msg":""},"version":"0.2"}}',
  });
  assert.deepEqual(
    encode({ kind: "outcome", task, outcome: { kind: "fail", cause: "download-timeout", message: "time_out" } }),
    {
      topic: REPORT,
      qos: 1,
      payload:
        '{"type":"report_progress","report":{"progress":{"state":"fail","result_code":"-1","result_msg":"time_out"},"version":"0.2"}}',
    },
  );
});

test("each cause has its result code", () => {
  const codes: { [cause in Cause]: string } = {
    "download-timeout": "-1",
    "not-found": "-2",
    "url-expired": "-3",
    "digest-mismatch": "-4",
    download: "-5",
    rejected: "-5",
    flash: "-5",
    "rolled-back": "-5",
    signature: "-5",
  };
  for (const [cause, code] of Object.entries(codes)) {
    const { payload } = platform().encode({
      kind: "outcome",
      task: { version: "1" },
      outcome: { kind: "fail", cause: cause as Cause, message: "why" },
    });
    assert.equal(JSON.parse(payload).report.progress.result_code, code, cause);
  }
});

test("messages are cut to their limit between characters, versions are quoted", () => {
  const { payload } = platform().encode({
    kind: "outcome",
    task: { version: '1"\\\n' },
    outcome: { kind: "fail", cause: "flash", message: "错".repeat(100) },
  });
  const { report } = JSON.parse(payload);
  assert.equal(report.progress.result_msg, "错".repeat(Math.floor(MESSAGE_MAX / 3)));
  assert.equal(report.version, '1"\\\n');
});

/* ---- what the cloud sends ---- */

const URL =
  "https://ota-1255858890.cos.ap-guangzhou.myqcloud.com/100012619289_AP9ZLEVFKT_0.0.2?sign=q-sign-algorithm%3Dsha1%26q-sign-time%3D1603246098%3B1603332498%26q-signature%3D36eb%00";
const OFFER = {
  file_size: 708482,
  md5sum: "36eb5951179db14a631463a37a9322a2",
  type: "update_firmware",
  url: URL,
  version: "0.2",
};

test("an offer as the documentation has it", () => {
  assert.deepEqual(parse(OFFER), {
    kind: "offer",
    offer: { version: "0.2", size: 708482, url: URL, digest: { algorithm: "MD5", hex: OFFER.md5sum } },
  });
});

test("what is tolerated: upper-case digest, size as a string, http, unknown fields, the longest version and url", () => {
  const longest = "https://h/" + "a".repeat(URL_MAX - 10);
  const tolerated: [object, object][] = [
    [{ md5sum: OFFER.md5sum.toUpperCase() }, { digest: { algorithm: "MD5", hex: OFFER.md5sum } }],
    [{ file_size: "708482" }, { size: 708482 }],
    [{ file_size: Number.MAX_SAFE_INTEGER }, { size: Number.MAX_SAFE_INTEGER }],
    [{ url: "http://127.0.0.1:8080/fw" }, { url: "http://127.0.0.1:8080/fw" }],
    [{ url: "HTTPS://[::1]/fw" }, { url: "HTTPS://[::1]/fw" }],
    [{ url: longest }, { url: longest }],
    [{ fw_type: "mcu", nested: { deep: [1] } }, {}],
    [{ version: "v".repeat(32) }, { version: "v".repeat(32) }],
  ];
  const { offer } = parse(OFFER) as { offer: object };
  for (const [change, expected] of tolerated)
    assert.deepEqual(
      parse({ ...OFFER, ...change }),
      { kind: "offer", offer: { ...offer, ...expected } },
      JSON.stringify(change).slice(0, 80),
    );
});

test("an offer that names its version but has another field missing or wrong is answered, by the field's name", () => {
  const cases: [object, RegExp][] = [
    [{ url: undefined }, /url: missing/],
    [{ url: "" }, /url: missing/],
    [{ url: 5 }, /url: missing/],
    [{ url: "ftp://host/a" }, /url: not an http or https URL/],
    [{ url: "https://" }, /url: not an http/],
    [{ url: "https:///path" }, /url: not an http/],
    [{ url: "/relative" }, /url: not an http/],
    [{ url: "http://host/a b" }, /url: has a space/],
    [{ url: "http://host/a\r\nX: y" }, /url: has a space/],
    [{ url: "https://h/" + "a".repeat(URL_MAX - 9) }, /url: longer than 2048 bytes/],
    [{ url: "https://h/" + "错".repeat(URL_MAX / 3) }, /url: longer/],
    [{ md5sum: undefined }, /md5sum: not 32 hex digits/],
    [{ md5sum: "36eb" }, /md5sum/],
    [{ md5sum: OFFER.md5sum.slice(1) + "g" }, /md5sum/],
    [{ md5sum: "36eb5951179db14a63****a37a9322a2" }, /md5sum/],
    [{ file_size: undefined }, /file_size: not a whole number above 0/],
    [{ file_size: null }, /file_size/],
    [{ file_size: 0 }, /file_size/],
    [{ file_size: "0" }, /file_size/],
    [{ file_size: -1 }, /file_size/],
    [{ file_size: 1.5 }, /file_size/],
    [{ file_size: "12a" }, /file_size/],
    [{ file_size: 2 ** 54 }, /file_size/],
    [{ file_size: [1] }, /file_size/],
  ];
  for (const [change, reason] of cases) {
    const incoming = parse({ ...OFFER, ...change });
    assert.ok(incoming.kind === "refused", JSON.stringify(change));
    assert.deepEqual(incoming.task, { version: "0.2" });
    assert.ok(incoming.outcome.kind === "fail" && incoming.outcome.cause === "rejected");
    assert.match(incoming.outcome.message, reason);
    assert.ok(Buffer.byteLength(incoming.outcome.message) <= MESSAGE_MAX);
    const { payload } = platform().encode({ kind: "outcome", task: incoming.task, outcome: incoming.outcome });
    assert.equal(JSON.parse(payload).report.progress.result_code, "-5");
  }
});

test("what can not be answered is ignored, with a reason", () => {
  const cases: [unknown, RegExp][] = [
    [{ ...OFFER, version: undefined }, /without a version/],
    [{ ...OFFER, version: "" }, /without a version/],
    [{ ...OFFER, version: 2 }, /without a version/],
    [{ ...OFFER, version: "v".repeat(33) }, /without a version/],
    [{ ...OFFER, type: "update_resource" }, /another type/],
    [{ ...OFFER, type: undefined }, /another type/],
    [[OFFER], /not a JSON object/],
    ["null", /not a JSON object/],
    ["", /not JSON/],
    ["{", /not JSON/],
    ["[".repeat(JSON_DEPTH + 1), /nested deeper than 16/],
  ];
  for (const [message, reason] of cases) {
    const incoming = parse(message);
    assert.ok(incoming.kind === "ignored", JSON.stringify(message));
    assert.match(incoming.reason, reason);
  }
  const elsewhere = platform().parse("$ota/update/A1B2C3D4E5/other", Buffer.from(JSON.stringify(OFFER)));
  assert.deepEqual(elsewhere, { kind: "ignored", reason: "another topic" });
});

test("the answer to a version report", () => {
  assert.deepEqual(parse({ result_code: 0, result_msg: "success", type: "report_version_rsp", version: "0.1.0" }), {
    kind: "version-answer",
    accepted: true,
    message: "success",
  });
  assert.deepEqual(parse({ result_code: "0", type: "report_version_rsp" }), {
    kind: "version-answer",
    accepted: true,
    message: "result_code 0",
  });
  assert.deepEqual(parse({ result_code: -1, result_msg: "unknown device", type: "report_version_rsp" }), {
    kind: "version-answer",
    accepted: false,
    message: "unknown device",
  });
  assert.deepEqual(parse({ type: "report_version_rsp" }), {
    kind: "version-answer",
    accepted: false,
    message: "result_code missing",
  });
  const long = parse({ result_code: 1, result_msg: "x".repeat(5000), type: "report_version_rsp" });
  assert.ok(long.kind === "version-answer" && long.message.length === MESSAGE_MAX);
});

test("whatever arrives, parse returns", () => {
  const one = platform();
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom(...Object.values(OFFER), "report_version_rsp"));
  const message = fc.dictionary(
    fc.constantFrom("type", "version", "url", "md5sum", "file_size", "result_code", "result_msg", "__proto__"),
    field,
  );
  const bytes = fc.oneof(
    fc.uint8Array(),
    message.map((value) => new TextEncoder().encode(JSON.stringify(value))),
  );
  fc.assert(
    fc.property(fc.constantFrom(UPDATE, REPORT, ""), bytes, (topic, payload) => {
      assert.ok(["offer", "refused", "version-answer", "ignored"].includes(one.parse(topic, payload).kind));
    }),
    { numRuns: 2000 },
  );
});
