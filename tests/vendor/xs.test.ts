import assert from "node:assert/strict";
import { resolve } from "node:path";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { md5 } from "js-md5";
import * as mqtt from "mqtt-packet";
import { createXsEngine } from "../../host-sim/board/engine-xs";
import type { Md5Function } from "../../src/vendor/js-md5";
import { everything } from "./xs-entry";

/** Freezes all that `root` leads to, as XS does with what a firmware preloads. */
const FREEZE = `globalThis.freezeAll = function (roots) {
  const seen = new Set();
  const queue = [...roots];
  while (queue.length > 0) {
    const value = queue.pop();
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value) || value === globalThis) continue;
    seen.add(value);
    if (!ArrayBuffer.isView(value)) Object.freeze(value);
    queue.push(Object.getPrototypeOf(value));
    for (const key of Reflect.ownKeys(value)) {
      const { value: member, get, set } = Object.getOwnPropertyDescriptor(value, key);
      queue.push(member, get, set);
    }
  }
  return seen.size;
};
freezeAll([...Object.getOwnPropertyNames(globalThis).map((name) => globalThis[name]), [][Symbol.iterator](), new Map().entries(), (function* () {})()]);`;

/** A script that leaves the module's exports in the global \`firmware\`. */
async function script(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [resolve(entry)],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "firmware",
    platform: "neutral",
    mainFields: ["main"],
    target: "es2022",
    banner: { js: '"use strict";' },
  });
  return `${outputFiles[0]!.text}\nglobalThis.firmware = firmware; freezeAll([firmware]);`;
}

mqtt.writeToStream.cacheNumbers = false;

test("the bundles, the session and the dialect do the same in XS, with all prototypes frozen, as in Node with the packages as published", async () => {
  const said: string[] = [];
  const printed: string[] = [];
  const engine = createXsEngine({
    answer(request) {
      said.push(Buffer.from(request).toString());
      return new Uint8Array(0);
    },
    onOutput: (line) => printed.push(line),
  });
  const report = `(function () {
    const text = firmware.everything();
    for (let at = 0; at < text.length; at += 1000) {
      let piece = "";
      for (const character of text.slice(at, at + 1000)) piece += character > "~" ? "\\\\u{" + character.codePointAt(0).toString(16) + "}" : character;
      issueCommand(Uint8Array.from(Array.from(piece, (character) => character.codePointAt(0))).buffer);
    }
  })();`;
  const meter = await engine.run(`${FREEZE}\n${await script("tests/vendor/xs-entry.ts")}\n${report}`);
  engine.stop();
  const end = await engine.ended;
  assert.ok(meter, `${end.cause}: ${end.message} ${printed.join(" ")}`);
  const escaped = [...everything(mqtt, md5 as Md5Function)]
    .map((character) => (character > "~" ? `\\u{${character.codePointAt(0)!.toString(16)}}` : character))
    .join("");
  assert.equal(said.join(""), escaped);
});

test("the same in a bare JavaScript context without any of Node's or a browser's names", async () => {
  const context = createContext({});
  runInContext(FREEZE, context);
  runInContext(await script("tests/vendor/xs-entry.ts"), context);
  assert.equal(runInContext("firmware.everything()", context), everything(mqtt, md5 as Md5Function));
});

test("js-md5 as published does not load with all prototypes frozen", async () => {
  const context = createContext({});
  runInContext(FREEZE, context);
  const published = await script("node_modules/js-md5/build/md5-lite.mjs");
  assert.throws(() => runInContext(published, context), /toString/);
});
