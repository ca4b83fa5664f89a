/** Devices that sleep: what the cloud knows of them, and what its rollouts make of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCloud, type Cloud } from "../../host-sim/cloud/core/cloud";
import type { DeviceSleep } from "../../host-sim/cloud/core/devices/sleep";
import { BOARD, BOARD_ID, Board, REPORT, firmware, heard, withCloud } from "./helpers";

/** A cloud that is never started, with one device whose connections and messages are played by hand. */
class Sleeper {
  now = 1_000_000;
  readonly cloud: Cloud;

  private constructor(cloud: Cloud) {
    this.cloud = cloud;
  }

  static async make(): Promise<Sleeper> {
    let sleeper: Sleeper | undefined;
    const cloud = await createCloud({ now: () => sleeper?.now ?? 1_000_000 });
    cloud.addDevice("tencent", BOARD);
    sleeper = new Sleeper(cloud);
    return sleeper;
  }

  presence(online: boolean): void {
    this.cloud.devices.presence(SESSION, online, this.now);
  }

  /** Says that it sleeps, and goes. */
  sleeps(seconds: number): void {
    this.cloud.devices.asleep(BOARD_ID, seconds, this.now);
    this.presence(false);
  }

  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.now += 1_000;
      this.cloud.rollouts.tick();
    }
  }

  get sleep(): DeviceSleep | undefined {
    return this.cloud.devices.get(BOARD_ID)?.sleep;
  }
}

const SESSION = {
  clientId: BOARD.productId + BOARD.deviceName,
  username: "",
  serial: 1,
  side: "tencent",
  device: BOARD_ID,
};

test("a device that announces its sleep is asleep until then, and no more when it is back", async () => {
  const device = await Sleeper.make();
  device.presence(true);
  device.sleeps(600);
  assert.deepEqual(device.sleep, { since: device.now, until: device.now + 600_000, basis: "announced" });
  device.pass(600);
  device.presence(true);
  assert.equal(device.sleep, undefined);
});

test("of a device that says nothing the next wake is guessed after three regular absences, and of no other", async () => {
  for (const [absences, expected] of [
    [[300, 302, 299], 302],
    [[300, 302], undefined],
    [[300, 20, 900], undefined],
    [[1, 2, 1], undefined],
  ] as const) {
    const device = await Sleeper.make();
    for (const seconds of absences) {
      device.presence(true);
      device.now += 20_000;
      device.presence(false);
      device.now += seconds * 1000;
    }
    device.presence(true);
    device.presence(false);
    const guess = expected && { since: device.now, until: device.now + expected * 1000, basis: "learned" };
    assert.deepEqual(device.sleep, guess, absences.join(", "));
  }
});

test("announced sleep does not count for the timeout of a rollout, time awake does", async () => {
  const device = await Sleeper.make();
  const { cloud } = device;
  const { id } = await cloud.packages.add(firmware(5_000), { version: "2" });
  device.presence(true);
  const { rollout } = cloud.rollouts.create({ package: id, selection: { kind: "all" }, timeout: 60 });
  const status = (): string | undefined => cloud.rollouts.members(rollout.id)?.get(BOARD_ID)?.status;
  assert.equal(status(), "pushed");
  for (let wake = 0; wake < 2; wake++) {
    device.pass(20);
    device.sleeps(900);
    device.pass(900);
    device.presence(true);
  }
  device.pass(19);
  assert.equal(status(), "pushed", "59 s awake");
  device.pass(1);
  assert.equal(status(), "failure", "60 s awake");
});

test("a device that does not come back when it said counts as gone: the rollout goes on", async () => {
  const device = await Sleeper.make();
  const { cloud } = device;
  const { id } = await cloud.packages.add(firmware(5_000), { version: "2" });
  device.presence(true);
  const { rollout } = cloud.rollouts.create({ package: id, selection: { kind: "all" }, timeout: 60 });
  device.sleeps(100);
  device.pass(100 + 59 + 59);
  const member = () => cloud.rollouts.members(rollout.id)?.get(BOARD_ID);
  assert.equal(member()?.status, "pushed");
  device.pass(1);
  assert.deepEqual([member()?.status, member()?.message], ["failure", "no result in time"]);
});

test("the text of a progress report announces the sleep; other texts do not", async () => {
  await withCloud({}, async (cloud) => {
    cloud.addDevice("tencent", BOARD);
    const file = await cloud.packages.add(firmware(5_000), { version: "2" });
    const board = await Board.connect(cloud);
    cloud.push(BOARD_ID, file);
    const report = async (text: string): Promise<DeviceSleep | undefined> => {
      const progress = { state: "downloading", percent: "10", result_code: "0", result_msg: text };
      await board.client.publishAsync(
        REPORT,
        JSON.stringify({ type: "report_progress", report: { progress, version: "2" } }),
        { qos: 1 },
      );
      await heard(cloud, BOARD_ID, `"${text}"`);
      return cloud.devices.get(BOARD_ID)?.sleep;
    };
    assert.equal(await report("Firmware Image downloading......."), undefined);
    const sleep = await report("asleep for 600 s");
    assert.deepEqual([sleep?.basis, sleep && sleep.until - sleep.since], ["announced", 600_000]);
    board.client.end(true);
  });
});
