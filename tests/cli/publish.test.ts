/** `xs-ota publish`: a folder for any web server. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { buildImage } from "../../hal/model-chip/build-image";
import { pack } from "../../host-sim/delta/pack";
import type { SiteManifest } from "../../host-sim/publish/site-manifest";
import { temporaryFolder } from "../kit/folder";
import { xsOta, xsOtaError as here } from "../kit/xs-ota";
import { wanted } from "../static/manifests";

const image = (version: string, change: Partial<Parameters<typeof buildImage>[0]> = {}): Uint8Array =>
  buildImage({ version, payload: new TextEncoder().encode(`firmware ${version}`), ...change });
const hash = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest("hex");

interface SiteFolder {
  readonly site: string;
  /** Runs the command with an image, or without one. */
  publish(image: Uint8Array | undefined, ...flags: readonly string[]): Promise<string>;
  manifest(name?: string): SiteManifest;
  file(name: string, bytes: string | Uint8Array): string;
}

function setUp(t: TestContext): SiteFolder {
  const folder = temporaryFolder(t);
  const site = join(folder, "site");
  const file = (name: string, bytes: string | Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  return {
    site,
    file,
    publish: async (bytes, ...flags) => {
      const images = bytes === undefined ? [] : [file("fw.bin", bytes)];
      const { code, stderr } = await here("publish", "--site", site, ...images, ...flags);
      return code === 0 ? "" : stderr.trim();
    },
    manifest: (name = "manifest.json") => JSON.parse(readFileSync(join(site, name), "utf8")) as SiteManifest,
  };
}

test("the last line of stdout is the manifest, the version and the percentage", async (t) => {
  const { site, file } = setUp(t);
  const fw = file("fw.bin", image("0.2.0"));
  const { code, stdout } = await xsOta("publish", "--site", site, fw, "--percent", "25");
  assert.equal(code, 0);
  assert.equal(stdout, '{"manifest":"manifest.json","version":"0.2.0","percent":25}\n');
});

test("an image under a name with its digest, and a manifest that names it with all that a device asks for", async (t) => {
  const { site, publish, manifest } = setUp(t);
  const bytes = image("0.2.0");
  assert.equal(await publish(bytes), "");
  const { builds, ...rest } = manifest();
  assert.deepEqual(rest, { name: "xs-ota-board", version: "0.2.0", product: "xs-ota-board", percent: 100 });
  const sha256 = hash("sha256", bytes);
  const path = `xs-ota-board-0.2.0-ESP32-${sha256.slice(0, 16)}.bin`;
  assert.deepEqual(builds, [
    { chipFamily: "ESP32", ota: { path, size: bytes.length, md5: hash("md5", bytes), sha256 } },
  ]);
  assert.deepEqual(readFileSync(join(site, path)), Buffer.from(bytes));
  assert.equal(wanted(readFileSync(join(site, "manifest.json"), "utf8"), { running: { chip: 0 } }), "0.2.0");
});

test("the release before stays beside a new one; a rollout that was never finished does not", async (t) => {
  const { site, publish, manifest } = setUp(t);
  for (const version of ["0.1.0", "0.2.0"]) await publish(image(version));
  await publish(image("0.3.0"), "--percent", "10");
  assert.equal(manifest().previous?.version, "0.2.0");
  await publish(image("0.4.0"), "--percent", "10");
  assert.equal(manifest().previous?.version, "0.2.0", "0.3.0 was for some devices only");
  assert.equal(readdirSync(site).filter((name) => name.endsWith(".bin")).length, 4, "no image is ever taken away");
});

test("without an image the percentage changes, and nothing else", async (t) => {
  const { publish, manifest } = setUp(t);
  await publish(image("0.1.0"));
  await publish(image("0.2.0"), "--percent", "5");
  const before = manifest();
  assert.equal(await publish(undefined, "--percent", "50"), "");
  assert.deepEqual(manifest(), { ...before, percent: 50 });
  await publish(image("0.2.0"));
  assert.equal(manifest().percent, 50, "the same image again changes nothing");
  await publish(undefined, "--percent", "0");
  assert.equal(manifest().percent, 0);
});

test("a release for several chips, and channels side by side", async (t) => {
  const { publish, manifest } = setUp(t);
  await publish(image("0.2.0"));
  await publish(image("0.2.0", { chip: 5 }));
  assert.deepEqual(
    manifest().builds.map(({ chipFamily }) => chipFamily),
    ["ESP32", "ESP32-C3"],
  );
  await publish(image("0.3.0"), "--manifest", "beta.json");
  assert.deepEqual([manifest().version, manifest("beta.json").version], ["0.2.0", "0.3.0"]);
});

test("fields that others have put into the manifest stay", async (t) => {
  const { site, publish, manifest } = setUp(t);
  await publish(image("0.2.0"));
  const own = { ...manifest(), name: "My thermostat", new_install_prompt_erase: true };
  writeFileSync(join(site, "manifest.json"), JSON.stringify(own));
  await publish(image("0.3.0"));
  assert.deepEqual([manifest().name, (manifest() as unknown as typeof own).new_install_prompt_erase], [own.name, true]);
});

test("a container stands in a field of our own; ota is the plain image", async (t) => {
  const { site, file, publish, manifest } = setUp(t);
  const bytes = image("0.2.0");
  const { bytes: container } = await pack({ to: bytes, from: [image("0.1.0")], seconds: 9, progress: () => undefined });
  const delta = file("update.xsu", container);
  assert.equal(await publish(bytes, "--delta", delta), "");
  const { ota } = manifest().builds[0]!;
  assert.deepEqual(readFileSync(join(site, ota!.path)), Buffer.from(bytes));
  assert.deepEqual(readFileSync(join(site, ota!.delta!.path)), Buffer.from(container));
  assert.equal(ota?.delta?.sha256, hash("sha256", container));
  assert.match(await publish(container), /fw\.bin is a container, which no other client could flash/);
  assert.match(await publish(image("0.3.0"), "--delta", delta), /update\.xsu makes other bytes than .*fw\.bin$/);
  assert.match(await publish(bytes, "--delta", file("x.xsu", "?")), /x\.xsu: not a container$/);
});

test("--build adds what a browser flashes on a new board", async (t) => {
  const { site, publish, manifest } = setUp(t);
  const build = temporaryFolder(t);
  const app = image("0.2.0");
  const list = {
    flash_files: { "0x1000": "bootloader.bin", "0x8000": "table.bin", "0x10000": "xs_esp32.bin" },
    app: { offset: "0x10000", file: "xs_esp32.bin" },
  };
  writeFileSync(join(build, "bootloader.bin"), "boot");
  writeFileSync(join(build, "table.bin"), "table");
  writeFileSync(join(build, "xs_esp32.bin"), app);
  assert.match(
    await publish(undefined, "--build", build),
    /has no flasher_args\.json: give the build folder of ESP-IDF/,
  );
  writeFileSync(join(build, "flasher_args.json"), JSON.stringify(list));
  assert.equal(await publish(undefined, "--build", build), "");
  const { parts = [], ota } = manifest().builds[0]!;
  assert.deepEqual(
    parts.map(({ offset }) => offset),
    [0x1000, 0x8000, 0x10000],
  );
  assert.equal(parts[2]?.path, ota?.path);
  assert.equal(readFileSync(join(site, parts[0]!.path), "utf8"), "boot");
  assert.match(
    await publish(image("0.3.0"), "--build", build),
    /the build's app has version 0\.2\.0, the image has 0\.3\.0$/,
  );
  for (const [text, message] of [
    ["?", /flasher_args\.json is not JSON$/],
    ["{}", /flasher_args\.json has no flash_files$/],
    ['{"flash_files":{"x":"table.bin"}}', /x is no place in flash$/],
    ['{"flash_files":{"0x0":"table.bin"}}', /names no app$/],
    ['{"flash_files":{"0x0":"none.bin"}}', /none\.bin can not be read/],
  ] as const) {
    writeFileSync(join(build, "flasher_args.json"), text);
    assert.match(await publish(undefined, "--build", build), message);
  }
});

test("what would be no update is refused with one line, and the folder stays as it was", async (t) => {
  const { site, file, publish, manifest } = setUp(t);
  assert.match(await publish(undefined), /^error: nothing to publish: give an image, or --percent alone$/);
  assert.match(await publish(undefined, "--percent", "5"), /has no manifest\.json yet: give an image$/);
  await publish(image("0.2.0"));
  const before = readdirSync(site).sort();
  for (const [bytes, message] of [
    [image("0.1.0"), /^error: 0\.1\.0 is older than 0\.2\.0, which is published \(--force publishes it\)$/],
    [image("0.2.0", { seed: "x", size: 30_000 }), /^error: 0\.2\.0 is published with other bytes/],
    [image("0.3.0", { product: "other" }), /^error: the folder has product "xs-ota-board", the image is of "other"$/],
    [Buffer.from("hello, this is text"), /fw\.bin: not an ESP image/],
    [image("0.3.0", { size: 30_000 }).subarray(0, 9_000), /fw\.bin: /],
  ] as const)
    assert.match(await publish(bytes), message);
  for (const [flags, message] of [
    [["--percent", "101"], /It is a number from 0 to 100/],
    [["--percent", "-1"], /It is a number from 0 to 100/],
    [["--manifest", "../x.json"], /It is a file name that ends in \.json/],
    [["--percent", "5", "--delta", file("a.xsu", "")], /nothing to publish/],
  ] as const)
    assert.match(await publish(undefined, ...flags), message);
  assert.deepEqual(readdirSync(site).sort(), before);
  await publish(image("0.1.0"), "--force");
  assert.equal(manifest().version, "0.1.0");
});

test("a manifest never names a file that is not there", async (t) => {
  const { site, publish, manifest } = setUp(t);
  await publish(image("0.1.0"));
  await publish(image("0.2.0"));
  const { previous, builds } = manifest();
  rmSync(join(site, previous!.builds[0]!.ota!.path));
  assert.equal(await publish(undefined, "--percent", "50"), "");
  assert.equal(manifest().previous, undefined);
  const text = readFileSync(join(site, "manifest.json"), "utf8");
  rmSync(join(site, builds[0]!.ota!.path));
  assert.match(
    await publish(undefined, "--percent", "60"),
    /^error: manifest\.json would name xs-ota-board-0\.2\.0-.*which is not in/,
  );
  assert.equal(readFileSync(join(site, "manifest.json"), "utf8"), text);
  assert.equal(await publish(image("0.2.0")), "", "the image again mends it");
  assert.ok(existsSync(join(site, builds[0]!.ota!.path)));
});

test("a file that is no manifest is not replaced", async (t) => {
  const { site, publish } = setUp(t);
  await publish(image("0.2.0"));
  for (const text of ["?", "[]", '{"version":"1","builds":[{}]}']) {
    writeFileSync(join(site, "manifest.json"), text);
    assert.match(await publish(image("0.3.0")), /manifest\.json: it is (not JSON|no manifest)/);
    assert.equal(readFileSync(join(site, "manifest.json"), "utf8"), text);
  }
});
