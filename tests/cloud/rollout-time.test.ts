/** Durations of a rollout are durations, whatever becomes of the machine's clock or of the process. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCloud, type Cloud } from "../../host-sim/cloud/core/cloud";
import { reportOf } from "../../host-sim/cloud/core/rollouts/report";
import { RunningTime } from "../../host-sim/cloud/core/running-time";
import { Timers } from "../../host-sim/cloud/core/timers";
import { temporaryFolder } from "../kit/folder";
import { Field, id } from "./field";
import { BOARD, Board, firmware, withCloud } from "./helpers";
import { Device, PROGRESS, V0, step } from "./thingspanel";

const HOUR = 3_600_000;
const JUMPS = {
  "an hour forward": HOUR,
  "ten years forward": 87_660 * HOUR,
  "two hours back": -2 * HOUR,
  "to 1970": -1_000_000,
};

/** What is looked at after each step: who is asked, and how many have failed. */
interface Stage {
  readonly title: string;
  act(field: Field, rollout: string): void;
}

const wait =
  (seconds: number) =>
  (field: Field): void => {
    for (let second = 0; second < seconds; second++) {
      field.now += 1_000;
      field.cloud.rollouts.tick();
    }
  };
const STAGES: readonly Stage[] = [
  { title: "before the start", act: wait(59) },
  { title: "the start", act: wait(1) },
  { title: "nobody has answered", act: wait(599) },
  { title: "one of the first wave is done", act: (field) => field.ends("success", 0) },
  { title: "both are", act: (field) => field.ends("success", 1) },
  { title: "the pause has begun", act: wait(29) },
  { title: "the pause is over", act: wait(1) },
  { title: "the second wave is at work", act: wait(599) },
  { title: "one of it is late", act: (field) => (field.ends("success", 2), wait(1)(field)) },
  { title: "and has its result after all", act: (field) => field.result("success", 3) },
];

/** The course of a rollout with a clock that is set before stage `at`. */
async function course(at: number, jump: number): Promise<object[]> {
  const field = await Field.of(4);
  field.online(0, 1, 2, 3);
  const rollout = field.create({ startAt: field.now + 60_000, waves: [50, 100], pause: 30, timeout: 600 });
  const seen = STAGES.map(({ act }, index) => {
    if (index === at) field.clockError = jump;
    act(field, rollout);
    return { asked: field.asked(), counts: field.counts(rollout), state: field.state(rollout) };
  });
  const { durations } = reportOf(
    field.cloud.rollouts.get(rollout)!,
    field.cloud.rollouts.members(rollout)!,
    field.now + field.clockError,
  );
  return [...seen, { durations }];
}

test("the clock is set forward, back and to 1970 in each state of a rollout: nobody fails for it, and no wave is early", async () => {
  const right = await course(-1, 0);
  assert.deepEqual(right.slice(-3), [
    { asked: [], counts: { success: 3, failure: 1 }, state: "finished" },
    { asked: [], counts: { success: 4 }, state: "finished" },
    { durations: { p50: 599_000, p90: 600_000, p99: 600_000, longest: 600_000 } },
  ]);
  for (const [title, jump] of Object.entries(JUMPS))
    // A start at a given time is an appointment, and follows the clock.
    for (let at = 2; at < STAGES.length; at++)
      assert.deepEqual(await course(at, jump), right, `${title}, before: ${STAGES[at]!.title}`);
});

test("a device that is late in one rollout and done in the end counts as done, and its failure with its own reason", async () => {
  const field = await Field.of(2);
  field.online(0, 1);
  const rollout = field.create({ timeout: 10 });
  wait(10)(field);
  assert.deepEqual(field.counts(rollout), { failure: 2 });
  assert.equal(field.cloud.tasks.awaited(id(0))?.message, "no result in time");
  field.result("success", 0);
  field.result("failure", 1);
  assert.deepEqual(field.counts(rollout), { success: 1, failure: 1 });
  const report = reportOf(field.cloud.rollouts.get(rollout)!, field.cloud.rollouts.members(rollout)!, field.now);
  assert.deepEqual(report.failures, [{ reason: "-5: no", count: 1 }]);
  assert.equal(field.cloud.tasks.awaited(id(0)), undefined, "it has its result");
});

test("a download link does not expire because the clock is set", async (context) => {
  const local = await createCloud();
  const file = await local.packages.add(firmware(5_000), { version: "2" });
  await local.start();
  context.after(() => local.stop());
  const start = Math.floor(local.files.now() / 1000);
  const link = `http://127.0.0.1:${local.httpPort}${local.files.sign(file, "x", "d", start, start + 60)}`;
  for (const now of [0, Date.now() + 24 * HOUR]) {
    context.mock.timers.enable({ apis: ["Date"], now });
    assert.equal((await fetch(link)).status, 200);
    context.mock.timers.reset();
  }
});

