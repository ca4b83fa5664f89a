/** Rollouts in groups with an error threshold: fact 46 of hawkbit.md. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DdiDevice, newBench } from "./device";
import type { Bench } from "./device";

interface Fleet extends Bench {
  readonly fleet: readonly DdiDevice[];
  readonly rollout: string;
  /** Devices that are offered something. */
  offered(): string[];
  /** The server looks once a second. */
  look(): void;
}

async function rolledOut(success = 50, error = 50): Promise<Fleet> {
  const bench = await newBench();
  const { double, another, upload, pass } = bench;
  const fleet: DdiDevice[] = [];
  for (let count = 1; count <= 6; count++) fleet.push(await another(`fleet-${count}`));
  const firmware = await upload("2.0.0");
  const rollout = await double.operator.rollOut({
    name: "all",
    targets: "controllerid==fleet-*",
    firmware,
    groups: 3,
    success,
    error,
  });
  const offered = (): string[] =>
    fleet.filter((each) => each.poll()["deploymentBase"] !== undefined).map(({ controllerId }) => controllerId);
  return { ...bench, fleet, rollout, offered, look: () => (pass(1), void double.rollouts.look()) };
}

const close = (device: DdiDevice, finished: string): void => {
  const [, id] = /deploymentBase\/(\d+)/.exec(device.poll()["deploymentBase"]!)!;
  assert.equal(device.report(id!, "closed", finished), 200);
};

test("a group is offered nothing until enough of the one before succeeded", async () => {
  const { double, fleet, rollout, offered, look, device } = await rolledOut();
  assert.deepEqual(offered(), ["fleet-1", "fleet-2"]);
  assert.equal(device.poll()["deploymentBase"], undefined, "not of the filter");
  close(fleet[0]!, "success");
  assert.deepEqual(offered(), ["fleet-2"], "a second later at the earliest");
  look();
  assert.deepEqual(offered(), ["fleet-2", "fleet-3", "fleet-4"]);
  for (const each of fleet.slice(1, 4)) close(each, "success");
  look();
  for (const each of fleet.slice(4)) close(each, "success");
  look();
  const { status, total, perStatus } = await double.operator.rollout(rollout);
  assert.deepEqual([status, total, perStatus["finished"]], ["finished", 6, 6]);
});

test("more errors than the threshold pause it; resumed, it goes on, and those that failed are not offered it again", async () => {
  const { double, fleet, rollout, offered, look } = await rolledOut();
  close(fleet[0]!, "success");
  close(fleet[1]!, "failure");
  look();
  assert.deepEqual(offered(), ["fleet-3", "fleet-4"], "50 % is not more than 50 %");
  close(fleet[2]!, "failure");
  close(fleet[3]!, "failure");
  look();
  assert.equal((await double.operator.rollout(rollout)).status, "paused");
  assert.deepEqual(offered(), []);
  await double.operator.resume(rollout);
  assert.deepEqual(offered(), ["fleet-5", "fleet-6"]);
  const { perStatus } = await double.operator.rollout(rollout);
  assert.deepEqual([perStatus["finished"], perStatus["error"], perStatus["running"]], [1, 3, 2]);
});

test("a fork has the same records, and neither hears of the other afterwards", async () => {
  const { double, fleet, rollout } = await rolledOut();
  close(fleet[0]!, "success");
  const now = double.repository.now() + 10_000;
  const fork = double.fork(() => now);
  const there = new DdiDevice(fork, "fleet-3", fleet[2]!.authorization);
  const id = String(fork.repository.target("fleet-3").actions[0]!.id);
  assert.ok(there.poll()["deploymentBase"]!.startsWith(`/deploymentBase/${id}?`), "the second group has begun there");
  assert.equal(there.report(id, "closed", "success"), 200);
  const { perStatus } = await fork.operator.rollout(rollout);
  assert.deepEqual([perStatus["finished"], perStatus["running"]], [2, 2]);
  const here = await double.operator.rollout(rollout);
  assert.deepEqual([here.perStatus["finished"], here.perStatus["running"]], [1, 1]);
  assert.equal((await double.operator.action("fleet-3", id)).status, "scheduled");
  const order = { name: "x", version: "9", part: "firmware", fileName: "x.bin", bytes: Uint8Array.of(1) };
  const next = await fork.operator.assign("dev-1", await fork.operator.upload(order));
  assert.equal(next, String(double.repository.nextAction), "ids go on");
  assert.equal(double.repository.target("dev-1").actions.length, 0);
});
