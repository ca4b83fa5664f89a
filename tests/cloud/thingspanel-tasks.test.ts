/** ThingsPanel's side of the local cloud, as its servers behave: what becomes of a task. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Aedes } from "aedes";
import { firmware, withCloud } from "./helpers";
import { V0, V1, PROGRESS, Device, step, version, onV0, onV1, now } from "./thingspanel";

/* ---- states ---- */

test("the way of a good task, by the server's numbers", async () => {
  for (const [on, id, topic, module, states] of [
    [onV0, "thingspanel/dev-1", PROGRESS.v0, "MCU", [2, 2, 3]],
    [onV1, "thingspanel/number-2", PROGRESS.v1, undefined, [3, 3, 4]],
  ] as const) {
    await on(async (cloud, device, file) => {
      const task = cloud.push(id, file);
      const seen: (number | undefined)[][] = [];
      for (const number of [1, 99, 100]) {
        await device.publish(topic, step(number, module));
        seen.push([now(cloud, task).state, now(cloud, task).percent]);
      }
      assert.deepEqual(seen, [
        [states[0], 1],
        [states[1], 99],
        [states[2], 99],
      ]);
      assert.equal(now(cloud, task).status, "success");
      assert.deepEqual(cloud.violations(), []);
    });
  }
});

test("a negative step ends the task for good; a device can not revive it", async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    await device.publish(PROGRESS.v0, step(-3, "MCU"));
    const failed = now(cloud, task);
    assert.deepEqual([failed.status, failed.state, failed.code, failed.message], ["failure", 4, -3, "step -3"]);
    await device.publish(PROGRESS.v0, step(50, "MCU"));
    assert.equal(now(cloud, task).state, 4);
    assert.deepEqual(
      cloud.violations().map(({ rule }) => rule),
      ["progress without a task under way"],
    );
  });
});

test("the final report may be repeated until its PUBACK: as a duplicate, or over a new connection", async () => {
  await onV1(async (cloud, device, file) => {
    cloud.push("thingspanel/number-2", file);
    await device.publish(PROGRESS.v1, step(100));
    await device.publish(PROGRESS.v1, step(100), true);
    const again = await Device.connect(cloud, { ...V1, clientId: "dev-2b" });
    await again.publish(PROGRESS.v1, step(100));
    assert.deepEqual(cloud.violations(), []);
    await again.publish(PROGRESS.v1, step(99));
    assert.equal(cloud.violations().length, 1);
    await again.leave();
  });
});

test("what is no step changes nothing; numbers are taken, decimals cut", async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    for (const bad of ["0", "101", "-5", "half", ""]) await device.publish(PROGRESS.v0, step(bad, "MCU"));
    for (const bad of [true, null, undefined, {}])
      await device.publish(PROGRESS.v0, { step: bad, desc: "", module: "MCU" });
    await device.publish(PROGRESS.v0, { step: "50", desc: 5, module: "MCU" });
    assert.deepEqual([now(cloud, task).state, now(cloud, task).percent], [1, undefined]);
    await device.publish(PROGRESS.v0, { step: 37.9, desc: "", module: "MCU" });
    assert.deepEqual([now(cloud, task).state, now(cloud, task).percent], [2, 37]);
    assert.ok(cloud.violations().length >= 11);
  });
});

test('v0 sees no report of another module, and takes none for ""', async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    await device.publish(PROGRESS.v0, step(50));
    await device.publish(PROGRESS.v0, step(50, "mcu"));
    assert.equal(now(cloud, task).state, 1);
    cloud.cancel(task.id);
    for (const module of ["", null]) {
      const next = cloud.push("thingspanel/dev-1", file, { fields: { module } });
      await device.publish(PROGRESS.v0, step(50));
      assert.equal(now(cloud, next).state, 2);
    }
  });
});

test("v0, re-pushes: three for versions that are not the target's, the next fails the task; only while upgrading", async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    await device.publish("ota/device/inform", version("0.1.0"));
    assert.equal(now(cloud, task).pushes, 1, "not before the first step");
    await device.publish(PROGRESS.v0, step(1, "MCU"));
    await device.publish("ota/device/inform", version("0.2.0"));
    assert.deepEqual(
      [now(cloud, task).pushes, now(cloud, task).state],
      [1, 2],
      "the target's own version is no success",
    );
    for (const pushes of [2, 3, 4]) {
      await device.publish("ota/device/inform", version("0.1.0"));
      assert.deepEqual([now(cloud, task).pushes, now(cloud, task).state], [pushes, 2]);
    }
    await device.publish("ota/device/inform", version("0.1.0"));
    assert.deepEqual([now(cloud, task).pushes, now(cloud, task).state, now(cloud, task).status], [4, 4, "failure"]);
    const told = await device.received(4);
    assert.equal(new Set(told.map(({ id }) => id)).size, 4);
    assert.equal(new Set(told.map(({ params }) => JSON.stringify(params))).size, 1);
  });
});

