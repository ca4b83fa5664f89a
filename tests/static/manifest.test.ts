/** The platform `static`: what a manifest means for one device. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { POLL_BODY_MAX } from "../../src/constants";
import { CONFIG, MANIFEST, MD5, OTA, PREVIOUS, SHA256, platform, polled, wanted } from "./manifests";

const withOta = (change: object): object => ({
  ...MANIFEST,
  builds: [{ chipFamily: "ESP32-C3", ota: { ...OTA, ...change } }],
});

test("the build of the device's chip, its path beside the manifest, the stronger digest", () => {
  assert.deepEqual(polled(MANIFEST), {
    kind: "read",
    incoming: {
      kind: "offer",
      offer: {
        version: "0.2.0",
        size: 700_000,
        url: "http://files.example/fw/thermostat-0.2.0.bin",
        digest: { algorithm: "SHA256", hex: SHA256 },
      },
    },
  });
});

test("a manifest of ESPHome: no size, MD5 alone, other keys", () => {
  const manifest =
    '{"name":"My ESP","version":"2026.11.1","home_assistant_domain":"esphome","new_install_prompt_erase":false,"builds":' +
    `[{"chipFamily":"ESP32-C3","ota":{"path":"/fw.ota.bin","md5":"${MD5.toUpperCase()}","summary":"x","release_url":"https://e"}}]}`;
  const result = polled(manifest, { url: "https://esphome.example/a/b/manifest.json?x=1" });
  assert.deepEqual(result.kind === "read" && result.incoming, {
    kind: "offer",
    offer: {
      version: "2026.11.1",
      size: 0,
      url: "https://esphome.example/fw.ota.bin",
      digest: { algorithm: "MD5", hex: MD5 },
    },
  });
});

test("paths are resolved against what answered, after redirects; an absolute URL is taken as it is", () => {
  const urls = ["a.bin", "../a.bin", "/a.bin", "//other.example/a.bin", "https://other.example/a.bin?b=c"].map(
    (path) => {
      const result = polled(withOta({ path }), { url: "http://cdn.example/x/y/manifest.json?sig=1" });
      return result.kind === "read" && result.incoming.kind === "offer" ? result.incoming.offer.url : "";
    },
  );
  assert.deepEqual(urls, [
    "http://cdn.example/x/y/a.bin",
    "http://cdn.example/x/a.bin",
    "http://cdn.example/a.bin",
    "http://other.example/a.bin",
    "https://other.example/a.bin?b=c",
  ]);
});

test("a container beside the image is part of the offer; one without a digest or a path is none", () => {
  const delta = { path: "d/x.xsu", size: 900, sha256: SHA256 };
  const result = polled(withOta({ delta }));
  const offer = result.kind === "read" && result.incoming.kind === "offer" ? result.incoming.offer : undefined;
  assert.deepEqual(
    [offer?.size, offer?.delta],
    [700_000, { url: "http://files.example/fw/d/x.xsu", size: 900, digest: { algorithm: "SHA256", hex: SHA256 } }],
  );
  assert.equal(
    wanted(withOta({ delta: { ...delta, sha256: undefined } })),
    "manifest: ota.delta: sha256 or md5 is expected",
  );
  assert.equal(wanted(withOta({ delta: { ...delta, path: 5 } })), "manifest: ota.delta.path: a string is expected");
  assert.equal(
    wanted(withOta({ delta: { ...delta, md5: "x" } })),
    "manifest: ota.delta.md5: 32 hex digits are expected",
  );
});

test("what runs is not offered", () => {
  assert.equal(wanted(MANIFEST, { running: { version: "0.2.0" } }), "nothing");
});

test("a manifest without a build for the chip, or without an ota, wants nothing and says why", () => {
  assert.equal(
    wanted(MANIFEST, { running: { chip: 9 } }),
    "nothing: manifest: no build for ESP32-S3, only for ESP32, ESP32-C3",
  );
  assert.equal(wanted({ ...MANIFEST, builds: [] }), "nothing: manifest: no build for ESP32-C3, only for none");
  assert.equal(
    wanted({ ...MANIFEST, builds: [{ chipFamily: "ESP32-C3", parts: [] }] }),
    "nothing: manifest: the build for ESP32-C3 has no ota",
  );
});

/* ---- a rollout ---- */

test("outside of the rollout the release before is wanted, by a device that runs neither and an older one", () => {
  const staged = { ...MANIFEST, percent: 0, previous: PREVIOUS };
  assert.equal(wanted(staged), "0.1.5");
  assert.equal(wanted(staged, { running: { version: "0.1.5" } }), "nothing");
  assert.equal(wanted(staged, { running: { version: "0.1.7" } }), "nothing", "newer than the release before");
  assert.equal(wanted(staged, { running: { version: "custom" } }), "nothing", "in no order to it");
  assert.equal(wanted({ ...staged, percent: 100 }), "0.2.0");
  assert.equal(wanted({ ...MANIFEST, percent: 0 }), "nothing");
});

test("who runs the release stays with it, whatever the percentage", () => {
  assert.equal(wanted({ ...MANIFEST, percent: 0, previous: PREVIOUS }, { running: { version: "0.2.0" } }), "nothing");
});

/* ---- what cannot be used: one line each ---- */

