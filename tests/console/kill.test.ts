import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Network } from "../../src/ports";
import { NodeClock } from "../../host-sim/board/node-clock";
import { NodeNetwork } from "../../host-sim/board/node-network";
import type { Views } from "../../host-sim/cloud/api/schemas/views";
import { CloudClient } from "../../host-sim/cloud/fleet/cloud-client";
import { FleetDevice } from "../../host-sim/cloud/fleet/fleet-device";
import { OwnCloud } from "../../host-sim/cloud/fleet/own-cloud";
import { SectorPool } from "../../host-sim/cloud/fleet/shared-cells";
import type { Target } from "../../host-sim/faults/weak-link";
import { buildImage } from "../../hal/model-chip/build-image";
import { Changes } from "./changes";

const DEVICES = 40;
/** How much faster the devices' clocks go: their timeouts are for field networks. */
const SPEED = 5;
/** Sizes of the waves: 30, 60 and 100 percent. */
const WAVES = [12, 12, 16];
/**
 * The cloud is killed once that many have succeeded. Until it has been started again, the device at `off` is without
 * power: its wave can not end, so that every kill is in the middle of the rollout.
 */
const KILLS = [
  { at: 1, off: 11 },
  { at: 12, off: 23 },
  { at: 25, off: 39 },
];

type Device = Views["device"];
type Package = Views["package"];

interface Identity extends Record<string, unknown> {
  readonly productId: string;
  readonly deviceName: string;
  readonly deviceSecret: string;
}

const image = (version: string, size?: number): Uint8Array =>
  buildImage({ version, payload: Buffer.from(version), ...(size === undefined ? {} : { size }) });

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

function makeDevices(
  identities: readonly Identity[],
  broker: Target,
  offered: (index: number) => void,
): readonly FleetDevice[] {
  const [pool, network, factory] = [new SectorPool(), new NodeNetwork(), image("0.1.0")];
  return identities.map(
    (identity, index) =>
      new FleetDevice({
        configuration: {
          platform: { kind: "tencent", authMode: "KEY", ...identity },
          broker: { ...broker, tls: false },
          policy: { allowHttp: true, trialSeconds: 900 },
        },
        factory,
        pool,
        network: listening(network, broker.port, () => offered(index)),
        clock: new NodeClock(SPEED),
        fault: undefined,
        onNotice: () => undefined,
        onBoot: () => undefined,
      }),
  );
}

/** Waits on the cloud's own word of what has changed. */
async function until(cloud: OwnCloud, token: string, holds: () => Promise<boolean>): Promise<void> {
  const changes = await Changes.open(cloud.url, token);
  try {
    await changes.until(holds);
  } finally {
    changes.close();
  }
}

/** What the cloud knows after its restart is what it knew before the kill, or more. */
async function compare(client: CloudClient, rollout: string, file: Package, before: readonly Device[]): Promise<void> {
  assert.deepEqual(
    (await client.packages()).map(({ id, sha256, version }) => [id, sha256, version]),
    [[file.id, file.sha256, "0.2.0"]],
  );
  const after = new Map((await client.devices()).map((device) => [device.id, device]));
  assert.deepEqual(
    [...after.keys()],
    before.map(({ id }) => id),
  );
  for (const { id, task, version } of before) {
    const kept = after.get(id)!;
    assert.ok(kept.version !== undefined || version === undefined, `${id} has kept its version`);
    if (task === undefined) continue;
    assert.ok(Number(kept.task?.id) >= Number(task.id), `${id} has kept its task`);
    if (task.status === "success") assert.deepEqual(kept.task, task, `${id} is still done`);
  }
  const { rollout: resumed } = await client.rollout(rollout);
  assert.equal(resumed.devices, DEVICES);
  assert.ok(resumed.counts.success >= before.filter(({ task }) => task?.status === "success").length);
}

test("the cloud killed again and again in mid-rollout: nothing is lost, and nobody who has finished is pushed to once more", async () => {
  const folder = await mkdtemp(join(tmpdir(), "xs-ota-kill-"));
  const cloud = new OwnCloud(join(folder, "cloud"), ["--engine", "node", "--throttle", "60000"]);
  let devices: readonly FleetDevice[] = [];
  try {
    await cloud.start();
    const token = await cloud.token();
    const client = new CloudClient(cloud.url, token);
    const [broker] = await client.targets();
    const file = await client.upload(image("0.2.0", 60_000), "fw.bin");
    const identities = Array.from({ length: DEVICES }, (_, index) => ({
      productId: "P1",
      deviceName: `d${index}`,
      deviceSecret: "c2VjcmV0",
    }));
    const ids = await client.addDevices("tencent", identities);
    const offers = new Map(ids.map((id) => [id, 0]));
    devices = makeDevices(identities, broker, (index) => offers.set(ids[index]!, offers.get(ids[index]!)! + 1));
    const held = new Set(KILLS.map(({ off }) => off));
    for (const [index, device] of devices.entries()) if (!held.has(index)) device.powerOn();
    const { rollout } = await client.createRollout({
      package: file.id,
      selection: { kind: "all" },
      waves: [30, 60, 100],
      failureLimit: 0,
    });
    const reach = (done: number): Promise<void> =>
      until(cloud, token, async () => {
        const now = await client.rollout(rollout.id);
        assert.notEqual(now.rollout.state, "halted", JSON.stringify(now.failures));
        return now.rollout.counts.success >= done;
      });
    /** Offers that a device had received when it was first seen to have finished. */
    const leftAlone = new Map<string, number>();
    for (const { at, off } of KILLS) {
      await reach(at);
      const before = await client.devices();
      assert.deepEqual(
        before.map(({ id }) => id),
        ids,
      );
      const finished = before.filter(({ task }) => task?.status === "success").map(({ id }) => id);
      assert.ok(finished.length >= at && finished.length < DEVICES, `${finished.length} have finished`);
      await cloud.kill();
      for (const id of finished) if (!leftAlone.has(id)) leftAlone.set(id, offers.get(id)!);
      await cloud.start();
      await compare(client, rollout.id, file, before);
      devices[off]!.powerOn();
      await reach(Math.min(DEVICES, finished.length + 5));
    }
    await reach(DEVICES);
    // A wrong offer could only come after a device has connected again.
    await until(cloud, token, async () => (await client.devices()).every(({ online }) => online));
    const end = await client.rollout(rollout.id);
    assert.deepEqual(
      [end.rollout.state, end.rollout.counts.success, end.rollout.waves.map(({ size }) => size)],
      ["finished", DEVICES, WAVES],
    );
    for (const { version } of await client.devices()) assert.equal(version, "0.2.0");
    for (const [id, count] of leftAlone) assert.equal(offers.get(id), count, `${id} had finished and is left alone`);
  } finally {
    for (const device of devices) device.powerOff();
    await cloud.kill();
    await rm(folder, { recursive: true, force: true });
  }
});
