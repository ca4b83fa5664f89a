import assert from "node:assert/strict";
import { test } from "node:test";
import type { RolloutRequest } from "../../host-sim/cloud/core/rollouts/rollouts";
import { reportOf } from "../../host-sim/cloud/core/rollouts/report";
import { Field, id, range } from "./field";

test("everybody at once: offline devices wait for their turn, the rest is pushed to; finished when all have a result", async () => {
  const field = await Field.of(3);
  field.online(0, 1);
  const rollout = field.create();
  assert.deepEqual(field.asked(), [0, 1, 2]);
  assert.deepEqual(field.counts(rollout), { pushed: 2, pending: 1 });
  field.ends("success", 0, 1);
  assert.equal(field.state(rollout), "running");
  field.ends("failure", 2);
  assert.equal(field.state(rollout), "finished");
  const report = reportOf(field.cloud.rollouts.get(rollout)!, field.cloud.rollouts.members(rollout)!, field.now);
  assert.deepEqual(report.failures, [{ reason: "-5: no", count: 1 }]);
});

test("selection: all and by version leave out who is there already; lists are taken as they are", async () => {
  const field = await Field.of(4);
  field.cloud.devices.version(id(0), "2", 0);
  field.cloud.devices.version(id(1), "1", 0);
  const { rollouts } = field.cloud;
  const select = (selection: RolloutRequest["selection"]): object => {
    const { rollout, current, unknown } = rollouts.create({
      package: field.package,
      selection,
      startAt: field.now + 1000,
    });
    return {
      devices: rollouts
        .members(rollout.id)!
        .list()
        .map(({ device }) => device),
      current,
      unknown,
    };
  };
  assert.deepEqual(select({ kind: "all" }), { devices: [id(1), id(2), id(3)], current: 1, unknown: [] });
  assert.deepEqual(select({ kind: "version", version: "1" }), { devices: [id(1)], current: 0, unknown: [] });
  assert.deepEqual(select({ kind: "devices", devices: [id(3), id(0)] }), {
    devices: [id(3), id(0)],
    current: 0,
    unknown: [],
  });
  assert.deepEqual(select({ kind: "names", names: ["d002", "d009", id(0), "d002"] }), {
    devices: [id(2), id(0)],
    current: 0,
    unknown: ["d009"],
  });
  assert.throws(() => select({ kind: "version", version: "2" }), /every device selected runs that version already/);
  assert.throws(() => select({ kind: "names", names: ["nobody"] }), /unknown or ambiguous: nobody/);
  assert.throws(() => select({ kind: "devices", devices: [] }), /no device is selected/);
});

test("a name that two devices have is nobody's", async () => {
  const field = await Field.of(1);
  field.cloud.addDevice("tencent", { productId: "Q", deviceName: "d000", deviceSecret: "AAAA" });
  assert.throws(() => field.create({ selection: { kind: "names", names: ["d000"] } }), /ambiguous: d000/);
});

test("waves: the next one goes out when the one before has results and nobody is at work; offline devices are not waited for", async () => {
  const field = await Field.of(20);
  field.online(...range(0, 20).filter((device) => device !== 1));
  const rollout = field.create({ waves: [10, 50, 100] });
  assert.deepEqual(
    field.cloud.rollouts.get(rollout)!.waves.map(({ size }) => size),
    [2, 8, 10],
  );
  assert.deepEqual(field.asked(), [0, 1]);
  field.ends("success", 0);
  assert.deepEqual(field.asked(), range(1, 10), "device 1 is still offline and may come later");
  field.ends("success", ...range(2, 9));
  assert.deepEqual(field.asked(), [1, 9]);
  field.ends("failure", 9);
  assert.deepEqual(field.asked(), [1, ...range(10, 20)]);
  field.ends("success", ...range(10, 20), 1);
  assert.equal(field.state(rollout), "finished");
});

test("a wave that nobody answers is waited for", async () => {
  const field = await Field.of(4);
  const rollout = field.create({ waves: [50, 100] });
  field.now += 3_600_000;
  field.cloud.rollouts.tick();
  assert.deepEqual(field.asked(), [0, 1]);
  assert.equal(field.state(rollout), "running");
});

test("halts once more than the allowed share of those asked so far have failed; who was not reached is called off, who is at work goes on", async () => {
  const field = await Field.of(100);
  field.online(...range(0, 100).filter((device) => device !== 5));
  const rollout = field.create({ waves: [10, 100], failureLimit: 12 });
  field.ends("failure", 0);
  assert.equal(field.state(rollout), "running", "1 of 9 is 11 %, which is allowed");
  field.ends("failure", 1);
  assert.equal(field.state(rollout), "halted");
  assert.equal(field.cloud.rollouts.get(rollout)!.reason, "2 of 9 devices failed, and 12 % may");
  assert.deepEqual(field.asked(), [2, 3, 4, 6, 7, 8, 9]);
  field.ends("success", 2, 3, 4, 6, 7, 8, 9);
  assert.deepEqual(field.asked(), [], "no further wave");
  assert.deepEqual(field.counts(rollout), { success: 7, failure: 2, pending: 91 });

  field.cloud.rollouts.resume(rollout);
  assert.deepEqual(field.asked(), [5, ...range(10, 100)], "what had failed before is forgiven");
  field.ends("failure", ...range(10, 21));
  assert.equal(field.state(rollout), "running", "11 new ones of 99");
  field.ends("failure", 21);
  assert.equal(field.state(rollout), "halted");
});

