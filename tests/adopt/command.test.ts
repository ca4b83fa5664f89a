/** `xs-ota adopt`: what it refuses, a run that is cut off, and the command as it is typed. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { carryOut, planOf } from "../../host-sim/adopt/plan";
import type { Wanted } from "../../host-sim/adopt/plan";
import { createKeyFile } from "../../host-sim/cli/signing/keys";
import { writeWhole } from "../../host-sim/cli/whole-file";
import { ROOT, lines, write } from "../doctor/apps";
import { temporaryFolder } from "../kit/folder";
import { xsOta, xsOtaError } from "../kit/xs-ota";
import { USUAL, scene, adopt, manifestIn } from "./scene";

test("what can not be made updatable is refused with the reason and the figures, and nothing is written", (t) => {
  const flash =
    (megabytes: number) =>
    (app: string): Partial<Wanted> => {
      void app;
      return { flashSize: megabytes << 20 };
    };
  const big = (app: string): Partial<Wanted> => {
    writeFileSync(join(app, "big.bin"), Buffer.alloc(2_100_000));
    return { image: join(app, "big.bin") };
  };
  const own = (app: string): Partial<Wanted> => {
    write(join(app, "manifest.json"), {
      include: "$(MODDABLE)/examples/manifest_base.json",
      build: { PARTITIONS_FILE: "./own.csv" },
    });
    write(
      join(app, "own.csv"),
      "nvs,data,nvs,0x9000,0x6000\nfactory,app,factory,0x10000,0x200000\nsongs,data,spiffs,0x210000,0x180000\n",
    );
    return {};
  };
  const manifest =
    (value: object | string) =>
    (app: string): Partial<Wanted> => {
      write(join(app, "manifest.json"), value);
      return {};
    };
  const rows: readonly (readonly [(app: string) => Partial<Wanted>, RegExp])[] = [
    [flash(2), /the flash has 2 MB, which is two slots of 960 KB: a firmware with the agent has at least 1323 KB/],
    [big, /big\.bin has 2100000 bytes, a slot 2031616: the app is 68384 bytes too large for half the flash/],
    [own, /two slots of 1216 KB beside songs of 1536 KB: a firmware with the agent has at least 1323 KB/],
    [manifest({ include: "./none.json" }), /none\.json: there is no such file or folder .*mcconfig would stop here/],
    [manifest('{ "include": [ }'), /manifest\.json: is not JSON \(line 1: /],
    [manifest("[]"), /manifest\.json: is no JSON object/],
    [(app) => ({ table: join(app, "main.js") }), /partition table, line 1/],
    [(app) => ({ image: join(app, "none.bin") }), /none\.bin: there is no such file/],
    [() => ({ platform: "esp32/esp32h2" }), /esp32\/esp32h2 is an esp32h2: updates are kept safe on esp32, esp32c3/],
    [() => ({ platform: "esp32/moddable_zero" }), /can not be built with SDK 8\.2\.3/],
  ];
  for (const [make, message] of rows) {
    const { app, wanted } = scene(t, USUAL);
    const wants = wanted(make(app));
    const before = readdirSync(app, { recursive: true, encoding: "utf8" }).sort();
    assert.throws(() => adopt(wants), message);
    assert.deepEqual(readdirSync(app, { recursive: true, encoding: "utf8" }).sort(), before);
  }
});

test("a run that is cut off at any file leaves the app as it builds today; the next run finishes it", (t) => {
  const { app, sdk, wanted } = scene(t, USUAL);
  const count = planOf(wanted()).changes.length;
  for (let cut = 0; cut < count; cut++) {
    let written = 0;
    const write = (path: string, bytes: Uint8Array): void => {
      if (written++ === cut) throw new Error("cut off");
      writeWhole(path, bytes);
    };
    assert.throws(() => carryOut(app, planOf(wanted({ replace: true })), write), /cut off/);
    assert.equal(manifestIn(app), USUAL, "the manifest is the last one");
    // The last one leaves all the other files.
    if (cut < count - 1) rmSync(join(app, "ota"), { recursive: true, force: true });
  }
  assert.deepEqual(
    adopt(wanted()).changes.map(({ path }) => path),
    ["manifest.json"],
  );
  assert.deepEqual(lines(app, "esp32", sdk), []);
});

test("the command: a dry run writes nothing and shows the lines; then it is done; a second run has nothing to change", async (t) => {
  const { app } = scene(t, USUAL);
  const folder = temporaryFolder(t);
  const { publicKey, flags } = {
    publicKey: join(folder, "pub.pem"),
    flags: ["--product", "lamp", "--version", "2.0.0", "--cloud", "tencent"],
  };
  writeFileSync(publicKey, createKeyFile(join(folder, "key.pem")));
  const before = manifestIn(app);
  const dry = await xsOta("adopt", app, ...flags, "--key", publicKey, "--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(
    dry.stdout,
    /\nchanged manifest\.json\n {2}- {9}"\.\/extra\.json"\n {2}- {5}\]\n {2}\+ {9}"\.\/extra\.json",\n {2}\+ {9}"\.\/ota\/manifest\.json"\n/,
  );
  assert.match(dry.stdout, /\n8 files would be changed\n$/);
  assert.equal(manifestIn(app), before);
  assert.ok(!readdirSync(app).includes("ota"));
  assert.equal((await xsOta("adopt", app, ...flags, "--key", publicKey)).code, 0);
  const { platforms } = JSON.parse(readFileSync(join(app, "ota/manifest.json"), "utf8")) as {
    platforms: { esp32: { config: Record<string, string> } };
  };
  assert.equal(platforms.esp32.config["platform"], "tencent");
  assert.match(platforms.esp32.config["signingKeys"]!, /^04[0-9a-f]{128}$/);
  const again = await xsOta("adopt", app, "--cloud", "tencent", "--key", publicKey);
  assert.match(again.stdout, /\nnothing to change\n$/, "product and version are those of the manifest");
});

test("a library of the app's own, or one by git, is what the manifest names", (t) => {
  const { app, sdk, wanted } = scene(t, USUAL);
  mkdirSync(join(app, "xs-ota"));
  for (const name of ["src", "hal", "firmware"])
    cpSync(join(ROOT, name), join(app, "xs-ota", name), { recursive: true });
  adopt(wanted({ library: { folder: join(app, "xs-ota") } }));
  assert.match(readFileSync(join(app, "ota/manifest.json"), "utf8"), /"\.\.\/xs-ota\/src\/manifest\.json"/);
  assert.deepEqual(lines(app, "esp32", sdk), []);
  rmSync(join(app, "ota"), { recursive: true });
  adopt(wanted({ library: { folder: ROOT, git: "https://example.com/ota.git", tag: "v0.1.0" } }));
  assert.match(
    readFileSync(join(app, "ota/manifest.json"), "utf8"),
    /"git": "https:\/\/example\.com\/ota\.git",\n\t+"tag": "v0\.1\.0"/,
  );
  assert.deepEqual(lines(app, "esp32", sdk), []);
});

test("options that do not fit are named, and what is missing is asked for by its flag", async (t) => {
  const { app } = scene(t, USUAL);
  const rows: readonly (readonly [readonly string[], RegExp])[] = [
    [[app], /--product is needed: it goes into the firmware itself/],
    [[app, "--product", "lamp"], /--version is needed/],
    [[app, "--product", 'a"b', "--version", "1"], /A product has 1 to 31 printable characters/],
    [[app, "--product", "lamp", "--version", "1", "--tag", "v1"], /--tag needs --git/],
    [[app, "-p", "lin"], /It is esp32 or esp32\/BOARD/],
    [[join(app, "none")], /none is no folder/],
    [[join(app, "..")], /is no Moddable app: it has no manifest\.json/],
  ];
  for (const [args, message] of rows) {
    const { code, stderr } = await xsOtaError("adopt", ...args);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, message);
    assert.match(stderr, /^error: [^\n]+\n$/);
  }
});
