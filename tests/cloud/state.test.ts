import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DatabaseSync } from "@photostructure/sqlite";
import { createCloud, type Cloud } from "../../host-sim/cloud/core/cloud";
import { StateDatabase } from "../../host-sim/cloud/core/state/database";
import { MESSAGES_KEPT } from "../../host-sim/cloud/core/state/keeper";
import { BOARD, BOARD_ID, firmware } from "./helpers";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "xs-ota-state-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const openCloud = (state: string, now = 1_000): Promise<Cloud> => createCloud({ state, now: () => now });

test("devices of every platform, tasks, rollouts, messages and packages are there again after the cloud was closed", async () => {
  await withFolder(async (state) => {
    const first = await openCloud(state);
    const file = await first.packages.add(firmware(5_000), { version: "2" });
    first.addDevice("tencent", BOARD);
    first.addDevice("thingspanel", { profile: "v0", username: "token-123", deviceNumber: "dev-1" });
    first.devices.version(BOARD_ID, "1", 900);
    first.devices.log(BOARD_ID, { at: 920, direction: "up", topic: "t", payload: "{}", qos: 1, dup: false });
    assert.equal(first.devices.get(BOARD_ID)?.lastSeen, 920, "every message counts");
    const { rollout } = first.rollouts.create({
      package: file.id,
      selection: { kind: "all" },
      waves: [50, 100],
      failureLimit: 5,
      timeout: 60,
    });
    const task = first.tasks.active(BOARD_ID)!;
    first.tasks.update(task.id, { status: "failure", code: -4, message: "no", percent: 12, finishedAt: 950 });
    const devices = first.devices.list();
    const [tasks, members] = [first.tasks.list(), first.rollouts.members(rollout.id)!.list()];
    const known = first.rollouts.get(rollout.id);
    const identities = devices.map(({ id }) => first.identity(id));
    await first.close();

    const second = await openCloud(state);
    assert.deepEqual(
      second.devices.list(),
      devices.map((device) => ({ ...device, online: false })),
    );
    assert.deepEqual(second.tasks.list(), tasks);
    assert.deepEqual(second.rollouts.get(rollout.id), known);
    assert.deepEqual(second.rollouts.members(rollout.id)!.list(), members);
    assert.deepEqual(second.devices.messages(BOARD_ID), [
      { at: 920, direction: "up", topic: "t", payload: "{}", qos: 1, dup: false },
    ]);
    assert.deepEqual(
      devices.map(({ id }) => second.identity(id)),
      identities,
    );
    assert.deepEqual(second.packages.list(), [file]);
    second.removeDevice(BOARD_ID);
    second.rollouts.cancel(rollout.id);
    second.rollouts.remove(rollout.id);
    await second.close();

    const third = await openCloud(state);
    assert.deepEqual(
      third.devices.list().map(({ id }) => id),
      ["thingspanel/dev-1"],
    );
    assert.deepEqual([third.rollouts.list(), third.tasks.ofDevice(BOARD_ID)], [[], []]);
    const next = third.rollouts.create({ package: file.id, selection: { kind: "all" } });
    assert.notEqual(next.rollout.id, rollout.id, "an id is never used again while anything may remember it");
    await third.close();
  });
});

test("what is announced is on disk before anybody hears of it; the rest soon after", async () => {
  await withFolder(async (state) => {
    const cloud = await openCloud(state);
    const file = await cloud.packages.add(firmware(5_000), { version: "2" });
    const seen: string[] = [];
    // Synchronous: a moment later even a change that is written after its announcement is on disk.
    const look = (): void => {
      // Another connection sees what is committed, as the next process would.
      const database = new DatabaseSync(join(state, "cloud.db"), { readOnly: true });
      seen.push(
        database
          .prepare("SELECT group_concat(status) AS statuses FROM tasks")
          .all()
          .map((row) => String((row as { statuses: unknown }).statuses))
          .join(),
      );
      database.close();
    };
    cloud.addDevice("tencent", BOARD);
    cloud.on("task", look);
    cloud.push(BOARD_ID, file);
    const task = cloud.tasks.active(BOARD_ID)!;
    cloud.tasks.update(task.id, { status: "success", finishedAt: 5 });
    assert.deepEqual(seen, ["pending", "success"]);
    await cloud.close();
  });
});

test("the log of each device is bounded on disk", async () => {
  await withFolder(async (state) => {
    const cloud = await openCloud(state);
    cloud.addDevice("tencent", BOARD);
    for (let index = 0; index < 5 * MESSAGES_KEPT; index++) {
      cloud.devices.log(BOARD_ID, {
        at: index,
        direction: "up",
        topic: "t",
        payload: String(index),
        qos: 0,
        dup: false,
      });
      if (index % 100 === 99) cloud.devices.version(BOARD_ID, `${index}`, index);
    }
    await cloud.close();
    const again = await openCloud(state);
    const kept = again.devices.messages(BOARD_ID);
    assert.equal(kept.at(-1)?.payload, String(5 * MESSAGES_KEPT - 1));
    assert.ok(kept.length >= MESSAGES_KEPT && kept.length <= MESSAGES_KEPT + 100, `${kept.length}`);
    await again.close();
  });
});

test("one cloud at a time; what is no state, or a newer one, is left alone with one clear line", async () => {
  await withFolder(async (folder) => {
    const state = join(folder, "state");
    const cloud = await openCloud(state);
    await assert.rejects(openCloud(state), {
      message: `the state in ${state} can not be used: another cloud is using it`,
    });
    await cloud.close();
    await writeFile(join(folder, "cloud.db"), "something else altogether, and long enough to be looked at".repeat(20));
    await assert.rejects(openCloud(folder), /can not be used: cloud\.db is not a database/);
    await assert.rejects(openCloud(join(folder, "cloud.db", "x")), /can not be used: /);
    assert.equal((await stat(join(folder, "cloud.db"))).size, 1160);

    const database = await StateDatabase.open(state);
    database.run("PRAGMA user_version = 99");
    database.close();
    await assert.rejects(openCloud(state), /written by a newer version of xs-ota/);
  });
});

test("a device of a platform that is not played any more stays where it is", async () => {
  await withFolder(async (state) => {
    const database = await StateDatabase.open(state);
    database.run("INSERT INTO devices(id, platform, identity, online) VALUES('elsewhere/a', 'elsewhere', '{}', 0)");
    database.close();
    const cloud = await openCloud(state);
    assert.deepEqual(cloud.devices.list(), []);
    await cloud.close();
    const again = await StateDatabase.open(state);
    assert.deepEqual(
      again.all("SELECT id FROM devices").map((row) => row["id"]),
      ["elsewhere/a"],
    );
    again.close();
  });
});
