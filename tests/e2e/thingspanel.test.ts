/**
 * `xs-ota device` against the local cloud's ThingsPanel, over real sockets: updates with the power cut at chosen
 * moments (SIGKILL, and the process started anew), in both generations.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { FLASH_FILE } from "../../host-sim/board/board-folder";
import { inspect } from "../../host-sim/cli/inspect";
import { createCloud } from "../../host-sim/cloud/core/cloud";
import type { Cloud } from "../../host-sim/cloud/core/cloud";
import type { CloudOptions } from "../../host-sim/cloud/core/cloud-options";
import type { Package } from "../../host-sim/cloud/core/files/packages";
import type { ThingsPanelDevice } from "../../host-sim/cloud/core/platforms/thingspanel/identity";
import { Device } from "../../host-sim/demo/device-process";
import { firmwarePayload } from "../../host-sim/board/firmware/bundle";
import type { Fault } from "../../host-sim/board/firmware/bundle";
import { buildImage } from "../../hal/model-chip/build-image";
import { temporaryFolder } from "../kit/folder";
import { heard } from "../cloud/helpers";

/** One sector, and what may be under way. */
const CUT_COSTS = 4_096 + 16_384;
/** Bytes per second: an image takes a few seconds, so that there is a middle to cut. */
const THROTTLE = 120_000;

interface Bench {
  readonly cloud: Cloud;
  readonly id: string;
  /** Puts the power on. */
  on(): Device;
  add(version: string, options?: { fault?: Fault; size?: number }): Promise<Package>;
  /** What came from the device, in order: "v 0.1.0" for a version, else the step. */
  wire(): string[];
  readonly state: string;
}

async function bench(
  t: TestContext,
  identity: ThingsPanelDevice,
  more: (cloud: Cloud) => object = () => ({}),
  options: CloudOptions = {},
): Promise<Bench> {
  const folder = temporaryFolder(t);
  const cloud = await createCloud({ throttle: THROTTLE, ...options });
  await cloud.start();
  const id = cloud.addDevice("thingspanel", identity);
  const [config, state] = [join(folder, "device.json"), join(folder, "board")];
  writeFileSync(config, JSON.stringify({ ...cloud.deviceConfig(id), ...more(cloud) }), { mode: 0o600 });
  let device: Device | undefined;
  t.after(async () => {
    await device?.kill();
    await cloud.stop();
  });
  return {
    cloud,
    id,
    state,
    on: () => (device = Device.start(config, state)),
    add: async (version, { fault, size } = {}) =>
      cloud.packages.add(
        buildImage({
          version,
          payload: await firmwarePayload(version, fault),
          ...(size === undefined ? {} : { size }),
        }),
      ),
    wire: () =>
      cloud.devices.messages(id).flatMap(({ direction, payload }) => {
        if (direction === "down") return [];
        const { step, params } = JSON.parse(payload) as { step?: string; params?: { version: string } };
        return [params === undefined ? step! : `v ${params.version}`];
      }),
  };
}

/**
 * Resolves when the device has its subscriptions: what v1 pushes between its CONNECT and that is lost. It is told by
 * the device's warning about the spelling that the broker does not let it have.
 */
async function listening({ cloud, id }: Bench, device: Device): Promise<void> {
  if (cloud.identity(id)?.["profile"] === "v1")
    await device.until(
      "its subscriptions",
      ({ event, message }) => event === "warning" && /refused the subscription/.test(String(message)),
    );
  else await heard(cloud, id, '"params":{"version"');
}

const percent = (device: Device, least: number): Promise<unknown> =>
  device.until(`${least} %`, (event) => Number(event["percent"]) >= least);
const done = (device: Device): Promise<unknown> => device.until("done", ({ state }) => state === "done");
const V0: ThingsPanelDevice = { profile: "v0", username: "token-123", deviceNumber: "dev-1", module: "MCU" };
const V1: ThingsPanelDevice = { profile: "v1", username: "user-7", password: "s3cr3t7", deviceNumber: "dev-2" };

for (const identity of [V0, V1]) {
  test(`${identity.profile}: an update with the power cut twice in the download and once in the trial`, async (t) => {
    const on = await bench(t, identity);
    const { cloud, id, state } = on;
    const file = await on.add("0.2.0", { size: 400_000 });
    let device: Device;
    let taskId: string;
    if (identity.profile === "v0") {
      // Pushed while it is away: its version report fetches the task.
      taskId = cloud.push(id, file).id;
      device = on.on();
    } else {
      device = on.on();
      await listening(on, device);
      taskId = cloud.push(id, file).id;
    }
    for (const least of [25, 60]) {
      await percent(device, least);
      await device.kill();
      const stored = inspect(state).job?.stored ?? 0;
      assert.ok(stored > 0);
      device = on.on();
      assert.equal((await device.event("resume"))["offset"], stored);
    }
    await device.until("the trial", ({ event, trial }) => event === "boot" && trial === true);
    await device.kill();
    device = on.on();
    await done(device);
    const task = await cloud.settled(taskId);
    assert.deepEqual([task.status, task.state], ["success", identity.profile === "v0" ? 3 : 4]);
    assert.deepEqual(cloud.violations(), []);
    if (identity.profile === "v0") await heard(cloud, id, '"step":"100"', '"version":"0.2.0"');
    const { bytes } = cloud.traffic.ofPackage(file.id);
    assert.ok(bytes >= file.size && bytes - file.size <= 3 * CUT_COSTS, `${bytes} bytes served for ${file.size}`);
    const wire = on.wire();
    const steps = wire.filter((each) => !each.startsWith("v"));
    assert.equal(steps.at(-1), "100");
    assert.deepEqual(
      steps.slice(0, -1).filter((each) => !(Number(each) >= 1 && Number(each) <= 99)),
      [],
    );
    // One report before the task and one after its end: each in between would cost a push.
    assert.deepEqual(
      wire.filter((each) => each.startsWith("v")),
      identity.profile === "v0" ? ["v 0.1.0", "v 0.2.0"] : [],
    );
    if (identity.profile === "v0") assert.deepEqual(wire.slice(-2), ["100", "v 0.2.0"]);
    await device.kill();
    assert.deepEqual(
      inspect(state).slots.map(({ version }) => version),
      ["0.1.0", "0.2.0"],
    );
  });
}

