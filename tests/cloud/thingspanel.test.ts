/** ThingsPanel's side of the local cloud, as its servers behave: each quirk that a device must live with. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Aedes } from "aedes";
import type { MqttClient } from "mqtt";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { Package } from "../../host-sim/cloud/core/files/packages";
import type { Task } from "../../host-sim/cloud/core/devices/tasks";
import { checksum } from "../../host-sim/cloud/core/platforms/thingspanel/crc16";
import { downloadPath } from "../../host-sim/cloud/core/platforms/thingspanel/download";
import type { ThingsPanelOptions } from "../../host-sim/cloud/core/platforms/thingspanel/side";
import { firmware, http, mqtt, withCloud } from "./helpers";

const V0 = { profile: "v0", username: "token-123", clientId: "dev-1", deviceNumber: "dev-1", module: "MCU" } as const;
const V1 = {
  profile: "v1",
  username: "user-7",
  password: "s3cr3t7",
  clientId: "dev-2",
  deviceNumber: "number-2",
} as const;
const PROGRESS = { v0: "ota/device/progress", v1: "ota/devices/progress" } as const;

interface Told {
  readonly code: string;
  readonly id: string;
  readonly params: {
    readonly url: string;
    readonly sign: string;
    readonly size: unknown;
    readonly module: unknown;
    readonly version: string;
  };
}

/** A device by hand: collects what it is sent, as text. */
class Device {
  readonly client: MqttClient;
  readonly texts: string[] = [];
  readonly topics: string[] = [];
  readonly qos: number[] = [];
  #wake: (() => void) | undefined;

  private constructor(client: MqttClient) {
    this.client = client;
    client.on("error", () => undefined);
    client.on("message", (topic, payload, packet) => {
      this.texts.push(payload.toString());
      this.topics.push(topic);
      this.qos.push(packet.qos);
      this.#wake?.();
    });
  }

  static async connect(
    cloud: { readonly mqttPort: number },
    identity: { username: string; password?: string; clientId: string },
  ): Promise<Device> {
    const { username, password, clientId } = identity;
    return new Device(
      await mqtt({ port: cloud.mqttPort, username, clientId, ...(password === undefined ? {} : { password }) }),
    );
  }

  /** The messages, once there are so many. */
  async told(count: number): Promise<Told[]> {
    while (this.texts.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.texts.map((text) => JSON.parse(text) as Told);
  }

  async says(topic: string, message: object, dup = false): Promise<void> {
    await this.client.publishAsync(topic, JSON.stringify(message), { qos: 1, dup });
  }

  /** SUBACK codes; 128 is a refusal. */
  async subscribe(...topics: string[]): Promise<number[]> {
    const codes: number[] = [];
    // The client takes a refusal for an error.
    for (const topic of topics)
      codes.push(
        await this.client.subscribeAsync(topic, { qos: 1 }).then(
          (granted) => granted[0]!.qos,
          () => 128,
        ),
      );
    return codes;
  }

  leave(): Promise<void> {
    return this.client.endAsync(true);
  }
}

const step = (number: number | string, module?: string): object => ({
  step: String(number),
  desc: `step ${number}`,
  ...(module === undefined ? {} : { module }),
});
const version = (text: string): object => ({ id: "1234567890", params: { version: text, module: "MCU" } });

async function onV0(
  use: (cloud: Cloud, device: Device, file: Package) => Promise<void>,
  options: ThingsPanelOptions = {},
): Promise<void> {
  await withCloud({ thingspanel: options }, async (cloud) => {
    cloud.addDevice("thingspanel", V0);
    const device = await Device.connect(cloud, V0);
    await device.subscribe("ota/device/inform/token-123");
    try {
      await use(cloud, device, await cloud.packages.add(firmware(10_000), { version: "0.2.0" }));
    } finally {
      await device.leave();
    }
  });
}

async function onV1(
  use: (cloud: Cloud, device: Device, file: Package) => Promise<void>,
  options: ThingsPanelOptions = {},
): Promise<void> {
  await withCloud({ thingspanel: options }, async (cloud) => {
    cloud.addDevice("thingspanel", V1);
    const device = await Device.connect(cloud, V1);
    await device.subscribe("ota/devices/inform/number-2", "ota/devices/infrom/number-2");
    try {
      await use(cloud, device, await cloud.packages.add(firmware(10_000), { version: "0.2.0" }));
    } finally {
      await device.leave();
    }
  });
}

const now = (cloud: Cloud, { id }: Task): Task => cloud.tasks.get(id)!;

/* ---- messages and topics ---- */

test("v0: a task is compact JSON with its keys in order, the size a number, at QoS 0", async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    assert.equal(task.state, 1);
    const [{ id, params }] = (await device.told(1)) as [Told];
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
        const [{ id, params }] = (await device.told(1)) as [Told];
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
        const [{ params }] = (await device.told(1)) as [Told];
        assert.equal(params.sign, file[digest]);
      },
      { signMethod },
    );
  }
});

