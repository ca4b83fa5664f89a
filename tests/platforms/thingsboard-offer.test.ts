import assert from "node:assert/strict";
import { test } from "node:test";
import { identityOf, readOffer } from "../../src/platforms/thingsboard/offer";
import { telemetryOf } from "../../src/platforms/thingsboard/states";

const SHA = "028b2db3b556d5f9160a3e062802bb52678a344931bd2d625dd8467b525fc153";
const MD5 = "d41d8cd98f00b204e9800998ecf8427e";
/** As the real server answered. */
const shared = {
  fw_checksum: SHA,
  fw_size: 700_000,
  fw_tag: "app 1.0.1",
  fw_title: "app",
  fw_checksum_algorithm: "SHA256",
  fw_version: "1.0.1",
};
const API = "http://tb:8080/api/v1/TOKEN";
const read = (more: object, api: string | undefined = API) =>
  readOffer({ ...shared, ...more } as never, { title: "app", api });
const without = (...keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, undefined]));

test("the attributes of a package become an offer with its size and digest", () => {
  assert.deepEqual(read({}), {
    kind: "offer",
    offer: {
      version: "1.0.1",
      size: 700_000,
      digest: { algorithm: "SHA256", hex: SHA },
      url: `${API}/firmware?title=app&version=1.0.1`,
    },
  });
  const md5 = read({ fw_checksum: MD5.toUpperCase(), fw_checksum_algorithm: "MD5" });
  assert.ok(md5.kind === "offer");
  assert.deepEqual(md5.offer.digest, { algorithm: "MD5", hex: MD5 });
});

test("the query names title and version, escaped", () => {
  const odd = readOffer({ ...shared, fw_title: "a b/ü?&", fw_version: "1+2&x" }, { title: "a b/ü?&", api: API });
  assert.ok(odd.kind === "offer");
  assert.equal(odd.offer.url, `${API}/firmware?title=a%20b%2F%C3%BC%3F%26&version=1%2B2%26x`);
});

test("without the server's address the file stands for chunks, another one for each version and digest", () => {
  const url = (more: object): string => {
    const incoming = readOffer({ ...shared, ...more }, { title: "app", api: undefined });
    assert.ok(incoming.kind === "offer");
    return incoming.offer.url;
  };
  assert.equal(url({}), `mqtt:1.0.1/${SHA}`);
  assert.equal(new Set([url({}), url({ fw_version: "1.0.2" }), url({ fw_checksum: "0".repeat(64) })]).size, 3);
});

test("an address package is fetched from its address; size and digest are optional", () => {
  const url = "https://files.example.com/fw.bin?sig=1";
  const nothing = without("fw_size", "fw_checksum", "fw_checksum_algorithm");
  assert.deepEqual(read({ ...nothing, fw_url: url }), { kind: "offer", offer: { version: "1.0.1", size: 0, url } });
  const full = read({ fw_url: url });
  assert.ok(full.kind === "offer");
  assert.deepEqual([full.offer.size, full.offer.digest?.hex, full.offer.url], [700_000, SHA, url]);
});

test("no title: nothing is wanted", () => {
  assert.deepEqual(readOffer({}, { title: "app", api: API }), { kind: "withdrawn" });
});

const REFUSED: readonly (readonly [string, object, RegExp])[] = [
  ["another title", { fw_title: "other" }, /fw_title: "other", this device is "app"/],
  ["no version", without("fw_version"), /fw_version: not 1 to 31/],
  ["a version that no image has", { fw_version: "1".repeat(32) }, /fw_version: not 1 to 31/],
  ["no size", without("fw_size"), /fw_size: missing/],
  ["a size that is none", { fw_size: "big" }, /fw_size: no whole number/],
  ["CRC32", { fw_checksum: "cbb1bfee", fw_checksum_algorithm: "CRC32" }, /CRC32 .* reverse order; choose SHA256/],
  ["Murmur", { fw_checksum: "00", fw_checksum_algorithm: "MURMUR3_128" }, /MURMUR3_128 is no proof; choose SHA256/],
  ["SHA-384", { fw_checksum: "00", fw_checksum_algorithm: "SHA384" }, /"SHA384" is not known here/],
  ["a short digest", { fw_checksum: "00ff" }, /fw_checksum: not 64 hex digits/],
  ["an address that is none", { fw_url: "ftp://x/y" }, /fw_url: URL is neither http nor https/],
];
for (const [title, more, reason] of REFUSED)
  test(`refused with the reason: ${title}`, () => {
    const incoming = read(more);
    assert.ok(incoming.kind === "refused" && incoming.outcome.kind === "fail");
    assert.match(incoming.outcome.message, reason);
  });

test("versions are told apart as whole strings, and by digest", () => {
  const identity = (more: object): string => {
    const incoming = read(more);
    assert.ok(incoming.kind === "offer");
    return identityOf(incoming.offer);
  };
  const all = [{ fw_version: "1.1.1" }, { fw_version: "1.1.10" }, { fw_version: "1.1.1", fw_checksum: "0".repeat(64) }];
  assert.equal(new Set(all.map(identity)).size, 3);
});

test("reports: the server's words; an error is cleared; what runs stands in the outcome's own message", () => {
  const task = { version: "2" };
  const current = { title: "app", version: "1" };
  const ran = { current_fw_title: "app", current_fw_version: "1" };
  const tell = (report: Parameters<typeof telemetryOf>[0], version = "1") =>
    telemetryOf(report, { ...current, version });
  assert.deepEqual(tell({ kind: "version", version: "1" }), [ran]);
  assert.deepEqual(tell({ kind: "progress", task, percent: 7 }), [{ fw_state: "DOWNLOADING", fw_error: "" }]);
  assert.deepEqual(tell({ kind: "progress", task, percent: 100 }), [{ fw_state: "DOWNLOADED", fw_error: "" }]);
  assert.deepEqual(tell({ kind: "burning", task }), [{ fw_state: "VERIFIED" }, { fw_state: "UPDATING", fw_error: "" }]);
  assert.deepEqual(tell({ kind: "burning", task }, "2"), [{ fw_state: "UPDATING", fw_error: "" }]);
  assert.deepEqual(tell({ kind: "outcome", task, outcome: { kind: "done" } }), [
    { fw_state: "UPDATED", fw_error: "", ...ran },
  ]);
  const failed = { kind: "fail", cause: "rolled-back", message: "no health" } as const;
  assert.deepEqual(tell({ kind: "outcome", task, outcome: failed }), [
    { fw_state: "FAILED", fw_error: "trial: no health", ...ran },
  ]);
});
