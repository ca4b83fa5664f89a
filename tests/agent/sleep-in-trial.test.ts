/** A trial that goes on over deep sleeps: a wake is never blamed, and sleep is no way out of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Sleeper } from "./sleeper";
import type { SleeperOptions } from "./sleeper";

/** On trial in new firmware, with the broker away. */
function onTrial(options: SleeperOptions): Sleeper {
  const device = new Sleeper({ size: 40_000, ...options }).start();
  assert.equal(device.runOnce().ends, "restart");
  device.brokerIsUp = false;
  device.goOn();
  return device;
}

/** Sleeps until something else happens. Returns the wakes, and what that was. */
function sleepThrough(device: Sleeper, asleep?: number): { readonly wakes: number; readonly ends: string } {
  let wakes = 0;
  let { ends } = device.runOnce();
  for (; ends === "sleep"; ends = device.runOnce().ends) {
    wakes++;
    device.goOn(asleep);
    assert.equal(device.device.version, "0.2.0", `after ${wakes} wakes`);
  }
  return { wakes, ends };
}

/** The old firmware runs again and has a broker; what it reports of the update, before it is offered again. */
function reportOf(device: Sleeper): string | undefined {
  device.brokerIsUp = true;
  device.goOn();
  assert.equal(device.device.version, "0.1.0");
  device.runOnce();
  return device.published
    .map((text) => /"state":"fail".*"result_msg":"([^"]*)"/.exec(text)?.[1])
    .find((message) => message !== undefined);
}

test("new firmware that sleeps before it is confirmed is confirmed at a later wake", () => {
  const device = onTrial({ wake: { seconds: 10 } });
  for (let wake = 0; wake < 3; wake++) {
    assert.equal(device.runOnce().ends, "sleep");
    device.goOn();
  }
  assert.deepEqual([device.device.version, device.device.state], ["0.2.0", "trial"]);
  device.brokerIsUp = true;
  assert.equal(device.runOnce().ends, "sleep");
  assert.deepEqual(device.cloud.reports.slice(-2), ["version 0.2.0", "done"]);
  assert.equal(device.goOn().board.ports.boot.running().state, "valid");
});

test("awake time is summed over the wakes of a trial, sleep is not", () => {
  const device = onTrial({ wake: { seconds: 12 }, policy: { trialSeconds: 30 }, asleep: 3_000 });
  assert.deepEqual(sleepThrough(device, 3_000), { wakes: 2, ends: "rollback" });
  assert.equal(reportOf(device), "trial: could not connect: connection refused; 0.1.0 reached it after the rollback");
});

test("after 20 wakes the trial is over at the end of the last one, with that cause", () => {
  const device = onTrial({ wake: { seconds: 5 }, policy: { trialSeconds: 900 } });
  assert.deepEqual(sleepThrough(device), { wakes: 20, ends: "rollback" });
  assert.equal(
    reportOf(device),
    "trial: could not connect: connection refused within 20 wakes; 0.1.0 reached it after the rollback",
  );
});

test("after 24 hours the trial is over before another sleep, with that cause", () => {
  const device = onTrial({ wake: { seconds: 5 }, policy: { trialSeconds: 900 }, asleep: 86_400 });
  assert.deepEqual(sleepThrough(device, 8 * 3_600 - 60), { wakes: 3, ends: "rollback" });
  assert.equal(
    reportOf(device),
    "trial: could not connect: connection refused within 24 h; 0.1.0 reached it after the rollback",
  );
});

test("a device on trial sleeps an hour at most, whatever the application wants", () => {
  const device = onTrial({ wake: { seconds: 5 }, asleep: 86_400 });
  device.runOnce();
  assert.deepEqual(device.device.notices.at(-1), { event: "sleep", seconds: 3_600 });
});

test("a health check that is silent over all wakes is the image's own fault", () => {
  const device = onTrial({ wake: { seconds: 20 }, policy: { trialSeconds: 50 }, onHealthCheck: () => {} });
  device.brokerIsUp = true;
  assert.deepEqual(sleepThrough(device), { wakes: 2, ends: "rollback" });
  assert.equal(reportOf(device), "trial: health check did not answer within 50 s");
});

test("power that is lost in the sleep ends the trial as a power loss: the slot is tried again without a download", () => {
  const device = onTrial({ wake: { seconds: 10 } });
  assert.equal(device.runOnce().ends, "sleep");
  const { promised } = device.served;
  device.brokerIsUp = true;
  for (device.start("power-on"); device.runOnce().ends !== "sleep" || device.device.version === "0.1.0";) device.goOn();
  assert.deepEqual(device.cloud.reports.slice(-2), ["version 0.2.0", "done"]);
  assert.equal(device.served.promised, promised);
});
