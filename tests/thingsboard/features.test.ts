/** Sleep, containers of deltas, and packages of other modules on ThingsBoard. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { containerOf } from "../kit/containers";
import { firmwareImage } from "../kit/images";
import { related } from "../powercut/simulation/container-images";
import { MINUTE, SECOND, SIZE, Scene } from "./scene";

const updated = (scene: Scene): boolean => scene.device.version === "0.2.0" && scene.device.state === "idle";

test("wakes of a second, chunks over MQTT: each brings one at least", async () => {
  const scene = await Scene.make({ latency: 100, device: { sleepSeconds: 600, wake: { seconds: 1 } } });
  scene.device.powerOn();
  await scene.offer("0.2.0");
  scene.must(() => updated(scene), 3 * 60 * MINUTE);
});

for (const http of [false, true]) {
  const way = http ? "HTTP" : "MQTT";

  test(`a battery device over ${way}: the download goes on over its wakes, and it asks at each of them`, async () => {
    const scene = await Scene.make({ http, latency: 100, device: { sleepSeconds: 600, wake: { seconds: 5 } } });
    scene.device.powerOn();
    scene.pass(30 * MINUTE);
    assert.ok(scene.device.notices.filter(({ event }) => event === "sleep").length >= 2);
    // It hears of this at its next wake.
    await scene.offer("0.2.0", { bytes: firmwareImage("0.2.0", 300_000) });
    scene.must(() => updated(scene), 10 * 60 * MINUTE);
    scene.pass(MINUTE);
    assert.deepEqual((await scene.states()).at(-1), "UPDATED");
    const resumed = scene.device.notices.filter(({ event }) => event === "resume").length;
    assert.ok(resumed >= 1, `${resumed} times`);
    assert.equal((await scene.told()).filter((state) => state === "UPDATED").length, 1);
  });

  test(`a container of deltas over ${way}: the package is the container, its version that of the image`, async () => {
    const scene = await Scene.make({ http });
    scene.device.powerOn();
    scene.pass(5 * SECOND);
    const running = firmwareImage("0.1.0", SIZE);
    const { bytes } = containerOf(related("0.2.0", SIZE), [running], { whole: false });
    assert.ok(bytes.length < SIZE, `${bytes.length} bytes`);
    await scene.offer("0.2.0", { bytes });
    scene.must(() => updated(scene));
    assert.equal((await scene.states()).at(-1), "UPDATED");
  });
}
