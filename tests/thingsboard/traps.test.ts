/** What clients in the field get wrong on ThingsBoard, and ours must not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { firmwareImage } from "../kit/images";
import { MINUTE, SECOND, SIZE, Scene, TITLE } from "./scene";

const CHUNKS = Math.ceil(SIZE / 4_096);

async function online(options: Parameters<typeof Scene.make>[0] = {}): Promise<Scene> {
  const scene = await Scene.make(options);
  scene.device.powerOn();
  scene.pass(5 * SECOND);
  return scene;
}

const updated = (scene: Scene, version: string): boolean =>
  scene.device.version === version && scene.device.state === "idle";
const inDownload = (scene: Scene, chunks = 3): boolean => scene.chunks >= chunks;

test("assigned while the device is away: nothing is pushed, so it asks when it comes", async () => {
  const scene = await Scene.make();
  await scene.offer("0.2.0");
  scene.device.powerOn();
  scene.must(() => updated(scene, "0.2.0"));
});

test("MQTT basic credentials", async () => {
  const scene = await online({ basic: true });
  await scene.offer("0.2.0");
  scene.must(() => updated(scene, "0.2.0"));
});

test("power lost in the download: it goes on at the checkpoint, under a new id", async () => {
  const scene = await online();
  await scene.offer("0.2.0");
  scene.must(() => inDownload(scene, 6));
  scene.cutPower();
  scene.pass(SECOND);
  scene.device.powerOn();
  scene.must(() => updated(scene, "0.2.0"));
  assert.ok(scene.chunks <= CHUNKS + 3, `${scene.chunks} chunks asked for, of ${CHUNKS}`);
});

test("re-assigned while the line is down, in mid-download: the other package alone, from its first byte", async () => {
  const scene = await online();
  await scene.upload("0.3.0");
  await scene.offer("0.2.0");
  scene.must(() => inDownload(scene, 6));
  scene.double.transport.restart();
  await scene.offer("0.3.0");
  scene.must(() => updated(scene, "0.3.0"));
  assert.deepEqual(
    (await scene.told("fw_error")).filter((text) => text !== ""),
    [],
  );
});

test("the server's cache loses the package: an id that is bound gets empty chunks for ever, a new one heals it", async () => {
  const scene = await online();
  await scene.offer("0.2.0");
  scene.must(() => inDownload(scene, 4));
  scene.double.transport.chunks.clear();
  scene.must(() => updated(scene, "0.2.0"), MINUTE);
  assert.ok(scene.chunks <= CHUNKS + 4, `${scene.chunks} chunks asked for, of ${CHUNKS}`);
});

test("a download of more than ten minutes: the session is kept alive, chunks are no activity to the server", async () => {
  const scene = await online({ latency: 4_500 });
  await scene.offer("0.2.0", { bytes: firmwareImage("0.2.0", 800_000) });
  scene.must(() => updated(scene, "0.2.0"), 40 * MINUTE);
  assert.equal(scene.network.traffic(1883).connections, 2, "one before the restart, one after it");
});

for (const http of [false, true])
  test(`limits of 20 messages a second and 600 a minute, over ${http ? "HTTP" : "MQTT"}: never tripped`, async () => {
    const scene = await online({ http, limits: "20:1,600:60" });
    await scene.offer("0.2.0");
    scene.must(() => updated(scene, "0.2.0"));
    assert.equal(scene.network.traffic(1883).connections, 2);
  });

test("withdrawn in mid-download: it stops, and the dashboard does not stay at DOWNLOADING", async () => {
  const scene = await online();
  await scene.offer("0.2.0");
  scene.must(() => inDownload(scene));
  await scene.withdraw();
  scene.pass(MINUTE);
  assert.equal(scene.device.state, "idle");
  assert.deepEqual([(await scene.states()).at(-1), (await scene.told("fw_error")).at(-1)], ["FAILED", "canceled"]);
});

test("withdrawn while the device is without power: the job ends at the next connect", async () => {
  const scene = await online();
  await scene.offer("0.2.0");
  scene.must(() => inDownload(scene));
  scene.cutPower();
  await scene.withdraw();
  const before = scene.chunks;
  scene.device.powerOn();
  scene.pass(5 * MINUTE);
  assert.deepEqual([scene.device.state, scene.chunks], ["idle", before]);
  assert.deepEqual([(await scene.states()).at(-1), (await scene.told("fw_error")).at(-1)], ["FAILED", "canceled"]);
});

for (const power of [false, true])
  test(`withdrawn, and the ${power ? "power" : "line"} is lost at any moment after it: canceled is told, and once more at most`, async () => {
    for (let moment = 0; moment <= 200; moment += 10) {
      const scene = await online();
      await scene.offer("0.2.0");
      scene.must(() => inDownload(scene));
      await scene.withdraw();
      scene.pass(moment);
      if (power) {
        scene.cutPower();
        scene.device.powerOn();
      } else scene.double.transport.restart();
      scene.pass(5 * MINUTE);
      const told = await scene.told("fw_error");
      assert.deepEqual([(await scene.states()).at(-1), told.at(-1)], ["FAILED", "canceled"], `after ${moment} ms`);
      const times = told.filter((text) => text === "canceled").length;
      assert.ok(times <= 2, `${times} times after ${moment} ms`);
      scene.cutPower();
      scene.device.powerOn();
      scene.pass(5 * MINUTE);
      assert.equal((await scene.told("fw_error")).length, told.length, "not told again by the next boot cycle");
    }
  });

/** Its trial fails. */
async function refused(): Promise<Scene> {
  let bad = true;
  const scene = await Scene.make({
    policy: { trialSeconds: 30 },
    device: {
      onHealthCheck: (answer) => answer(!(bad && scene.device.version === "0.2.0"), "the pump does not answer"),
    },
  });
  scene.device.powerOn();
  scene.pass(5 * SECOND);
  await scene.offer("0.2.0");
  scene.must(() => scene.device.version === "0.2.0");
  scene.must(() => updated(scene, "0.1.0"));
  scene.pass(MINUTE);
  bad = false;
  return scene;
}

