import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createHash } from "node:crypto";
import { extractPayload } from "../../hal/model-chip/build-image";
import { verifyImage } from "../../hal/model-chip/image-check";
import { sha256 } from "../../hal/model-chip/sha256";
import { Device } from "../../host-sim/demo/device-process";
import { temporaryFolder } from "../kit/folder";
import { refusesEach, xsOta } from "../kit/xs-ota";

const GOOD = {
  platform: "tencent",
  mqtt: { host: "127.0.0.1", port: 1, tls: false },
  auth_mode: "KEY",
  productId: "P",
  deviceName: "d",
  key_deviceinfo: { deviceSecret: "c2VjcmV0" },
};

test("bad input is refused by one clear line on stderr and exit code 1, and nothing is changed", async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("good.json"), JSON.stringify(GOOD), { mode: 0o600 });
  writeFileSync(at("bad.json"), JSON.stringify({ ...GOOD, productId: 7 }), { mode: 0o600 });
  writeFileSync(at("ca.json"), JSON.stringify({ ...GOOD, mqtt: { ca: "missing.pem" } }), { mode: 0o600 });
  const before = readdirSync(folder).sort();
  const state = at("board");
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["imagine"], /unknown command 'imagine'/],
    [["image", "--version", "1.0", "--out", at("x"), "--colour", "red"], /unknown option '--colour'/],
    [["image", "--out", at("x")], /required option '--version <version>' not specified/],
    [["image", "--version", "one two", "--out", at("x")], /A version has 1 to 31/],
    [["image", "--version", "1.0", "--out", at("x"), "--size", "many"], /whole number of bytes/],
    [
      ["image", "--version", "1.0", "--out", at("x"), "--size", "1000"],
      /size 1000: this image has at least [0-9]+ bytes/,
    ],
    [["image", "--version", "1.0", "--out", at("x"), "--fault", "burn"], /Allowed choices are throw, hang, offline/],
    [
      ["image", "--version", "1.0", "--out", join(at("none"), "x")],
      /can not be written: there is no such file or folder/,
    ],
    [["device", "--config", at("good.json")], /required option '--state <folder>' not specified/],
    [["device", "--config", at("none.json"), "--state", state], /none\.json can not be read: there is no such file/],
    [["device", "--config", at("bad.json"), "--state", state], /bad\.json: productId: a string is expected/],
    [["device", "--config", at("ca.json"), "--state", state], /ca\.json: mqtt\.ca: missing\.pem can not be read/],
    [["device", "--config", at("good.json"), "--state", state, "--sleep", "20"], /It is AWAKE,ASLEEP: whole seconds/],
    [
      ["device", "--config", at("good.json"), "--state", state, "--sleep", "0,600"],
      /It is AWAKE,ASLEEP: whole seconds/,
    ],
    [["device", "--config", at("good.json"), "--state", folder], /is not a board's folder/],
    [["inspect", "--state", state], /holds no board/],
  ];
  await refusesEach(cases);
  assert.deepEqual(readdirSync(folder).sort(), before);
});

test("--help of each command names its options", async () => {
  const options = {
    image: "--fault <kind>",
    device: "--config <file>",
    inspect: "--json",
    keygen: "--out <file>",
    sign: "--key <file>",
    verify: "--key <file>",
  };
  const helps = await Promise.all(Object.keys(options).map((command) => xsOta(command, "--help")));
  for (const [{ code, stdout }, option] of helps.map(
    (help, index) => [help, Object.values(options)[index]!] as const,
  )) {
    assert.equal(code, 0);
    assert.ok(stdout.includes(option), stdout);
  }
});

test("image makes a valid image of the exact size, with the version in image and code, the same bytes each time", async (t) => {
  const folder = temporaryFolder(t);
  const paths = [join(folder, "a.bin"), join(folder, "b.bin")];
  for (const path of paths)
    assert.equal((await xsOta("image", "--version", "1.2.3", "--out", path, "--size", "708482")).code, 0);
  const [first, second] = paths.map((path) => readFileSync(path));
  assert.equal(first!.length, 708_482);
  assert.ok(first!.equals(second!));
  const { length } = verifyImage(
    (offset, into) => into.set(first!.subarray(offset, offset + into.length)),
    first!.length,
    sha256,
  );
  assert.ok(length <= 708_482 && length > 708_482 - 16);
  assert.match(Buffer.from(extractPayload(first!)).toString(), /^var FIRMWARE=\{"version":"1\.2\.3"\};/);

  const usual = join(folder, "c.bin");
  await xsOta("image", "--version", "1.2.3", "--out", usual);
  assert.ok(readFileSync(usual).length < 200_000);
});

test("device makes its board, prints JSON lines and survives kill -9; inspect shows the board and changes nothing", async (t) => {
  const folder = temporaryFolder(t);
  const [config, state] = [join(folder, "device.json"), join(folder, "board")];
  writeFileSync(config, JSON.stringify(GOOD), { mode: 0o644 });
  const device = Device.start(config, state, "--version", "0.5.0");
  assert.deepEqual(await device.event("boot"), {
    event: "boot",
    slot: "ota_0",
    version: "0.5.0",
    trial: false,
    reason: "power-on",
  });
  const second = await xsOta("device", "--config", config, "--state", state);
  assert.notEqual(second.code, 0);
  assert.match(second.stderr, /is in use by another process\n$/);
  await device.kill();
  assert.match(device.stderr, /warning: .*device\.json holds a secret that others may read/);
  assert.doesNotMatch(device.stderr, /c2VjcmV0/);

  const again = Device.start(config, state, "--version", "9.9.9");
  assert.equal((await again.event("boot"))["version"], "0.5.0", "the factory is for a new board only");
  await again.kill();

  const digest = (): string =>
    createHash("sha256")
      .update(readFileSync(join(state, "flash.bin")))
      .digest("hex");
  const before = digest();
  const words = await xsOta("inspect", "--state", state);
  assert.equal(words.code, 0);
  assert.match(words.stdout, /ota_0: 0\.5\.0 of xs-ota-board, [0-9]+ bytes, boots/);
  assert.match(words.stdout, /0: ota_0, sequence 1, valid, decides\n/);
  assert.match(words.stdout, /bootloader: /);
  const { slots, job } = JSON.parse((await xsOta("inspect", "--state", state, "--json")).stdout) as {
    slots: { version?: string }[];
    job?: unknown;
  };
  assert.deepEqual([slots[0]?.version, job], ["0.5.0", undefined]);
  assert.equal(digest(), before);
  assert.equal(existsSync(join(state, "flash.bin.new")), false);
});
