/**
 * Signed firmware on the SDK's engine, whose own arithmetic verifies it: forged images are refused, the right one is
 * installed.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import { TRAILER } from "../../src/signature/trailer";
import { makeKey, signed } from "../signature/test-keys";
import { BUILD, HeadlessRun, ROOT, build, buildHeadless } from "./harness";
import { sampleImage } from "../../host-sim/board/firmware/sample-image";

const DEVICE = { productId: "A1B2C3D4E5", deviceName: "moddable-signed", deviceSecret: "3ZxkQmVyVGVzdFZlY3Rvcg==" };
const [vendor, retired, stranger] = [makeKey(), makeKey(), makeKey()];

let folder: string;
let cloud: Cloud;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "xs-ota-moddable-"));
  cloud = await createCloud();
  await cloud.start();
});

after(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true });
});

test("a key as a file, one as PEM text, one in hex: forged images are refused by each check, and a signed one goes in", async (t) => {
  const app = build(ROOT, BUILD).path;
  const device = cloud.addDevice("tencent", DEVICE);
  writeFileSync(join(folder, "vendor.pem"), vendor.publicKey);
  const signingKeys = ["vendor.pem", retired.publicKey, Buffer.from(retired.point).toString("hex")];
  writeFileSync(join(folder, "device.json"), JSON.stringify({ ...cloud.deviceConfig(device), signingKeys }), {
    mode: 0o600,
  });
  const run = new HeadlessRun(buildHeadless(BUILD), app, { XS_OTA_SIM: folder });
  t.after(() => run.cut());
  while (cloud.devices.get(device)?.version === undefined)
    await new Promise<void>((resolve) => cloud.once("device", () => resolve()));

  const body = await sampleImage("0.2.0");
  const good = signed(body, vendor, false);
  const flip = (at: number): Uint8Array =>
    good.map((byte, index) => (index === (at < 0 ? good.length + at : at) ? byte ^ 1 : byte));
  const zeros = good.slice();
  zeros.fill(0, zeros.length - TRAILER + 16);
  zeros.set([0x30, 6, 2, 1, 0, 2, 1, 0], zeros.length - TRAILER + 16);
  zeros[zeros.length - TRAILER + 10] = 8;
  for (const [name, file, message] of [
    ["unsigned", body, /^the file is not signed$/],
    ["another key", signed(body, stranger, false), /^signature does not match the file$/],
    ["a bit of the image", flip(50_000), /^signature does not match the file$/],
    ["a bit of s", flip(-40), /^signature/],
    ["r = s = 0", zeros, /^signature number is out of range$/],
  ] as const) {
    const { code, message: said = "" } = await cloud.settled(
      cloud.push(device, await cloud.packages.add(file, { version: "0.2.0", name })).id,
    );
    assert.equal(code, -5, name);
    assert.match(said, message, `${name}\n${run.transcript()}`);
  }
  const { status, message } = await cloud.settled(cloud.push(device, await cloud.packages.add(good)).id);
  assert.equal(status, "success", message);
  assert.equal(cloud.devices.get(device)?.version, "0.2.0");
  assert.deepEqual(cloud.violations(), []);
});
