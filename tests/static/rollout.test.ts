/** The place of a device in a rollout: fixed byte by byte in docs/SPEC.md. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { placeOf } from "../../src/platforms/static/rollout";
import { MANIFEST, PREVIOUS, wanted } from "./manifests";

const crypto = new NodeCrypto();
const place = (product: string, version: string, id: string): number => placeOf(crypto, product, version, id);

/** Written from docs/SPEC.md. */
const reference = (...fields: readonly string[]): number => {
  const hash = createHash("sha256");
  for (const field of fields) {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(Buffer.byteLength(field));
    hash.update(length).update(field);
  }
  return hash.digest().readUInt32LE(0);
};

test("the vectors of docs/SPEC.md", () => {
  const spec = readFileSync(new URL("../../docs/SPEC.md", import.meta.url), "utf8");
  const rows = [...spec.matchAll(/^\| `([^`]*)` \| `([^`]*)` \| `([^`]*)` \| `([0-9a-f]{8})` \| ([0-9.]+) \|$/gm)];
  assert.ok(rows.length >= 4);
  for (const [, product = "", version = "", id = "", first, percent] of rows) {
    const whole = place(product, version, id);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(whole * 2 ** 32);
    assert.equal(bytes.toString("hex"), first);
    assert.equal((whole * 100).toFixed(3), percent);
    assert.equal(whole * 2 ** 32, reference(product, version, id));
  }
});

test("fields do not run into each other, and other letters than ASCII count as UTF-8", () => {
  assert.notEqual(place("ab", "c", "d"), place("a", "bc", "d"));
  assert.notEqual(place("", "", "a"), place("a", "", ""));
  assert.equal(place("ä", "ö", "漢") * 2 ** 32, reference("ä", "ö", "漢"));
});

const ids = Array.from({ length: 2_000 }, (_, index) => `dev-${index}`);
const taking = (percent: number, version = "0.2.0"): Set<string> =>
  new Set(
    ids.filter(
      (deviceId) => wanted({ ...MANIFEST, version, percent, previous: PREVIOUS }, { config: { deviceId } }) === version,
    ),
  );

test("a raise only adds devices, 0 is nobody and 100 is all", () => {
  let before = new Set<string>();
  for (const percent of [0, 0.5, 1, 10, 50, 99, 100]) {
    const now = taking(percent);
    for (const id of before) assert.ok(now.has(id), `${id} at ${percent}`);
    // Four standard deviations of 2,000 devices.
    assert.ok(Math.abs(now.size / 20 - percent) <= 4.5, `${now.size} of 2,000 at ${percent}`);
    before = now;
  }
  assert.equal(taking(0).size, 0);
  assert.equal(taking(100).size, 2_000);
});

test("each release has other first devices", () => {
  const [one, other] = [taking(10), taking(10, "0.3.0")];
  const both = [...one].filter((id) => other.has(id)).length;
  assert.ok(both < one.size / 3, `${both} of ${one.size} are first twice`);
});
