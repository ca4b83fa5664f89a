import assert from "node:assert/strict";
import { test } from "node:test";
import { runFleet, type FleetOptions, type FleetProgress } from "../../host-sim/cloud/fleet/fleet";
import { plot } from "../../host-sim/cloud/fleet/plot";
import { FleetStatistics } from "../../host-sim/cloud/fleet/statistics";
import { asJson, asText } from "../../host-sim/cloud/fleet/summary";
import { call, withHost } from "../console/helpers";

const quiet: FleetProgress = { say: () => undefined, tick: () => undefined };
const base: FleetOptions = {
  devices: 12,
  processes: 1,
  size: 40_000,
  failShare: 0,
  weakShare: 0,
  ramp: 100,
  timeLimit: 120_000,
  seed: 3,
};

test("a fleet is updated by a cloud that it starts; those that are to fail do, each for its own cause", async () => {
  const result = await runFleet({ ...base, failShare: 0.25, waves: [50, 100] }, quiet);
  const { success, failure } = result.rollout.counts;
  assert.deepEqual(
    [success, failure, result.faulty, result.unexpected, result.rollout.state],
    [9, 3, 3, 0, "finished"],
  );
  assert.deepEqual(result.statistics.versions(), { "0.1.0": 3, "0.2.0": 9 });
  const causes = result.statistics.causes().map(({ cause, count }) => [cause.split(":", 1)[0], count]);
  assert.deepEqual(causes, [
    ["rolled-back", 2],
    ["flash", 1],
  ]);
  assert.equal(result.statistics.updateTimes()?.count, 9);
  // Nine of them took every byte of it once; one came to its worn sector; two threw away what they had.
  const { served = 0 } = result;
  assert.ok(served >= 11 * 40_000 && served < 12.5 * 40_000, `${served} bytes`);
  const picture = plot(result);
  assert.match(picture, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*<\/svg>\n$/);
  assert.ok(!/NaN|undefined|Infinity/.test(picture));
  const words = asText(result);
  assert.match(words, /rollout finished/);
  assert.match(words, /p50 .* p99/);
  assert.ok(!/NaN|undefined/.test(words), words);
  assert.equal((asJson(result) as { unexpected: number }).unexpected, 0);
});

test("a cloud that is killed in mid-rollout and comes back: everybody finishes, and reconnects are counted", async () => {
  const result = await runFleet({ ...base, outage: 0, waves: [50, 100] }, quiet);
  assert.deepEqual([result.rollout.counts.success, result.unexpected], [12, 0]);
  const { histogram, times } = result.statistics.reconnects();
  assert.equal(times?.count, 12);
  assert.equal(
    histogram.reduce((sum, count) => sum + count, 0),
    12,
  );
  assert.match(plot(result), /Reconnects by second/);
});

test("against a cloud that runs already nothing is left behind; at its limit the rollout halts", async () => {
  await withHost(async (host) => {
    const cloud = { url: `http://127.0.0.1:${host.cloud.httpPort}`, token: host.apiToken };
    const result = await runFleet(
      {
        ...base,
        devices: 6,
        failShare: 1,
        waves: [34, 100],
        failureLimit: 20,
        weakShare: 0.5,
        cloud,
      },
      quiet,
    );
    assert.deepEqual([result.rollout.state, result.halted, result.unexpected], ["halted", true, 0]);
    assert.ok(result.rollout.counts.pending >= 3);
    assert.deepEqual(host.cloud.devices.list(), []);
    const panel = await runFleet({ ...base, platform: "thingspanel-v0", devices: 2, cloud }, quiet);
    assert.deepEqual([panel.rollout.counts.success, panel.unexpected], [2, 0]);
    assert.equal((await call(host, "/devices")).status, 200);
    await assert.rejects(runFleet({ ...base, cloud: { ...cloud, token: "wrong" } }, quiet), /no session/);
  });
  await assert.rejects(
    runFleet({ ...base, cloud: { url: "http://127.0.0.1:1", token: "x" } }, quiet),
    /no answer from the cloud at/,
  );
});

test("samples are thinned out, so that a long run keeps as many as a short one", () => {
  const statistics = new FleetStatistics(2, 0);
  for (let at = 0; at < 100_000_000; at += 1_000) statistics.sample(at);
  const samples = statistics.samples();
  assert.ok(samples.length <= 600 && samples.length >= 300, `${samples.length}`);
  assert.equal(samples[0]!.at, 0);
});