for (const [name, manifest, message] of [
  ["not JSON", "hello", "manifest: not JSON"],
  ["empty", "", "manifest: not JSON"],
  ["a login page", "<!doctype html><title>Wi-Fi</title>", "manifest: not JSON"],
  ["a list", "[]", "manifest: not a JSON object"],
  ["null", "null", "manifest: not a JSON object"],
  ["deep", "[".repeat(99) + "]".repeat(99), "manifest: nested deeper than 16"],
  ["no version", { ...MANIFEST, version: undefined }, "manifest: version: a string is expected"],
  ["a version that is a number", { ...MANIFEST, version: 2 }, "manifest: version: a string is expected"],
  ["an empty version", { ...MANIFEST, version: "" }, "manifest: version: 1 to 31 printable characters are expected"],
  [
    "a version with blanks",
    { ...MANIFEST, version: "1 2" },
    "manifest: version: 1 to 31 printable characters are expected",
  ],
  [
    "a long version",
    { ...MANIFEST, version: "1".repeat(32) },
    "manifest: version: 1 to 31 printable characters are expected",
  ],
  ["no builds", { ...MANIFEST, builds: undefined }, "manifest: builds: a list is expected"],
  ["builds that are none", { ...MANIFEST, builds: {} }, "manifest: builds: a list is expected"],
  ["a build that is none", { ...MANIFEST, builds: [7] }, "manifest: builds: a build without chipFamily"],
  ["no path", withOta({ path: undefined }), "manifest: ota.path: a string is expected"],
  [
    "an ota that is none",
    { ...MANIFEST, builds: [{ chipFamily: "ESP32-C3", ota: "a.bin" }] },
    "manifest: ota.path: a string is expected",
  ],
  [
    "another scheme",
    withOta({ path: "ftp://a/b" }),
    "manifest: ota.path: redirect to another scheme than http and https",
  ],
  ["a short md5", withOta({ md5: MD5.slice(1) }), "manifest: ota.md5: 32 hex digits are expected"],
  [
    "an md5 with other letters",
    withOta({ md5: MD5.replace("1", "g") }),
    "manifest: ota.md5: 32 hex digits are expected",
  ],
  ["an md5 that is a number", withOta({ md5: 7 }), "manifest: ota.md5: 32 hex digits are expected"],
  ["a long sha256", withOta({ sha256: `${SHA256}0` }), "manifest: ota.sha256: 64 hex digits are expected"],
  ["a size that is none", withOta({ size: -1 }), "manifest: ota.size: a whole number is expected"],
  [
    "a percentage that is text",
    { ...MANIFEST, percent: "50" },
    "manifest: percent: a number from 0 to 100 is expected",
  ],
  ["a percentage beyond all", { ...MANIFEST, percent: 101 }, "manifest: percent: a number from 0 to 100 is expected"],
  ["a release before that is none", { ...MANIFEST, previous: 1 }, "manifest: previous: an object is expected"],
  [
    "a bad release before",
    { ...MANIFEST, previous: { version: "1" } },
    "manifest: previous: builds: a list is expected",
  ],
] as const)
  test(`a manifest that cannot be used: ${name}`, () => {
    assert.equal(wanted(manifest), message);
  });

test("whatever the bytes, nothing is thrown, and what is wrong is one short line", () => {
  const json = fc.json({ maxDepth: 4 }).map((text) => Buffer.from(text));
  const bytes = fc.uint8Array({ maxLength: 400 }).map((each) => Buffer.from(each));
  fc.assert(
    fc.property(fc.oneof(json, bytes), (body) => {
      const text = wanted(body.toString("latin1"));
      assert.ok(text.length < 400 && !/[\n\r]/.test(text));
    }),
  );
});

test("a manifest with eight builds and the release before fits into what a poll takes", () => {
  const builds = ["ESP32", "ESP32-S2", "ESP32-C3", "ESP32-S3", "ESP32-C2", "ESP32-C6", "ESP32-H2", "ESP32-P4"].map(
    (chipFamily) => ({
      chipFamily,
      ota: { ...OTA, path: `a-product-with-a-long-name-${chipFamily}-1.2.3-0123456789abcdef.bin` },
    }),
  );
  const manifest = { ...MANIFEST, builds, percent: 10, previous: { version: "0.1.5", builds } };
  assert.ok(JSON.stringify(manifest, null, 2).length <= POLL_BODY_MAX);
});

/* ---- reports and settings ---- */

test("an outcome is one JSON POST to the address of reports, and nothing else is", () => {
  const report = "https://reports.example/ota?key=1";
  const task = { version: "0.2.0" };
  const reporting = platform({ report });
  assert.deepEqual(reporting.encode({ kind: "outcome", task, outcome: { kind: "done" } }), {
    method: "POST",
    url: report,
    body: '{"deviceId":"dev-1","version":"0.2.0","state":"done"}',
  });
  const outcome = { kind: "fail", cause: "digest-mismatch", message: "MD5 differs" } as const;
  assert.equal(
    reporting.encode({ kind: "outcome", task, outcome })?.body,
    '{"deviceId":"dev-1","version":"0.2.0","state":"fail","code":-4,"cause":"digest-mismatch","message":"MD5 differs"}',
  );
  for (const each of [
    { kind: "version", version: "0.1.0" },
    { kind: "progress", task, percent: 5 },
    { kind: "burning", task },
  ] as const)
    assert.equal(reporting.encode(each), undefined);
  assert.equal(platform().encode({ kind: "outcome", task, outcome: { kind: "done" } }), undefined);
});

test("settings that cannot work are refused with their name", () => {
  for (const [change, message] of [
    [{ manifest: "manifest.json" }, "manifest: URL is neither http nor https"],
    [{ report: "ftp://a" }, "report: URL is neither http nor https"],
    [{ deviceId: "" }, "deviceId: 1 to 64 printable characters without blanks"],
    [{ pollSeconds: 59 }, "pollSeconds: whole seconds from 60 to 604800"],
  ] as const)
    assert.throws(() => platform(change), { message });
  assert.equal(platform().interval, 21_600_000);
  assert.deepEqual(platform().poll(), { method: "GET", url: CONFIG.manifest });
});