test("time in which the process stood still does not count, and what is due waits until the messages are read", (context) => {
  let clock = 100_000;
  const time = new RunningTime(undefined, "5000", () => clock);
  clock += 1_000;
  assert.equal(time.now(), 6_000);
  clock += HOUR;
  assert.equal(time.now(), 8_000);

  context.mock.timers.enable({ apis: ["setTimeout"] });
  const timers = new Timers(() => clock);
  let runs = 0;
  timers.open();
  timers.every(1_000, () => runs++);
  const pass = (milliseconds: number): void => {
    clock += milliseconds;
    context.mock.timers.tick(Math.min(milliseconds, 1_000));
  };
  pass(1_000);
  assert.equal(runs, 1);
  pass(HOUR);
  assert.equal(runs, 1, "nobody is judged before the messages of that hour are read");
  pass(1_000);
  assert.equal(runs, 2);
  timers.close();
});

/** The cloud again, after the machine has lost its clock. */
async function restarted(field: Field, state: string): Promise<Field> {
  await field.cloud.close();
  const after = await Field.opened({ state }, field.now);
  after.clockError = JUMPS["to 1970"];
  return after;
}

test("a restart of the cloud begins neither a pause nor a time limit anew", async (context) => {
  const state = temporaryFolder(context);
  let field = await Field.of(2, { state });
  field.online(0, 1);
  const rollout = field.create({ waves: [50, 100], pause: 30, timeout: 40 });
  wait(20)(field);
  field = await restarted(field, state);
  wait(19)(field);
  assert.deepEqual(field.counts(rollout), { pushed: 1, pending: 1 });
  wait(1)(field);
  assert.deepEqual(field.counts(rollout), { failure: 1, pending: 1 });
  wait(20)(field);
  field = await restarted(field, state);
  wait(9)(field);
  assert.deepEqual(field.asked(), []);
  wait(1)(field);
  assert.deepEqual(field.asked(), [1]);
  await field.cloud.close();
});

test("the running time outlives the process", async (context) => {
  const state = temporaryFolder(context);
  const stored: number[] = [];
  for (let run = 0; run < 3; run++) {
    const cloud = await createCloud({ state });
    stored.push(Number(cloud.database!.setting("running-time") ?? 0));
    await cloud.start();
    await cloud.close();
  }
  assert.ok(stored[0] === 0 && stored[1]! > 0 && stored[2]! > stored[1]!, stored.join(", "));
});

/** A device that a task was pushed to, and how it reports its end. */
interface Late {
  readonly device: string;
  pushed(): Promise<unknown>;
  report(end: "success" | "failure"): Promise<void>;
  leave(): Promise<void>;
}

async function lateOnThingsPanel(cloud: Cloud): Promise<Late> {
  const device = cloud.addDevice("thingspanel", V0);
  const client = await Device.connect(cloud, V0);
  await client.subscribe("ota/device/inform/token-123");
  return {
    device,
    pushed: () => client.received(1),
    report: (end) => client.publish(PROGRESS.v0, step(end === "success" ? 100 : -2, "MCU")),
    leave: () => client.leave(),
  };
}

async function lateOnTencent(cloud: Cloud): Promise<Late> {
  const device = cloud.addDevice("tencent", BOARD);
  const board = await Board.connect(cloud);
  await board.version("0.1.0");
  await board.next();
  return {
    device,
    pushed: () => board.next(),
    report: (end) =>
      board.progress(
        "0.2.0",
        end === "success" ? { state: "done" } : { state: "fail", result_code: "-2", result_msg: "step -2" },
      ),
    leave: () => board.leave(),
  };
}

test("a result that comes after the time limit counts, on either platform", async () => {
  for (const connect of [lateOnThingsPanel, lateOnTencent])
    for (const end of ["success", "failure"] as const) {
      let running = 0;
      await withCloud({ running: () => running }, async (cloud) => {
        const file = await cloud.packages.add(firmware(5_000), { version: "0.2.0" });
        const late = await connect(cloud);
        const { rollout } = cloud.rollouts.create({ package: file.id, selection: { kind: "all" }, timeout: 10 });
        await late.pushed();
        running = 11_000;
        cloud.rollouts.tick();
        const result = (): unknown[] => {
          const [{ status, message } = {}] = cloud.rollouts.members(rollout.id)!.list();
          return [status, message === "no result in time"];
        };
        assert.deepEqual(result(), ["failure", true]);
        await late.report(end);
        assert.deepEqual(result(), [end, false]);
        assert.deepEqual(cloud.violations(), []);
        await late.leave();
      });
    }
});
