/** The whole agent against the strict double, in virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECOND, SIZE, Scene, TITLE } from "./scene";

for (const http of [false, true])
  test(`an update over ${http ? "HTTP" : "MQTT"}: every state in the server's words, what runs with the outcome`, async () => {
    const scene = await Scene.make({ http });
    scene.device.powerOn();
    scene.pass(5 * SECOND);
    await scene.offer("0.2.0");
    scene.must(() => scene.device.version === "0.2.0" && scene.device.state === "idle");
    const words = ["QUEUED", "INITIATED", "DOWNLOADING", "DOWNLOADED", "VERIFIED", "UPDATING", "UPDATED"];
    assert.deepEqual(await scene.states(), words);
    assert.equal((await scene.told("current_fw_version")).at(-1), "0.2.0");
    assert.equal((await scene.told("current_fw_title")).at(-1), TITLE);
    assert.equal(scene.count("v2/fw/request/"), http ? 0 : Math.ceil(SIZE / 4_096), "each chunk once");
  });