test("fields of a push replace what would be sent, in params and around them", async () => {
  await onV0(async (cloud, device, file) => {
    cloud.push("thingspanel/dev-1", file, { fields: { code: 500, size: "10000", module: null, extData: null } });
    const [told] = (await device.told(1)) as [Told];
    assert.deepEqual([told.code, told.params.size, told.params.module], [500, "10000", null]);
  });
});

test("a download address of the operator's choice, empty makes URLs relative", async () => {
  for (const downloadAddress of ["http://127.0.0.1:8080", ""]) {
    await onV1(
      async (cloud, device, file) => {
        cloud.push("thingspanel/number-2", file);
        const [{ params }] = (await device.told(1)) as [Told];
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
      await device.told(topics.length);
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
    await device.says(PROGRESS.v0, step(50));
    await device.says("ota/device/inform", version("0.1.0"));
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
    await device.says(PROGRESS.v1, {
      device_id: "x",
      values: Buffer.from('{"step":"50","desc":""}').toString("base64"),
    });
    assert.equal(now(cloud, task).status, "pushed");
  });
});

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
        await device.says(topic, step(number, module));
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
    await device.says(PROGRESS.v0, step(-3, "MCU"));
    const failed = now(cloud, task);
    assert.deepEqual([failed.status, failed.state, failed.code, failed.message], ["failure", 4, -3, "step -3"]);
    await device.says(PROGRESS.v0, step(50, "MCU"));
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
    await device.says(PROGRESS.v1, step(100));
    await device.says(PROGRESS.v1, step(100), true);
    const again = await Device.connect(cloud, { ...V1, clientId: "dev-2b" });
    await again.says(PROGRESS.v1, step(100));
    assert.deepEqual(cloud.violations(), []);
    await again.says(PROGRESS.v1, step(99));
    assert.equal(cloud.violations().length, 1);
    await again.leave();
  });
});

test("what is no step changes nothing; numbers are taken, decimals cut", async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    for (const bad of ["0", "101", "-5", "half", ""]) await device.says(PROGRESS.v0, step(bad, "MCU"));
    for (const bad of [true, null, undefined, {}])
      await device.says(PROGRESS.v0, { step: bad, desc: "", module: "MCU" });
    await device.says(PROGRESS.v0, { step: "50", desc: 5, module: "MCU" });
    assert.deepEqual([now(cloud, task).state, now(cloud, task).percent], [1, undefined]);
    await device.says(PROGRESS.v0, { step: 37.9, desc: "", module: "MCU" });
    assert.deepEqual([now(cloud, task).state, now(cloud, task).percent], [2, 37]);
    assert.ok(cloud.violations().length >= 11);
  });
});

test('v0 sees no report of another module, and takes none for ""', async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    await device.says(PROGRESS.v0, step(50));
    await device.says(PROGRESS.v0, step(50, "mcu"));
    assert.equal(now(cloud, task).state, 1);
    cloud.cancel(task.id);
    for (const module of ["", null]) {
      const next = cloud.push("thingspanel/dev-1", file, { fields: { module } });
      await device.says(PROGRESS.v0, step(50));
      assert.equal(now(cloud, next).state, 2);
    }
  });
});

test("v0, re-pushes: three for versions that are not the target's, the next fails the task; only while upgrading", async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    await device.says("ota/device/inform", version("0.1.0"));
    assert.equal(now(cloud, task).pushes, 1, "not before the first step");
    await device.says(PROGRESS.v0, step(1, "MCU"));
    await device.says("ota/device/inform", version("0.2.0"));
    assert.deepEqual(
      [now(cloud, task).pushes, now(cloud, task).state],
      [1, 2],
      "the target's own version is no success",
    );
    for (const pushes of [2, 3, 4]) {
      await device.says("ota/device/inform", version("0.1.0"));
      assert.deepEqual([now(cloud, task).pushes, now(cloud, task).state], [pushes, 2]);
    }
    await device.says("ota/device/inform", version("0.1.0"));
    assert.deepEqual([now(cloud, task).pushes, now(cloud, task).state, now(cloud, task).status], [4, 4, "failure"]);
    const told = await device.told(4);
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
    await device.says("ota/device/inform", version("0.1.0"));
    await device.told(1);
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
      await device.told(1);
      cloud.cancel(task.id);
      await device.says(topic, step(50, module));
      await device.says(topic, step(100, module));
      assert.deepEqual([now(cloud, task).state, device.texts.length, cloud.violations()], [state, 1, []]);
    });
  }
});

