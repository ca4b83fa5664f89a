import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Network } from "../../src/ports";
import { NodeClock } from "../../host-sim/board/node-clock";
import { NodeNetwork } from "../../host-sim/board/node-network";
import { CloudClient } from "../../host-sim/cloud/fleet/cloud-client";
import { FleetDevice } from "../../host-sim/cloud/fleet/fleet-device";
import { OwnCloud } from "../../host-sim/cloud/fleet/own-cloud";
import { SectorPool } from "../../host-sim/cloud/fleet/shared-cells";
import { buildImage } from "../../hal/model-chip/build-image";

const DEVICES = 40;
/** How much faster the devices' clocks go: their patience is for field networks. */
const SPEED = 5;

/** Counts the offers that come in from the broker. */
function listening(network: Network, broker: number, offered: () => void): Network {
  return {
    connect: (options, events) => {
      const socket = network.connect(options, events);
      if (options.port !== broker) return socket;
      return {
        read: (into) => {
          const count = socket.read(into);
          const text = Buffer.from(into.subarray(0, count)).toString("latin1");
          for (const _ of text.matchAll(/"update_firmware"/g)) offered();
          return count;
        },
        write: (bytes) => socket.write(bytes),
        close: () => socket.close(),
      };
    },
  };
}

test("the cloud killed again and again in mid-rollout: nothing is lost, and nobody who has finished is pushed to once more", async () => {
  const folder = await mkdtemp(join(tmpdir(), "xs-ota-kill-"));
  const cloud = new OwnCloud(join(folder, "cloud"), ["--engine", "node", "--throttle", "60000"]);
  const devices: FleetDevice[] = [];
  try {
    await cloud.start();
    const client = new CloudClient(cloud.url, await cloud.token());
    const [broker] = await client.targets();
    const image = (version: string, size?: number): Uint8Array =>
      buildImage({ version, payload: Buffer.from(version), ...(size === undefined ? {} : { size }) });
    const file = await client.upload(image("0.2.0", 60_000), "fw.bin");
    const identities = Array.from({ length: DEVICES }, (_, index) => ({
      productId: "P1",
      deviceName: `d${index}`,
      deviceSecret: "c2VjcmV0",
    }));
    const ids = await client.addDevices("tencent", identities);
    const offers = new Map(ids.map((id) => [id, 0]));
    const [pool, network, factory] = [new SectorPool(), new NodeNetwork(), image("0.1.0")];
    for (const [index, identity] of identities.entries()) {
      const id = ids[index]!;
      const device = new FleetDevice({
        configuration: {
          platform: { kind: "tencent", authMode: "KEY", ...identity },
          broker: { ...broker, tls: false },
          policy: { allowHttp: true, trialSeconds: 900 },
        },
        factory,
        pool,
        network: listening(network, broker.port, () => offers.set(id, offers.get(id)! + 1)),
        clock: new NodeClock(SPEED),
        fault: undefined,
        onNotice: () => undefined,
        onBoot: () => undefined,
      });
      device.powerOn();
      devices.push(device);
    }
    const reach = async (done: number): Promise<void> => {
      for (;;) {
        const now = await client.rollout(rollout.id);
        if (now.rollout.counts.success >= done) return;
        assert.notEqual(now.rollout.state, "halted", JSON.stringify(now.failures));
        await wait(50);
      }
    };
    const { rollout } = await client.createRollout({
      package: file.id,
      selection: { kind: "all" },
      waves: [30, 60, 100],
      failureLimit: 0,
    });
    let midway = 0;
    /** Offers that a device had received when it was first seen to have finished. */
    const leftAlone = new Map<string, number>();
    for (const done of [1, 12, 25]) {
      await reach(done);
      const before = await client.devices();
      const finished = before.filter(({ task }) => task?.status === "success").map(({ id }) => id);
      assert.ok(finished.length >= done, `${finished.length} have finished`);
      // On a machine that is busy elsewhere the look comes late; the first kill at least is in the middle.
      if (finished.length < DEVICES) midway++;
      await cloud.kill();
      for (const id of finished) if (!leftAlone.has(id)) leftAlone.set(id, offers.get(id)!);
      await cloud.start();

      assert.deepEqual(
        (await client.packages()).map(({ id, sha256, version }) => [id, sha256, version]),
        [[file.id, file.sha256, "0.2.0"]],
      );
      const after = new Map((await client.devices()).map((device) => [device.id, device]));
      assert.deepEqual([...after.keys()], ids);
      for (const { id, task, version } of before) {
        const kept = after.get(id)!;
        assert.ok(kept.version !== undefined || version === undefined, `${id} has kept its version`);
        if (task === undefined) continue;
        assert.ok(Number(kept.task?.id) >= Number(task.id), `${id} has kept its task`);
        if (task.status === "success") assert.deepEqual(kept.task, task, `${id} is still done`);
      }
      const { rollout: resumed } = await client.rollout(rollout.id);
      assert.equal(resumed.devices, DEVICES);
      assert.ok(resumed.counts.success >= finished.length);
      await reach(Math.min(DEVICES, finished.length + 5));
    }
    assert.ok(midway >= 1, "killed in mid-rollout");
    await reach(DEVICES);
    const end = await client.rollout(rollout.id);
    assert.deepEqual(
      [end.rollout.state, end.rollout.counts.success, end.rollout.waves.map(({ size }) => size)],
      ["finished", DEVICES, [12, 12, 16]],
    );
    for (const { version } of await client.devices()) assert.equal(version, "0.2.0");
    // At the end, because a wrong offer could only come after the device has reconnected.
    for (const [id, count] of leftAlone) assert.equal(offers.get(id), count, `${id} had finished and is left alone`);
  } finally {
    for (const device of devices) device.powerOff();
    await cloud.kill();
    await rm(folder, { recursive: true, force: true });
  }
});
