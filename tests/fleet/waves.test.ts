import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeviceState } from "../../host-sim/cloud/fleet/messages";
import { inOrder, WaveRun } from "../../host-sim/cloud/fleet/servers/waves";
import { FleetStatistics } from "../../host-sim/cloud/fleet/statistics";

/** Ten devices in waves of 20, 50 and 100 %, and what was asked of the server. */
function run(failureLimit?: number): {
  readonly waves: WaveRun;
  readonly asked: string[];
  readonly statistics: FleetStatistics;
  become(state: DeviceState, ...devices: readonly number[]): void;
} {
  const asked: string[] = [];
  const statistics = new FleetStatistics(10, 0);
  const plan = { waves: [20, 50, 100], timeLimit: 1, ...(failureLimit === undefined ? {} : { failureLimit }) };
  const waves = new WaveRun(inOrder(10, plan.waves), plan, {
    release: async (wave) => void asked.push(`release ${wave}`),
    halt: async () => void asked.push("halt"),
  });
  return {
    waves,
    asked,
    statistics,
    become: (state, ...devices) => {
      for (const device of devices) statistics.take({ device, at: 0, kind: "state", state });
    },
  };
}

test("a wave follows when each device of the one before has ended; then it is finished", async () => {
  const { waves, asked, statistics, become } = run();
  await waves.begin();
  become("done", 0);
  become("downloading", 1);
  assert.equal((await waves.look(statistics)).counts.upgrading, 1);
  assert.deepEqual(asked, ["release 0"]);
  become("fail", 1);
  const next = await waves.look(statistics);
  assert.deepEqual(asked, ["release 0", "release 1"]);
  assert.deepEqual([next.state, next.counts.pushed, next.counts.pending], ["running", 3, 5]);
  become("done", 2, 3, 4);
  await waves.look(statistics);
  become("done", 5, 6, 7, 8, 9);
  const last = await waves.look(statistics);
  assert.deepEqual([last.state, last.counts.success, last.counts.failure], ["finished", 9, 1]);
  assert.deepEqual(asked, ["release 0", "release 1", "release 2"]);
  assert.deepEqual(
    last.waves.map(({ upTo, size }) => [upTo, size]),
    [
      [20, 2],
      [50, 3],
      [100, 5],
    ],
  );
});

test("more failures than the limit among those asked halt it once, and no wave follows", async () => {
  const { waves, asked, statistics, become } = run(49);
  await waves.begin();
  become("fail", 0);
  const halted = await waves.look(statistics);
  assert.deepEqual([halted.state, halted.reason], ["halted", "1 of 2 devices asked have failed, more than 49 %"]);
  become("done", 1);
  await waves.look(statistics);
  assert.deepEqual(asked, ["release 0", "halt"]);
});

test("a wave without members is passed over", async () => {
  const { asked, statistics } = run();
  const plan = { waves: [1, 100], timeLimit: 1 };
  const waves = new WaveRun([[], [0]], plan, {
    release: async (wave) => void asked.push(`release ${wave}`),
    halt: async () => undefined,
  });
  await waves.begin();
  await waves.look(statistics);
  assert.deepEqual(asked, ["release 0", "release 1"]);
});
