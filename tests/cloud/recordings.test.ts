/** Recordings of failed updates reach the cloud over the device's own topic, and outlive it. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createCloud, type Cloud } from "../../host-sim/cloud/core/cloud";
import { DEVICES_WITH_RECORDINGS, Recordings, recordingsTopic } from "../../host-sim/cloud/core/devices/recordings";
import type { BusMessage } from "../../host-sim/cloud/core/broker/bus";
import type { Device } from "../../host-sim/cloud/core/devices/devices";
import { Recorder } from "../../src/recorder/recorder";
import { JobFixture, image, offerOf } from "../job/job-fixture";
import { BOARD, BOARD_ID, credentials, mqtt } from "./helpers";

/** In base64, as a device publishes it. */
function recording(random: number): string {
  const fixture = new JobFixture({ recorder: () => new Recorder(random) });
  fixture.connect();
  fixture.push(offerOf(image("0.2.0", 60_000), "0.2.0"));
  fixture.dispatch({ type: "download-failed", cause: "not-found", message: "HTTP 404: the file does not exist" });
  return Buffer.from(fixture.recordings.at(-1)!).toString("base64");
}

const references = (cloud: Cloud): string[] => cloud.recordings.of(BOARD_ID).map(({ reference }) => reference);

test("the cloud keeps a device's last eight recordings, over its own restart, and nothing else from that topic", async () => {
  const state = await mkdtemp(join(tmpdir(), "xs-ota-recordings-"));
  let cloud = await createCloud({ state });
  try {
    await cloud.start();
    cloud.addDevice("tencent", BOARD);
    const client = await mqtt({ port: cloud.mqttPort, ...credentials(BOARD) });
    const publish = (topic: string, payload: string): Promise<unknown> =>
      client.publishAsync(topic, payload, { qos: 1 });
    const topic = recordingsTopic(BOARD_ID);
    const whole = recording(0);
    for (const bad of ["", "no base64!", "AAAA", whole.slice(0, 400), "A".repeat(9_000)]) await publish(topic, bad);
    await publish(recordingsTopic("tencent/A1B2C3D4E5/another"), whole);
    assert.deepEqual(references(cloud), []);
    for (let number = 0; number < 10; number++) await publish(topic, recording(number / 16));
    await publish(topic, recording(9 / 16));
    const kept = ["200000", "300000", "400000", "500000", "600000", "700000", "800000", "900000"];
    assert.deepEqual(references(cloud), kept);
    await client.endAsync(true);
    await cloud.close();
    cloud = await createCloud({ state });
    assert.deepEqual(references(cloud), kept);
    cloud.removeDevice(BOARD_ID);
    await cloud.close();
    cloud = await createCloud({ state });
    cloud.addDevice("tencent", BOARD);
    assert.deepEqual(references(cloud), []);
  } finally {
    await cloud.close();
    await rm(state, { recursive: true, force: true });
  }
});

test("of a fleet that fails, the recordings of the devices that failed last are kept", () => {
  let hear: ((message: BusMessage) => void) | undefined;
  const added: string[] = [];
  const device = (id: string): Device => ({ id, platform: "tencent", name: id, online: true });
  const recordings = new Recordings(
    {
      bus: {
        tellsPresence: false,
        publish() {},
        onMessage: (_, handler) => ((hear = handler), () => undefined),
        onPresence: () => () => undefined,
      },
      database: undefined,
      keeper: undefined,
      devices: { get: device },
    },
    ({ id }) => added.push(id),
  );
  const payload = Buffer.from(recording(0));
  for (let number = 0; number <= DEVICES_WITH_RECORDINGS; number++)
    hear?.({ topic: recordingsTopic(`d${number}`), payload, qos: 1, dup: false, at: number });
  assert.equal(added.length, DEVICES_WITH_RECORDINGS + 1);
  assert.equal(recordings.of("d0").length, 0);
  assert.equal(recordings.of("d1").length, 1);
  assert.equal(recordings.of(`d${DEVICES_WITH_RECORDINGS}`).length, 1);
});
