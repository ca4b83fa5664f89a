/** A ThingsBoard server, and firmware, that fail in the middle of an update. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answer as answerWith, jsonAnswer } from "../doubles/http/message";
import type { HttpAnswer } from "../doubles/http/message";
import { firmwareImage } from "../kit/images";
import { MINUTE, SECOND, SIZE, Scene } from "./scene";
import type { SceneOptions } from "./scene";

const WHOLE = ["QUEUED", "INITIATED", "DOWNLOADING", "DOWNLOADED", "VERIFIED", "UPDATING", "UPDATED"];

/** In the middle of the download of 0.2.0. */
async function halfway(options: SceneOptions): Promise<Scene> {
  const scene = await Scene.make({ latency: 50, ...options });
  scene.device.powerOn();
  scene.pass(5 * SECOND);
  await scene.offer("0.2.0");
  scene.must(() => scene.device.state === "downloading");
  scene.pass(options.http === true ? 150 : 1_500);
  return scene;
}

const updated = (scene: Scene): boolean => scene.device.version === "0.2.0" && scene.device.state === "idle";

const chunked = { framing: "chunked" } as const;
const error = { status: 400, message: "Required parameter is missing or malformed" };
const ANSWERS: readonly (readonly [what: string, answer: HttpAnswer, failure?: RegExp])[] = [
  ["401", answerWith(401, { close: true }), /^download: HTTP 401/],
  ["404", answerWith(404, { close: true }), /^download: HTTP 404/],
  ["429", answerWith(429, { headers: { "Retry-After": "5" } })],
  ["500", answerWith(500, { close: true })],
  ["400 with JSON in chunks", jsonAnswer(400, error, chunked), /^download: HTTP 400/],
  ["200 with JSON in chunks", jsonAnswer(200, error, chunked), /^download: HTTP 200: a JSON document/],
];

for (const [what, answer, failure] of ANSWERS) {
  test(`HTTP ${what}, twice in the middle of the download: it goes on`, async () => {
    const scene = await halfway({ http: true });
    const fault = { path: /firmware/, answer };
    scene.double.faults.push(fault, fault);
    scene.must(() => updated(scene));
    assert.equal(scene.double.faults.length, 0);
    assert.deepEqual(await scene.states(), WHOLE);
  });

  test(`HTTP ${what} for good: FAILED once, and nothing more is asked for`, async () => {
    const scene = await halfway({ http: true });
    const faults = Array.from({ length: 2_000 }, () => ({ path: /firmware/, answer }));
    scene.double.faults.push(...faults);
    scene.pass(30 * MINUTE);
    const asked = faults.length - scene.double.faults.length;
    assert.ok(asked < 60, `${asked} requests`);
    scene.pass(120 * MINUTE);
    assert.equal(faults.length - scene.double.faults.length, asked);
    assert.equal((await scene.told()).filter((state) => state === "FAILED").length, 1);
    assert.match((await scene.told("fw_error")).at(-1)!, failure ?? /^network: no new data for 15 min: HTTP/);
  });
}

test("another package is assigned while the broker is away: HTTP answers 400, and nothing is told to have failed", async () => {
  for (const seed of [1, 2, 3]) {
    const scene = await halfway({ http: true, seed });
    scene.double.transport.restart();
    await scene.offer("0.3.0");
    scene.must(() => scene.device.version === "0.3.0" && scene.device.state === "idle");
    assert.ok(!(await scene.told()).includes("FAILED"));
  }
});

for (const http of [false, true])
  for (const seconds of [5, 1_200])
    test(`the credential is another one for ${seconds} s, over ${http ? "HTTP" : "MQTT"}: the download goes on`, async () => {
      const scene = await halfway({ http });
      const device = scene.double.repository.device(scene.id);
      const { credentials } = device;
      // CONNACK 5 and HTTP 401.
      scene.double.repository.setCredentials(device, { type: "MQTT_BASIC", userName: "another" });
      scene.pass(seconds * SECOND);
      scene.double.repository.setCredentials(device, credentials);
      scene.must(() => updated(scene), 30 * MINUTE);
      assert.deepEqual(await scene.states(), WHOLE);
    });

for (const sized of [false, true])
  test(`a package that is only an address, ${sized ? "with" : "without"} size and checksum`, async () => {
    const scene = await Scene.make({ policy: { allowNoDigest: true } });
    const bytes = firmwareImage("0.2.0", SIZE);
    const asOffered = { title: "other", version: "0.2.0", bytes };
    const other = await scene.operator.upload(scene.profile, asOffered);
    const { size, checksum } = scene.double.repository.package(other);
    const file = scene.serve(bytes);
    scene.device.powerOn();
    scene.pass(5 * SECOND);
    const link = { title: "thermostat", version: "0.2.0", url: file };
    await scene.operator.assign(
      scene.id,
      await scene.operator.link(
        scene.profile,
        sized ? { ...link, size: size!, algorithm: "SHA256", checksum: checksum! } : link,
      ),
    );
    scene.must(() => updated(scene));
    assert.deepEqual(await scene.states(), WHOLE);
  });
