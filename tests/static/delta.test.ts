/** A container of deltas beside the plain image: a device for which it has a part takes it, and any other the image. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { signFirmware } from "../../host-sim/cli/signing/firmware-file";
import { containerOf } from "../kit/containers";
import { firmwareImage } from "../kit/images";
import { related } from "../powercut/simulation/container-images";
import { scene, SIZE } from "./site";
import type { Scene } from "./site";

const RUNNING = firmwareImage("0.1.0", SIZE);
const NEXT = related("0.2.0", SIZE);
/** With a patch from what the device runs, or from another image; neither has the whole image. */
const FITTING = containerOf(NEXT, [RUNNING], { whole: false }).bytes;
const FOREIGN = containerOf(NEXT, [related("0.0.9", SIZE)], { whole: false }).bytes;

/** Between two power cuts that are tried. */
const STEPS = 7;

/** Publishes 0.2.0 with a container beside it, and lets the device take it. */
function updated(container: Uint8Array, options: Parameters<typeof scene>[0] = {}, image = NEXT): Scene {
  const all = scene(options);
  const { site, device, until } = all;
  site.publish("0.2.0", { ...site.add("fw.bin", image), delta: site.add("fw.xsu", container) });
  device.powerOn();
  until("0.2.0 is reported", () => site.reports.length > 0);
  assert.equal(device.version, "0.2.0");
  assert.deepEqual(site.reports, [{ deviceId: "dev-1", version: "0.2.0", state: "done" }]);
  return all;
}

test("static: a device that runs the base of a part downloads the container, and not the image", () => {
  const { site } = updated(FITTING);
  assert.equal(site.bytesOf("fw.bin"), 0);
  assert.ok(site.bytesOf("fw.xsu") >= FITTING.length);
});

test("static: a container without a part for the device costs its head, and the image follows at once", () => {
  const { site, device, clock } = updated(FOREIGN);
  assert.ok(site.bytesOf("fw.bin") >= NEXT.length);
  assert.ok(clock.now() < 600_000, "before the next poll");
  const warnings = device.notices.filter(({ event }) => event === "warning");
  assert.match(JSON.stringify(warnings), /the plain image is taken: the container has no part for 0\.1\.0/);
  assert.equal(device.notices.filter(({ event }) => event === "resume").length, 0);
});

test("static: with allowDelta off the image is taken, and nothing of the container is fetched", () => {
  const { site } = updated(FITTING, { policy: { allowDelta: false } });
  assert.deepEqual([site.bytesOf("fw.xsu"), site.bytesOf("fw.bin") >= NEXT.length], [0, true]);
});

test("static: where signatures are asked for, an unsigned container costs its head, and the signed image follows", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const signed = signFirmware(NEXT, privateKey);
  const policy = { signingKeys: [publicKey.export({ type: "spki", format: "pem" }).toString()] };
  const unsigned = containerOf(signed, [RUNNING], { whole: false }).bytes;
  const { site } = updated(unsigned, { policy }, signed);
  assert.ok(site.bytesOf("fw.bin") >= signed.length);
  const { site: other } = updated(
    containerOf(signed, [RUNNING], { key: privateKey, whole: false }).bytes,
    { policy },
    signed,
  );
  assert.equal(other.bytesOf("fw.bin"), 0);
});

test("static: a container that is missing, or has other bytes than the manifest says, fails once; the next poll takes the image", () => {
  for (const damage of [undefined, FITTING.with(FITTING.length - 9, FITTING.at(-9)! ^ 1)]) {
    const { site, device, until } = scene();
    site.publish("0.2.0", { ...site.add("fw.bin", NEXT), delta: site.add("fw.xsu", FITTING) });
    if (damage === undefined) site.files.delete("/fw.xsu");
    else site.files.set("/fw.xsu", damage);
    device.powerOn();
    until("0.2.0 runs", () => device.version === "0.2.0" && device.state === "idle");
    const states = site.reports.map((each) => (each as { state: string }).state);
    assert.deepEqual(states, ["fail", "done"]);
  }
});

test("static: a power cut while the container is fetched costs a sector, and the container goes on", () => {
  const { site, device, until } = scene();
  site.publish("0.2.0", { ...site.add("fw.bin", NEXT), delta: site.add("fw.xsu", FITTING) });
  device.powerOn();
  until("a part of it is there", () => device.notices.some(isUnderWay));
  device.powerOff();
  device.powerOn();
  until("0.2.0 is reported", () => site.reports.length > 0);
  assert.equal(device.version, "0.2.0");
  assert.equal(site.bytesOf("fw.bin"), 0);
  assert.ok(device.notices.some(({ event }) => event === "resume"));
});

const isUnderWay = (notice: object): boolean => (notice as { percent?: number }).percent! >= 30;

test("static: wherever the power is cut, the device ends in the image, by container or plain, and reports it once", () => {
  for (const container of [FITTING, FOREIGN])
    for (let cut = 1, ended = false; !ended; cut += STEPS) {
      const { site, device, until } = scene();
      site.publish("0.2.0", { ...site.add("fw.bin", NEXT), delta: site.add("fw.xsu", container) });
      device.powerOn();
      let steps = 0;
      until("the moment of the cut", () => steps++ === cut || site.reports.length > 0);
      ended = site.reports.length > 0;
      device.powerOff();
      device.powerOn();
      until("0.2.0 is reported", () => site.reports.length > 0);
      assert.equal(device.version, "0.2.0", `cut at step ${cut}`);
      assert.deepEqual(site.reports, [{ deviceId: "dev-1", version: "0.2.0", state: "done" }], `cut at step ${cut}`);
    }
});