test("firmware that fails its trial: FAILED with the version that runs, and never UPDATED", async () => {
  const scene = await refused();
  assert.equal((await scene.states()).at(-1), "FAILED");
  assert.ok(!(await scene.states()).includes("UPDATED"));
  assert.match((await scene.told("fw_error")).at(-1)!, /^trial: .*the pump does not answer/);
  assert.equal((await scene.told("current_fw_version")).at(-1), "0.1.0");
  assert.ok(!(await scene.told("current_fw_version")).includes("0.2.0"), "not told before it was confirmed");
});

test("the offer stands after a failure: neither a reconnect nor a restart begins it again, or tells FAILED again", async () => {
  const scene = await refused();
  const [before, told] = [scene.chunks, (await scene.told()).length];
  scene.double.transport.restart();
  scene.pass(5 * MINUTE);
  scene.cutPower();
  scene.device.powerOn();
  scene.pass(5 * MINUTE);
  assert.deepEqual([scene.chunks, (await scene.told()).length], [before, told]);
});

test("xs_ota_retry after a failure: what was refused goes in, also where the device was away when it was set", async () => {
  for (const away of [false, true]) {
    const scene = await refused();
    if (away) scene.cutPower();
    await scene.operator.setShared(scene.id, { xs_ota_retry: 1 });
    if (away) scene.device.powerOn();
    scene.must(() => updated(scene, "0.2.0"));
    assert.equal((await scene.states()).at(-1), "UPDATED");
  }
});

test("the same xs_ota_retry resets once, not at each restart", async () => {
  const scene = await refused();
  await scene.operator.setShared(scene.id, { xs_ota_retry: "a" });
  scene.must(() => updated(scene, "0.2.0"));
  scene.pass(5 * SECOND);
  const before = (await scene.operator.attributes(scene.id, "CLIENT_SCOPE"))["xs_ota_retry"];
  const asked = scene.count("v1/devices/me/attributes");
  scene.cutPower();
  scene.device.powerOn();
  scene.pass(MINUTE);
  assert.equal(before, "a");
  assert.equal(scene.count("v1/devices/me/attributes") - asked, 1, "it asked, and had nothing to store");
});

test("the next version goes in after a failure", async () => {
  const scene = await refused();
  await scene.offer("0.3.0");
  scene.must(() => updated(scene, "0.3.0"));
});

test("the version that runs is assigned: UPDATED once, not at each restart", async () => {
  const scene = await online();
  await scene.offer("0.1.0");
  scene.pass(MINUTE);
  assert.deepEqual(await scene.states(), ["QUEUED", "INITIATED", "UPDATED"]);
  const told = (await scene.told()).length;
  for (let restart = 0; restart < 3; restart++) {
    scene.cutPower();
    scene.device.powerOn();
    scene.pass(MINUTE);
  }
  assert.equal((await scene.told()).length, told);
});

for (const http of [false, true])
  test(`re-assigned in mid-download to what this device can not have, over ${http ? "HTTP" : "MQTT"}: nothing goes in`, async () => {
    const scene = await online({ http, latency: 100 });
    await scene.offer("0.2.0");
    scene.must(() => scene.device.state === "downloading");
    await scene.offer("0.3.0", { title: "toaster" });
    scene.pass(30 * MINUTE);
    assert.deepEqual([scene.device.version, scene.device.state], ["0.1.0", "idle"]);
    assert.equal((await scene.told()).filter((state) => state === "FAILED").length, 1);
    assert.match((await scene.told("fw_error")).at(-1)!, /^refused: .*fw_title/);
  });

test("an image that was refused is assigned again after another one: it is answered again", async () => {
  const scene = await online({ policy: { allowDowngrade: true } });
  const wrong = { bytes: firmwareImage("0.2.1", SIZE) };
  await scene.offer("0.2.0", wrong);
  scene.pass(MINUTE);
  await scene.offer("0.3.0");
  scene.must(() => updated(scene, "0.3.0"));
  await scene.offer("0.2.0", wrong);
  scene.pass(MINUTE);
  assert.equal((await scene.states()).at(-1), "FAILED");
  assert.match((await scene.told("fw_error")).at(-1)!, /^refused: version in the image is 0.2.1/);
});

for (const [what, more, error] of [
  ["another product's title", { title: "toaster" }, /^refused: .*fw_title/],
  ["a checksum that proves nothing", { algorithm: "CRC32" }, /^refused: .*CRC32/],
  [
    "a package whose image has another version",
    { bytes: firmwareImage("0.2.1", SIZE) },
    /^refused: version in the image/,
  ],
] as const)
  test(`${what}: FAILED once, with the reason`, async () => {
    const scene = await online();
    await scene.offer("0.2.0", more);
    scene.pass(MINUTE);
    scene.double.transport.restart();
    scene.pass(MINUTE);
    assert.match((await scene.told("fw_error")).at(-1)!, error);
    assert.equal((await scene.told()).filter((state) => state === "FAILED").length, 1);
    assert.equal(scene.device.version, "0.1.0");
  });

test("what runs is told at each connect, with the title", async () => {
  const scene = await online();
  assert.deepEqual(
    [await scene.told("current_fw_title"), await scene.told("current_fw_version")],
    [[TITLE], ["0.1.0"]],
  );
});
