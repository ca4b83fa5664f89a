/** ThingsPanel's side of the local cloud, as its servers behave: messages, topics and access. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ThingsPanelOptions } from "../../host-sim/cloud/core/platforms/thingspanel/side";
import { firmware, mqtt, withCloud } from "./helpers";
import { V0, V1, PROGRESS, Device, step, version, onV0, onV1, now, type TaskMessage } from "./thingspanel";

/* ---- messages and topics ---- */

test("v0: a task is compact JSON with its keys in order, the size a number, at QoS 0", async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    assert.equal(task.state, 1);
    const [{ id, params }] = (await device.received(1)) as [TaskMessage];
    assert.match(id, /^\d{1,9}$/);
    assert.equal(
      device.texts[0],
      `{"code":"200","id":"${id}","params":{"extData":{},"module":"MCU","sign":"${file.sha256}","signMethod":"SHA256","size":10000,"url":"${params.url}","version":"0.2.0"}}`,
    );
    assert.deepEqual([device.topics, device.qos], [["ota/device/inform/token-123"], [0]]);
  });
});

test("v1: the size is text, the module null, at QoS 1; as shipped there is neither size nor sign", async () => {
  for (const bare of [false, true]) {
    await onV1(
      async (cloud, device, file) => {
        assert.equal(cloud.push("thingspanel/number-2", file).state, 2);
        const [{ id, params }] = (await device.received(1)) as [TaskMessage];
        assert.match(id, /^\d{9}$/);
        assert.deepEqual(
          [params.size, params.sign, params.module],
          [bare ? "0" : "10000", bare ? "" : file.sha256, null],
        );
        assert.deepEqual(device.qos, [1]);
      },
      { bare },
    );
  }
});

test("a SHA-256 that is called Md5, an MD5 that is called MD5", async () => {
  for (const [signMethod, digest] of [
    ["Md5", "sha256"],
    ["MD5", "md5"],
  ] as const) {
    await onV0(
      async (cloud, device, file) => {
        cloud.push("thingspanel/dev-1", file);
        const [{ params }] = (await device.received(1)) as [TaskMessage];
        assert.equal(params.sign, file[digest]);
      },
      { signMethod },
    );
  }
});

test("fields of a push replace what would be sent, in params and around them", async () => {
  await onV0(async (cloud, device, file) => {
    cloud.push("thingspanel/dev-1", file, { fields: { code: 500, size: "10000", module: null, extData: null } });
    const [told] = (await device.received(1)) as [TaskMessage];
    assert.deepEqual([told.code, told.params.size, told.params.module], [500, "10000", null]);
  });
});

test("a download address of the operator's choice, empty makes URLs relative", async () => {
  for (const downloadAddress of ["http://127.0.0.1:8080", ""]) {
    await onV1(
      async (cloud, device, file) => {
        cloud.push("thingspanel/number-2", file);
        const [{ params }] = (await device.received(1)) as [TaskMessage];
        assert.match(
          params.url,
          new RegExp(
            `^${downloadAddress}/api/v1/ota/download/files/upgradePackage/\\d{4}-\\d\\d-\\d\\d/[0-9a-f]{32}\\.bin$`,
          ),
        );
      },
      { downloadAddress },
    );
  }
});

test("v1, spellings: which one gets through depends on what is published and what is permitted", async () => {
  const cases: [ThingsPanelOptions, number[], string[]][] = [
    [{}, [1, 128], ["ota/devices/inform/number-2"]],
    [{ publishes: ["infrom"], permits: ["infrom"] }, [128, 1], ["ota/devices/infrom/number-2"]],
    [{ permits: ["inform", "infrom"] }, [1, 1], ["ota/devices/inform/number-2", "ota/devices/infrom/number-2"]],
    [{ publishes: ["infrom"] }, [1, 128], []],
  ];
  for (const [options, codes, topics] of cases) {
    await withCloud({ thingspanel: options }, async (cloud) => {
      cloud.addDevice("thingspanel", V1);
      const device = await Device.connect(cloud, V1);
      assert.deepEqual(await device.subscribe("ota/devices/inform/number-2", "ota/devices/infrom/number-2"), codes);
      cloud.push("thingspanel/number-2", await cloud.packages.add(firmware(10_000), { version: "0.2.0" }));
      await device.received(topics.length);
      // What is on its way to this device comes before the answer to this.
      await device.subscribe("ota/devices/inform/number-2");
      assert.deepEqual(device.topics, topics);
      assert.deepEqual(cloud.violations(), []);
      await device.leave();
    });
  }
});

test("v1, permissions: any device's tasks but no wildcard; what is published elsewhere is acknowledged and lost", async () => {
  await onV1(async (cloud, device, file) => {
    assert.deepEqual(
      await device.subscribe("ota/devices/inform/somebody", "ota/devices/inform/+", "ota/#"),
      [1, 128, 128],
    );
    const task = cloud.push("thingspanel/number-2", file);
    await device.publish(PROGRESS.v0, step(50));
    await device.publish("ota/device/inform", version("0.1.0"));
    assert.deepEqual(
      [now(cloud, task).status, cloud.devices.get("thingspanel/number-2")?.version],
      ["pushed", undefined],
    );
    assert.deepEqual(
      cloud.violations().map(({ rule }) => rule),
      [
        "subscribed to a topic that is not its own",
        "subscribed to a topic that is not its own",
        "subscribed to a topic that is not its own",
        "published to a topic where nobody listens",
        "published to a topic where nobody listens",
      ],
    );
  });
});

test("who may connect: v0 by the token, v1 by the exact voucher, both whatever the client id", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("thingspanel", V0);
    cloud.addDevice("thingspanel", V1);
    const tries: [object, boolean][] = [
      [{ username: "token-123", clientId: "any" }, true],
      [{ username: "token-123", password: "x", clientId: "any" }, true],
      [{ username: "user-7", password: "s3cr3t7", clientId: "any" }, true],
      [{ username: "user-7", clientId: "any" }, false],
      [{ username: "user-7", password: "wrong", clientId: "any" }, false],
      [{ username: "nobody", clientId: "any" }, false],
    ];
    for (const [options, admitted] of tries) {
      const client = await mqtt({ port: cloud.mqttPort, ...options }).catch(() => undefined);
      assert.equal(client !== undefined, admitted, JSON.stringify(options));
      await client?.endAsync(true);
    }
  });
});

test("a device that wraps its message as the broker does is not understood", async () => {
  await onV1(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/number-2", file);
    await device.publish(PROGRESS.v1, {
      device_id: "x",
      values: Buffer.from('{"step":"50","desc":""}').toString("base64"),
    });
    assert.equal(now(cloud, task).status, "pushed");
  });
});
