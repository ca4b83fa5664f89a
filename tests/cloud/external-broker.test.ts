import assert from "node:assert/strict";
import { Aedes } from "aedes";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { MqttClient } from "mqtt";
import { createCloud, type Cloud } from "../../host-sim/cloud/core/cloud";
import { brokerAddress } from "../../host-sim/cloud/core/broker/external-broker";
import { BOARD, BOARD_ID, firmware, mqtt, REPORT, UPDATE } from "./helpers";

/** A broker of its own, which knows nothing of the cloud. */
async function withBroker(use: (port: number, aedes: Aedes) => Promise<void>): Promise<void> {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    await use((server.address() as AddressInfo).port, aedes);
  } finally {
    const closed = once(server, "close");
    server.close();
    await new Promise<void>((resolve) => aedes.close(resolve));
    await closed;
  }
}

const url = (port: number): string => `mqtt://127.0.0.1:${port}`;

async function started(cloud: Cloud): Promise<Cloud> {
  await cloud.start();
  return cloud;
}

/** Resolves with the next offer. */
function offered(device: MqttClient): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    device.on("message", (_topic, payload) => {
      const message = JSON.parse(payload.toString()) as Record<string, unknown>;
      if (message["type"] === "update_firmware") resolve(message);
    });
  });
}

const report = (device: MqttClient, body: object): Promise<unknown> =>
  device.publishAsync(REPORT, JSON.stringify(body), { qos: 1 });
const done = (version: string): object => ({
  type: "report_progress",
  report: { progress: { state: "done", result_code: "0", result_msg: "" }, version },
});

test("a device at a broker elsewhere is heard, pushed to and done", async () => {
  await withBroker(async (port) => {
    const cloud = await started(await createCloud({ broker: { url: url(port) } }));
    cloud.addDevice("tencent", BOARD);
    assert.deepEqual((cloud.deviceConfig(BOARD_ID) as { mqtt: unknown }).mqtt, { host: "127.0.0.1", port, tls: false });
    const file = await cloud.packages.add(firmware(3_000), { version: "2" });
    const device = await mqtt({ port, clientId: "A1B2C3D4E5ota-bench-01" });
    await device.subscribeAsync(UPDATE, { qos: 1 });
    assert.equal(cloud.devices.get(BOARD_ID)?.online, false);
    const heard = once(cloud, "device");
    await report(device, { type: "report_version", report: { version: "1" } });
    await heard;
    assert.equal(cloud.devices.get(BOARD_ID)?.online, true);
    const offer = offered(device);
    const task = cloud.push(BOARD_ID, file);
    assert.equal((await offer)["version"], "2");
    await report(device, done("2"));
    assert.equal((await cloud.settled(task.id)).status, "success");
    assert.deepEqual(cloud.violations(), []);
    await device.endAsync(true);
    await cloud.stop();
  });
});

test("nobody tells who is connected, so that a push goes out to a device that was not heard of yet", async () => {
  await withBroker(async (port) => {
    const cloud = await started(await createCloud({ broker: { url: url(port) } }));
    cloud.addDevice("tencent", BOARD);
    const file = await cloud.packages.add(firmware(3_000), { version: "2" });
    const device = await mqtt({ port, clientId: "A1B2C3D4E5ota-bench-01" });
    await device.subscribeAsync(UPDATE, { qos: 1 });
    const offer = offered(device);
    cloud.push(BOARD_ID, file);
    assert.equal((await offer)["version"], "2");
    await device.endAsync(true);
    await cloud.stop();
  });
});

test("what a device reports while the cloud is down is there when it is up again", async () => {
  const state = await mkdtemp(join(tmpdir(), "xs-ota-broker-"));
  try {
    await withBroker(async (port) => {
      const open = async (): Promise<Cloud> => started(await createCloud({ state, broker: { url: url(port) } }));
      const first = await open();
      first.addDevice("tencent", BOARD);
      const file = await first.packages.add(firmware(3_000), { version: "2" });
      const task = first.push(BOARD_ID, file);
      await first.close();
      const device = await mqtt({ port, clientId: "A1B2C3D4E5ota-bench-01" });
      await report(device, done("2"));
      const second = await open();
      assert.equal((await second.settled(task.id)).status, "success");
      await device.endAsync(true);
      await second.close();
    });
  } finally {
    await rm(state, { recursive: true, force: true });
  }
});

test("the broker going and coming back is told; the cloud hears its devices again", async () => {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const cloud = await started(await createCloud({ broker: { url: url(port) } }));
  cloud.addDevice("tencent", BOARD);
  const gone = once(cloud, "broker");
  server.close();
  await new Promise<void>((resolve) => aedes.close(resolve));
  assert.equal((await gone)[0], false);
  const back = new Promise<void>((resolve) => cloud.on("broker", (connected) => connected && resolve()));
  const again = await Aedes.createBroker();
  // The cloud subscribes once it is connected again.
  const subscribed = new Promise<void>((resolve) =>
    again.on("subscribe", (subscriptions) => {
      if (subscriptions.some(({ topic }) => topic === "$ota/report/+/+")) resolve();
    }),
  );
  const second = createServer(again.handle);
  await once(second.listen(port, "127.0.0.1"), "listening");
  await Promise.all([back, subscribed]);
  const device = await mqtt({ port, clientId: "A1B2C3D4E5ota-bench-01" });
  const reported = new Promise<void>((resolve) => cloud.on("device", ({ version }) => version === "1" && resolve()));
  await report(device, { type: "report_version", report: { version: "1" } });
  await reported;
  await device.endAsync(true);
  await cloud.stop();
  second.close();
  await new Promise<void>((resolve) => again.close(resolve));
});

test("a broker that is not there, refuses, or is none, is one line without its password", async () => {
  for (const text of ["http://127.0.0.1", "127.0.0.1:1883", "mqtt://", "mqtts://user:hunter2@"]) {
    assert.throws(() => brokerAddress(text), { message: "a broker is mqtt://host:port or mqtts://host:port" });
  }
  assert.deepEqual(brokerAddress("mqtts://us%40er:p%3Aw@[::1]"), {
    host: "::1",
    port: 8883,
    tls: true,
    username: "us@er",
    password: "p:w",
  });
  const nowhere = await createCloud({ broker: { url: "mqtt://user:hunter2@127.0.0.1:1" } });
  await assert.rejects(
    nowhere.start(),
    (error: Error) =>
      /^no connection to the broker at 127\.0\.0\.1:1: [^\n]*$/.test(error.message) &&
      !error.message.includes("hunter2"),
  );
  await withBroker(async (port, aedes) => {
    aedes.authenticate = (_client, _user, _password, next) =>
      next(Object.assign(new Error("no"), { returnCode: 5 }) as never, false);
    const refused = await createCloud({ broker: { url: `mqtt://user:hunter2@127.0.0.1:${port}` } });
    await assert.rejects(
      refused.start(),
      (error: Error) => /Not authorized/.test(error.message) && !error.message.includes("hunter2"),
    );
    assert.equal(refused.httpPort, 0);
  });
});
