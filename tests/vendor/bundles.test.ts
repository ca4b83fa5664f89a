import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import * as published from "mqtt-packet";
import { buildVendor } from "../../scripts/build-vendor.mjs";
import * as vendored from "../../src/vendor/mqtt-packet";
import { md5 } from "../../src/vendor/js-md5";
import { CHANGED, replaceEach } from "../../scripts/vendor/changes.mjs";
import { OF_BROKERS, OF_CLIENTS, RECEIVED, exercise } from "./packets";

const VENDOR = new URL("../../src/vendor/", import.meta.url);
const bundle = vendored as unknown as typeof published;

published.writeToStream.cacheNumbers = false;

test("the committed bundles are what `npm run vendor` makes of the locked packages", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "vendor-"));
  t.after(() => rm(folder, { recursive: true }));
  const paths = await buildVendor(folder);
  assert.deepEqual(paths.map((path) => basename(path)).sort(), ["js-md5.js", "mqtt-packet.js"]);
  for (const path of paths) {
    const committed = await readFile(new URL(basename(path), VENDOR), "utf8");
    assert.ok((await readFile(path, "utf8")) === committed, `src/vendor/${basename(path)} differs: run npm run vendor`);
  }
});

test("each bundle names its locked version and carries its licence", async () => {
  const { packages } = JSON.parse(await readFile(new URL("../../package-lock.json", import.meta.url), "utf8")) as {
    packages: { [path: string]: { version: string } };
  };
  for (const name of ["mqtt-packet", "js-md5"]) {
    const code = await readFile(new URL(`${name}.js`, VENDOR), "utf8");
    const { version } = packages[`node_modules/${name}`]!;
    assert.ok(code.startsWith(`/*\n${name} ${version} (MIT), bundled`), name);
    const head = code.slice(0, code.indexOf("*/"));
    assert.match(head, /Copyright (\(c\) )?\d{4}[^]*Permission is hereby granted/, name);
  }
});

test("the bundle of mqtt-packet makes and reads the same bytes as the package", () => {
  for (const size of [100_000, 1000, 1]) {
    const ours = exercise(bundle, size);
    assert.equal(ours.read.length, RECEIVED);
    assert.deepEqual(ours, exercise(published, size), `in pieces of ${size}`);
  }
});

test("the bundle of mqtt-packet does not make what the agent never sends", () => {
  for (const [packet, bytes] of OF_BROKERS) {
    assert.equal(published.generate(packet as published.Packet).toString("hex"), bytes);
    assert.throws(() => bundle.generate(packet as published.Packet), /^Error: Unknown command$/);
  }
});

test("the bundle of mqtt-packet refuses what a broker never sends to this client, and what MQTT 3.1.1 does not have", () => {
  const outcome = (type: number): string => {
    let told = "nothing";
    const reader = bundle.parser();
    reader.on("packet", ({ cmd }) => (told = cmd));
    reader.on("error", (error) => (told = (error as Error).message));
    reader.parse(Buffer.from([type, 2, 0, 1]));
    return told;
  };
  assert.deepEqual(OF_CLIENTS, ["connect", "subscribe", "unsubscribe", "unsuback", "disconnect"]);
  for (const type of [0x10, 0x82, 0xa2, 0xb0, 0xe0, 0xf0]) assert.equal(outcome(type), "Not supported");
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
      // Reads beyond the end throw in Node's Buffer; there the frames of the session are whole, so that this can not
      // be.
      seen.push((error as Error).name);
    }
    return seen;
  };
  const command = fc.constantFrom(0x20, 0x30, 0x32, 0x3d, 0x40, 0x62, 0x90, 0xd0, 0x00);
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

test("the bundles need nothing but the agent's own UTF-8 code", async () => {
  for (const [name, imports] of [
    ["mqtt-packet", ["../util/utf8"]],
    ["js-md5", []],
  ] as const) {
    const code = await readFile(new URL(`${name}.js`, VENDOR), "utf8");
    assert.doesNotMatch(code, /\brequire\(|\bprocess\.|import\(/, name);
    assert.deepEqual(
      [...code.matchAll(/ from "([^"]*)";$/gm)].map(([, path]) => path),
      imports,
      name,
    );
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
  assert.throws(() => CHANGED.get("mqtt-packet/generate.js")!("module.exports = 1\n"), /generate\.js: nothing like/);
  const change = CHANGED.get("mqtt-packet/packet.js")!;
  assert.equal(change("const a = require('b')\nmodule.exports = a\n"), "import a from 'b'\nexport default a\n");
  assert.throws(() => change("if (require('b')) {}\n"), /packet\.js: not a form that is known here: if \(require/);
});

test("the bundles have no variable at their top level", async () => {
  for (const name of ["mqtt-packet", "js-md5"])
    assert.doesNotMatch(await readFile(new URL(`${name}.js`, VENDOR), "utf8"), /^(var|let) /m, name);
});