test("offline: v0 waits for a version report, v1 fails the task", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("thingspanel", V0);
    cloud.addDevice("thingspanel", V1);
    const file = await cloud.packages.add(firmware(10_000), { version: "0.2.0" });
    const task = cloud.push("thingspanel/dev-1", file);
    assert.deepEqual([task.state, task.pushes], [2, 0]);
    const device = await Device.connect(cloud, V0);
    await device.subscribe("ota/device/inform/token-123");
    await device.publish("ota/device/inform", version("0.1.0"));
    await device.received(1);
    assert.deepEqual([now(cloud, task).pushes, now(cloud, task).status, now(cloud, task).state], [1, "pushed", 2]);
    await device.leave();
    const refused = cloud.push("thingspanel/number-2", file);
    assert.deepEqual([refused.status, refused.state, refused.message], ["failure", 5, "设备离线"]);
  });
});

test("cancelled: the device hears nothing, and what it says then is no violation", async () => {
  for (const [on, id, topic, module, state] of [
    [onV0, "thingspanel/dev-1", PROGRESS.v0, "MCU", 5],
    [onV1, "thingspanel/number-2", PROGRESS.v1, undefined, 6],
  ] as const) {
    await on(async (cloud, device, file) => {
      const task = cloud.push(id, file);
      await device.received(1);
      cloud.cancel(task.id);
      await device.publish(topic, step(50, module));
      await device.publish(topic, step(100, module));
      assert.deepEqual([now(cloud, task).state, device.texts.length, cloud.violations()], [state, 1, []]);
    });
  }
});

test("v0 behind VerneMQ: progress goes one level deeper", async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    await device.publish(`${PROGRESS.v0}/token-123`, step(50, "MCU"));
    assert.equal(now(cloud, task).percent, 50);
  });
});

test("devices: added by plain JSON, given back, described, removed", async () => {
  await withCloud({}, async (cloud) => {
    const id = cloud.addDevice("thingspanel", V1);
    assert.equal(id, "thingspanel/number-2");
    assert.deepEqual(cloud.identity(id), V1);
    const config = cloud.deviceConfig(id);
    assert.deepEqual(config, {
      platform: "thingspanel",
      mqtt: { host: "127.0.0.1", port: cloud.mqttPort, tls: false },
      profile: "v1",
      username: "user-7",
      password: "s3cr3t7",
      clientId: "dev-2",
      deviceNumber: "number-2",
    });
    assert.throws(() => cloud.addDevice("thingspanel", V1), /is there already/);
    for (const [identity, message] of [
      [{}, /profile/],
      [{ profile: "v1" }, /username/],
      [{ ...V1, username: "a/b" }, /username/],
      [{ ...V1, username: "x", deviceNumber: "#" }, /deviceNumber/],
      [{ ...V1, password: 5 }, /password/],
      [null, /profile/],
    ] as const)
      assert.throws(() => cloud.addDevice("thingspanel", identity), message);
    cloud.removeDevice(id);
    assert.equal(cloud.devices.get(id), undefined);
    cloud.addDevice("thingspanel", V1);
  });
});

test("a broker elsewhere tells neither who is there nor who speaks: the task under way says it", async () => {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    for (const [identity, topic] of [
      [V0, PROGRESS.v0],
      [V1, PROGRESS.v1],
    ] as const) {
      await withCloud({ broker: { url: `mqtt://127.0.0.1:${port}` } }, async (cloud) => {
        const id = cloud.addDevice("thingspanel", identity);
        cloud.addDevice("thingspanel", { ...identity, username: "other", deviceNumber: "other" });
        const device = await Device.connect({ mqttPort: port }, identity);
        await device.subscribe(
          identity.profile === "v0" ? "ota/device/inform/token-123" : "ota/devices/inform/number-2",
        );
        const task = cloud.push(id, await cloud.packages.add(firmware(10_000), { version: "0.2.0" }));
        if (identity.profile === "v0") await device.publish("ota/device/inform", version("0.1.0"));
        await device.received(1);
        await device.publish(topic, step(50, identity.profile === "v0" ? "MCU" : undefined));
        await device.publish(topic, step(100, identity.profile === "v0" ? "MCU" : undefined));
        assert.equal((await cloud.settled(task.id)).status, "success");
        await device.leave();
      });
    }
  } finally {
    server.close();
    await new Promise<void>((resolve) => aedes.close(resolve));
  }
});