test("v0: firmware that throws is rolled back, says so once before the version, and is not tried again", async (t) => {
  const on = await bench(t, V0, () => ({}), { throttle: 4_000_000 });
  const { cloud, id } = on;
  const bad = await on.add("0.2.0", { fault: "throw" });
  const device = on.on();
  await listening(on, device);
  const first = await cloud.settled(cloud.push(id, bad).id);
  assert.deepEqual([first.status, first.state, first.code], ["failure", 4, -1]);
  assert.match(first.message ?? "", /^trial: the new firmware did not come to powerOn/);
  await heard(cloud, id, '"step":"-1"', '"version":"0.1.0"');
  const second = await cloud.settled(cloud.push(id, bad).id);
  assert.deepEqual([second.code, second.message], [-1, "this image was rolled back before; it is not tried again"]);
  const wire = on.wire();
  assert.deepEqual(wire.slice(wire.indexOf("-1")), ["-1", "v 0.1.0", "-1"]);
  assert.equal(cloud.traffic.ofPackage(bad.id).bytes, bad.size);
  const third = await cloud.settled(cloud.push(id, await on.add("0.3.0")).id);
  assert.equal(third.status, "success");
  assert.deepEqual(cloud.violations(), []);
  await device.kill();
});

test("v1 as shipped, with neither size nor sign: refused with -1, and taken where policy allows it, the length learnt from the server", async (t) => {
  for (const allowNoDigest of [false, true]) {
    const on = await bench(t, V1, () => ({ allowNoDigest, crc16: true }), {
      throttle: 4_000_000,
      thingspanel: { bare: true },
    });
    const { cloud, id } = on;
    const device = on.on();
    await listening(on, device);
    const task = await cloud.settled(cloud.push(id, await on.add("0.2.0")).id);
    assert.deepEqual([task.status, task.code], allowNoDigest ? ["success", undefined] : ["failure", -1]);
    assert.deepEqual(cloud.violations(), []);
    await device.kill();
  }
});

test("v1: a relative URL is answered with advice, and fetched where the device knows the server", async (t) => {
  for (const more of [() => ({}), (cloud: Cloud) => ({ httpBase: `http://127.0.0.1:${cloud.httpPort}` })]) {
    const on = await bench(t, V1, more, { throttle: 4_000_000, thingspanel: { downloadAddress: "" } });
    const { cloud, id } = on;
    const device = on.on();
    await listening(on, device);
    const { code, message } = await cloud.settled(cloud.push(id, await on.add("0.2.0")).id);
    assert.deepEqual(
      [code, message],
      "httpBase" in more(cloud)
        ? [undefined, "0.2.0 installed"]
        : [-1, "bad offer, url: relative; set ota.download_address on the server, or httpBase here"],
    );
    await device.kill();
  }
});

test("v0: a module goes to its partition over two power cuts; nothing restarts, and the firmware's update follows it", async (t) => {
  const on = await bench(t, V0, () => ({ modules: { assets: "assets" } }), { throttle: 20_000 });
  const { cloud, id, state } = on;
  const bytes = Uint8Array.from({ length: 60_000 }, (_, index) => (index * 31 + (index >> 8) * 17) & 0xff);
  const assets = await cloud.packages.add(bytes, { version: "assets-7" });
  const fields = { module: "assets" };
  let device = on.on();
  await listening(on, device);
  const task = cloud.push(id, assets, { fields });
  for (const least of [20, 50]) {
    await percent(device, least);
    await device.kill();
    device = on.on();
    await device.event("resume");
  }
  assert.equal((await cloud.settled(task.id)).status, "success");
  assert.ok(cloud.traffic.ofPackage(assets.id).bytes - bytes.length <= 2 * CUT_COSTS);
  const unknown = await cloud.settled(cloud.push(id, assets, { fields: { module: "voice" } }).id);
  assert.deepEqual([unknown.code, unknown.message], [-1, 'this device has no module "voice"']);
  cloud.files.throttle = 4_000_000;
  assert.equal((await cloud.settled(cloud.push(id, await on.add("0.2.0")).id)).status, "success");
  assert.deepEqual(cloud.violations(), []);
  await device.kill();
  // The process has ended, so its output is complete.
  assert.equal(
    device.events.filter(({ event }) => event === "reboot").length,
    1,
    "the firmware restarts the device, the module does not",
  );
  const { address } = inspect(state).partitions.find(({ label }) => label === "assets")!;
  assert.deepEqual(readFileSync(join(state, FLASH_FILE)).subarray(address, address + bytes.length), Buffer.from(bytes));
});