test("devices that are offline or called off do not make the share of failures look small", async () => {
  const field = await Field.of(100);
  field.online(...range(0, 6));
  const rollout = field.create({ failureLimit: 20 });
  field.cloud.cancel(field.cloud.tasks.active(id(5))!.id);
  field.ends("failure", 0);
  assert.equal(field.state(rollout), "running", "1 of 5");
  field.ends("failure", 1);
  assert.equal(field.state(rollout), "halted");
  assert.equal(field.cloud.rollouts.get(rollout)?.reason, "2 of 5 devices failed, and 20 % may");
});

test("retry asks those that failed, and only them; in a halted rollout nobody else", async () => {
  const field = await Field.of(10);
  field.online(...range(0, 10));
  const rollout = field.create({ waves: [50, 100], failureLimit: 10 });
  field.ends("failure", 0);
  assert.equal(field.state(rollout), "halted");
  assert.equal(field.cloud.rollouts.retry(rollout), 1);
  assert.deepEqual(field.asked(), [0, 1, 2, 3, 4]);
  assert.equal(field.cloud.rollouts.members(rollout)!.get(id(0))!.attempts, 2);
  field.ends("success", 0, 1, 2, 3, 4);
  assert.equal(field.state(rollout), "halted");
  assert.throws(() => field.cloud.rollouts.retry(rollout), /nothing has failed/);
  field.cloud.rollouts.resume(rollout);
  field.ends("failure", 5);
  field.ends("success", 6, 7, 8, 9);
  assert.equal(field.state(rollout), "finished");
  field.cloud.rollouts.retry(rollout);
  assert.equal(field.state(rollout), "running");
  field.ends("success", 5);
  assert.equal(field.state(rollout), "finished");
});

test("cancel ends everything that is not final, and nothing goes out after it", async () => {
  const field = await Field.of(4);
  field.online(0, 1);
  const rollout = field.create({ waves: [75, 100] });
  field.ends("success", 0);
  field.cloud.rollouts.cancel(rollout);
  assert.deepEqual(field.asked(), []);
  assert.deepEqual(field.counts(rollout), { success: 1, cancelled: 3 });
  assert.equal(field.state(rollout), "cancelled");
  assert.throws(() => field.cloud.rollouts.cancel(rollout), /the rollout is cancelled/);
  assert.throws(() => field.cloud.rollouts.resume("99"), /no rollout 99/);
  field.cloud.rollouts.remove(rollout);
  assert.deepEqual(field.cloud.rollouts.list(), []);
});

test("a later start, a pause between waves and a time limit for each device go by the clock", async () => {
  const field = await Field.of(4);
  field.online(...range(0, 4));
  const rollout = field.create({ startAt: field.now + 60_000, waves: [50, 100], pause: 30, timeout: 600 });
  field.cloud.rollouts.tick();
  assert.deepEqual([field.state(rollout), field.asked()], ["scheduled", []]);
  field.now += 60_000;
  field.cloud.rollouts.tick();
  assert.deepEqual(field.asked(), [0, 1]);
  field.ends("success", 0);
  field.now += 599_000;
  field.cloud.rollouts.tick();
  assert.deepEqual(field.asked(), [1]);
  field.now += 1_000;
  field.cloud.rollouts.tick();
  assert.deepEqual(field.asked(), [], "device 1 took too long, and the pause has begun");
  assert.deepEqual(field.cloud.rollouts.members(rollout)!.get(id(1))!.message, "no result in time");
  field.now += 29_000;
  field.cloud.rollouts.tick();
  assert.deepEqual(field.asked(), []);
  field.now += 1_000;
  field.cloud.rollouts.tick();
  assert.deepEqual(field.asked(), [2, 3]);
});

test("another rollout takes a device over; a removed device and a removed package are failures, not a standstill", async () => {
  const field = await Field.of(3);
  const first = field.create({ waves: [34, 100] });
  const second = field.create({ selection: { kind: "devices", devices: [id(0)] } });
  assert.deepEqual(
    field.counts(first),
    { cancelled: 1, pending: 2 },
    "the first wave has lost one of its two devices to the second rollout",
  );
  assert.equal(field.state(second), "running");
  field.cloud.removeDevice(id(0));
  assert.deepEqual(field.counts(second), { cancelled: 1 });
  assert.equal(field.state(second), "finished");
  await field.cloud.packages.remove(field.package);
  field.cloud.rollouts.cancel(first);
});

test("waves that do not rise to 100 are refused", async () => {
  const field = await Field.of(1);
  for (const waves of [[], [50], [50, 50, 100], [60, 50, 100], [0, 100]])
    assert.throws(() => field.create({ waves }), /rising percentages/);
  assert.throws(
    () => field.create({ waves: Array.from({ length: 30 }, (_, index) => (index === 29 ? 100 : index + 1)) }),
    /at most 20/,
  );
});