test("v0 behind VerneMQ: progress goes one level deeper", async () => {
  await onV0(async (cloud, device, file) => {
    const task = cloud.push("thingspanel/dev-1", file);
    await device.says(`${PROGRESS.v0}/token-123`, step(50, "MCU"));
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
        if (identity.profile === "v0") await device.says("ota/device/inform", version("0.1.0"));
        await device.told(1);
        await device.says(topic, step(50, identity.profile === "v0" ? "MCU" : undefined));
        await device.says(topic, step(100, identity.profile === "v0" ? "MCU" : undefined));
        assert.equal((await cloud.settled(task.id)).status, "success");
        await device.leave();
      });
    }
  } finally {
    server.close();
    await new Promise<void>((resolve) => aedes.close(resolve));
  }
});

/* ---- downloads ---- */

test("a whole file, a range, and the status that v1 has for both", async () => {
  await withCloud({}, async (cloud) => {
    const bytes = firmware(10_000);
    const file = await cloud.packages.add(bytes, { version: "0.2.0" });
    for (const [profile, status] of [
      ["v0", 206],
      ["v1", 200],
    ] as const) {
      const url = urlOf(cloud, file, profile);
      const whole = await http(url);
      assert.deepEqual(
        [whole.status, whole.body.equals(bytes), whole.headers["content-range"], whole.headers.etag],
        [200, true, undefined, undefined],
      );
      const part = await http(url, { headers: { range: "bytes=4096-8191" } });
      assert.deepEqual([part.status, part.body.equals(bytes.subarray(4096, 8192))], [status, true]);
      assert.deepEqual(
        [part.headers["content-range"], part.headers["content-type"], part.headers["content-length"]],
        ["bytes 4096-8191/10000", "bin", "4096"],
      );
      const rest = await http(url, { headers: { range: "bytes=8192-" } });
      assert.deepEqual([rest.headers["content-range"], rest.body.length], ["bytes 8192-9999/10000", 1808]);
    }
    assert.equal(cloud.traffic.ofPackage(file.id).bytes, 2 * (10_000 + 4096 + 1808));
  });
});

test("ranges that are not clamped, not understood, or the wrong way round", async () => {
  await withCloud({}, async (cloud) => {
    const file = await cloud.packages.add(firmware(10_000), { version: "0.2.0" });
    const url = urlOf(cloud, file, "v1");
    for (const range of ["bytes=0-10000", "bytes=10000-", "bytes=10000-10000", "bytes=9000-12287"])
      assert.equal((await http(url, { headers: { range } })).status, 400, range);
    for (const range of ["bytes=-500", "bytes=0-1,4-5", "bytes=a-b", "pages=1-2"]) {
      const { status, body } = await http(url, { headers: { range } });
      assert.deepEqual([status, body.length], [416, 0], range);
    }
    const { status, headers, body } = await http(url, { headers: { range: "bytes=500-400" } });
    assert.deepEqual([status, headers["content-type"]], [200, "application/json; charset=utf-8"]);
    assert.notEqual((JSON.parse(body.toString()) as { code: number }).code, 200);
  });
});

test("a missing file is JSON with status 200; only GET is routed", async () => {
  await withCloud({}, async (cloud) => {
    const file = await cloud.packages.add(firmware(10_000), { version: "0.2.0" });
    const url = urlOf(cloud, file, "v1");
    for (const path of [
      url.replace(/[0-9a-f]{32}\.bin/, `${"0".repeat(32)}.bin`),
      `${new URL(url).origin}/api/v1/ota/download/files/%2e%2e%2f%2e%2e%2fetc/passwd`,
    ]) {
      const { status, headers } = await http(path);
      assert.deepEqual([status, headers["content-type"]], [200, "application/json; charset=utf-8"]);
    }
    assert.equal((await http(url, { method: "HEAD" })).status, 404);
    assert.equal((await http(url, { method: "POST" })).status, 404);
  });
});

test("X-CRC16: three methods, of the range that is sent, and none without a range", async () => {
  const digits = Buffer.from("123456789");
  assert.deepEqual(
    [undefined, "IBM", "whatever", "CCITT", "MODBUS"].map((method) => checksum(method, digits)),
    ["b4c8", "b4c8", "b4c8", "906e", "3d48"],
  );
  await withCloud({}, async (cloud) => {
    const bytes = firmware(10_000);
    const url = urlOf(cloud, await cloud.packages.add(bytes, { version: "0.2.0" }), "v1");
    assert.equal((await http(url)).headers["x-crc16"], undefined);
    for (const method of ["IBM", "CCITT", "MODBUS"]) {
      const { headers } = await http(url, { headers: { range: "bytes=100-199", "crc16-method": method } });
      assert.equal(headers["x-crc16"], checksum(method, bytes.subarray(100, 200)));
    }
  });
});

function urlOf(cloud: Cloud, file: Package, profile: "v0" | "v1"): string {
  return `http://127.0.0.1:${cloud.httpPort}${downloadPath(file, profile)}`;
}
