import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as fc from "fast-check";
import * as published from "mqtt-packet";
import { buildVendor } from "../../scripts/build-vendor.mjs";
import { CHANGED, replaceEach } from "../../scripts/vendor/changes.mjs";
import { PACKETS, exercise } from "./packets";

const folder = await mkdtemp(join(tmpdir(), "vendor-"));
after(() => rm(folder, { recursive: true }));
await buildVendor(folder);
const bundle = (await import(pathToFileURL(join(folder, "mqtt-packet.js")).href)) as typeof published;
const { md5 } = (await import(pathToFileURL(join(folder, "js-md5.js")).href)) as typeof import("js-md5");

published.writeToStream.cacheNumbers = false;

test("the bundle of mqtt-packet makes and reads the same bytes as the package", () => {
  for (const size of [100_000, 1000, 1]) {
    const ours = exercise(bundle, size);
    assert.equal(ours.read.length, PACKETS.length);
    assert.deepEqual(ours, exercise(published, size), `in pieces of ${size}`);
  }
});

test("the parser of the bundle keeps nothing of a packet that is through", () => {
  const reader = bundle.parser() as unknown as {
    parse(bytes: Uint8Array): number;
    readonly _list: { readonly bytes: Uint8Array };
  };
  reader.parse(
    bundle.generate({ cmd: "publish", topic: "a", payload: "x".repeat(8_000), qos: 0, dup: false, retain: false }),
  );
  assert.equal(reader._list.bytes.buffer.byteLength, 0);
});

test("the bundle of mqtt-packet fails where the package fails", () => {
  const wrong: object[] = [
    { cmd: "connect", clientId: "a", keepalive: 1.5 },
    { cmd: "connect", clientId: "a", password: "p" },
    { cmd: "publish", topic: "a", qos: 1, payload: "" },
    { cmd: "subscribe", messageId: 1, subscriptions: [] },
    { cmd: "nonsense" },
  ];
  const failure = (generate: unknown, packet: object) => {
    try {
      (generate as (packet: object) => void)(packet);
      return "none";
    } catch (error) {
      return (error as Error).message;
    }
  };
  for (const packet of wrong) {
    assert.notEqual(failure(bundle.generate, packet), "none");
    assert.equal(failure(bundle.generate, packet), failure(published.generate, packet));
  }
});

test("the bundle of mqtt-packet makes the same of arbitrary bytes as the package", () => {
  const outcome = (library: typeof published, bytes: Uint8Array) => {
    const seen: string[] = [];
    const reader = library.parser();
    reader.on("packet", (packet) => seen.push(`${packet.cmd} ${packet.messageId}`));
    reader.on("error", (error) => seen.push((error as Error).message));
    try {
      reader.parse(Buffer.from(bytes));
    } catch (error) {
      // Reads beyond the end throw in Node's Buffer; there the frames of the session are whole, so that this can not be.
      seen.push((error as Error).name);
    }
    return seen;
  };
  const command = fc.constantFrom(0x20, 0x30, 0x32, 0x3d, 0x40, 0x62, 0x90, 0xb0, 0xd0, 0x00);
  const framed = fc
    .tuple(command, fc.uint8Array({ maxLength: 40 }))
    .map(([first, body]) => Uint8Array.of(first, body.length, ...body));
  fc.assert(
    fc.property(framed, (bytes) => assert.deepEqual(outcome(bundle, bytes), outcome(published, bytes))),
    { numRuns: 3000 },
  );
});

test("the bundle of js-md5 gives MD5, in one go and in parts", () => {
  assert.equal(md5("错误"), createHash("md5").update("错误").digest("hex"));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (first, second) => {
      const expected = createHash("md5").update(first).update(second).digest();
      const hash = md5.create().update(first).update(second);
      assert.deepEqual([...new Uint8Array(hash.arrayBuffer())], [...expected]);
      assert.equal(String(md5.create().update(first)), md5.hex(first));
    }),
  );
});

test("nothing of Node is left in the bundles, and each carries its licence", async () => {
  for (const name of ["mqtt-packet", "js-md5"]) {
    const code = await readFile(join(folder, `${name}.js`), "utf8");
    assert.doesNotMatch(code, /\brequire\(|\bprocess\.|from "|import\(/, name);
    assert.match(code, /^\/\*\n\S+ \d+\.\d+\.\d+ \(MIT\)[^]*Permission is hereby granted/, name);
    assert.ok((await readFile(join(folder, `${name}.d.ts`), "utf8")).length > 0);
  }
});

test("a package whose lines have changed stops the build", () => {
  assert.equal(
    replaceEach("f", "a b c", [
      ["b", "x"],
      ["c", "y"],
    ]),
    "a x y",
  );
  assert.throws(() => replaceEach("f.js", "a", [["b", "x"]]), /f\.js: expected once, found 0 times: "b"/);
  assert.throws(() => replaceEach("f.js", "b b", [["b", "x"]]), /found 2 times/);
  const change = CHANGED.get("mqtt-packet/packet.js")!;
  assert.equal(change("const a = require('b')\nmodule.exports = a\n"), "import a from 'b'\nexport default a\n");
  assert.throws(() => change("if (require('b')) {}\n"), /packet\.js: not a form that is known here: if \(require/);
});

test("nothing in the bundles can be changed from outside, and no top-level name by themselves", async () => {
  for (const name of ["mqtt-packet", "js-md5"])
    assert.doesNotMatch(await readFile(join(folder, `${name}.js`), "utf8"), /^(var|let) /m, name);
  bundle.writeToStream.cacheNumbers = true;
  assert.equal(bundle.writeToStream.cacheNumbers, false);
});
