/**
 * Fleets on the platforms that the local cloud does not play: static files, and the doubles of hawkBit and ThingsBoard.
 *
 *     XS_OTA_FLEET=1000 node --import tsx --test tests/fleet/platforms.test.ts       more devices, hawkBit with its limiter on
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { runFleet, type FleetOptions, type FleetProgress, type FleetResult } from "../../host-sim/cloud/fleet/fleet";
import { SiteServer } from "../../host-sim/cloud/fleet/servers/site-server";
import { asJson, asText } from "../../host-sim/cloud/fleet/summary";
import { HawkbitDouble } from "../doubles/hawkbit/server";
import { STOCK_LIMITS } from "../doubles/hawkbit/rate-limit";
import { ThingsBoardDouble } from "../doubles/thingsboard/server";
import { temporaryFolder } from "../kit/folder";

const DEVICES = Number(process.env["XS_OTA_FLEET"] ?? 8);
const IS_LARGE = DEVICES > 100;

const quiet: FleetProgress = { say: () => undefined, tick: () => undefined };
const base: FleetOptions = {
  devices: DEVICES,
  processes: IS_LARGE ? 2 : 1,
  size: 40_000,
  failShare: 0,
  weakShare: 0,
  // Within the 200 requests a second that a stock hawkBit takes.
  ramp: DEVICES * 10,
  timeLimit: 30 * 60_000,
  seed: 3,
  // Of few devices, polls of a minute come every five seconds, and time-outs are a second.
  speed: IS_LARGE ? 2 : 12,
};
const fleet = (options: Partial<FleetOptions>): Promise<FleetResult> => runFleet({ ...base, ...options }, quiet);

describe("a fleet on", { concurrency: IS_LARGE ? 1 : 4 }, () => {
  test("static files: each raise of the percentage adds devices, all report, the folder is left as it was", async (t) => {
    const site = temporaryFolder(t);
    const server = await SiteServer.open(site);
    t.after(() => server.close());
    const result = await fleet({ platform: "static", server: server.url, site, waves: [50, 100] });
    const { state, counts, waves } = result.rollout;
    assert.deepEqual([state, counts.success, result.unexpected], ["finished", DEVICES, 0]);
    assert.ok(waves.every(({ size, counts: own }) => own.success === size));
    // Five standard deviations.
    assert.ok(Math.abs(waves[0]!.size - DEVICES / 2) <= 2.5 * Math.sqrt(DEVICES), `${waves[0]!.size} at 50 %`);
    assert.deepEqual(result.records, { done: DEVICES });
    // On a busy machine a connection may be cut, and costs what was in flight.
    assert.ok(server.served >= DEVICES * 40_000 && server.served <= DEVICES * 80_000, `${server.served} bytes`);
    assert.deepEqual(readdirSync(site), []);
    assert.match(asText(result), /up to 50 %: \d+ devices, \d+ took it, 0 failed; \d+\.\d % of all have it/);
  });

  test("hawkBit: bad firmware halts the rollout in its first group, and nothing is left behind", async (t) => {
    const double = new HawkbitDouble(IS_LARGE ? { rateLimits: { ...STOCK_LIMITS, spared: /^$/ } } : {});
    await double.start();
    t.after(() => double.stop());
    const options = { platform: "hawkbit", server: double.url, groups: 2, failureLimit: 20 } as const;
    const result = await fleet({ ...options, failShare: 1 });
    assert.deepEqual([result.rollout.state, result.halted, result.unexpected], ["halted", true, 0]);
    assert.deepEqual(result.statistics.versions(), { "0.1.0": DEVICES });
    const { failure, success, pending } = result.rollout.counts;
    const least = DEVICES * 0.1;
    assert.ok(failure >= least && failure <= DEVICES / 2 && success === 0 && pending === DEVICES / 2);
    assert.match(result.rollout.reason ?? "", /hawkBit has paused it/);
    assert.equal(double.repository.targets.size, 0);
    assert.equal((asJson(result) as { served?: number }).served, undefined);
    if (IS_LARGE) assert.ok(double.exchanges.some(({ answer: { status } }) => status === 429));
  });

  test("ThingsBoard: waves go out by assignments, and each device's last state is read from the server", async (t) => {
    const double = new ThingsBoardDouble();
    await double.start();
    t.after(() => double.stop());
    process.env["XS_OTA_THINGSBOARD_MQTT_PORT"] = String(double.mqttPort);
    const result = await fleet({ platform: "thingsboard", server: double.url, waves: [25, 100], failShare: 0.25 });
    const { state, counts, waves } = result.rollout;
    const failing = DEVICES / 4;
    assert.deepEqual([state, counts.failure, result.unexpected], ["finished", failing, 0]);
    assert.deepEqual([waves[0]!.size, waves[1]!.size], [failing, DEVICES - failing]);
    assert.deepEqual(result.records, { UPDATED: DEVICES - failing, FAILED: failing });
    assert.deepEqual([double.repository.devices.size, double.repository.packages.size], [0, 0]);
  });
});

test("a server that is not there, and one that a platform needs, are one line each", async () => {
  await assert.rejects(fleet({ platform: "hawkbit" }), /hawkbit needs --server/);
  await assert.rejects(fleet({ platform: "static", server: "http://127.0.0.1:1" }), /--server and --site belong/);
  await assert.rejects(
    fleet({ platform: "hawkbit", server: "http://127.0.0.1:1" }),
    /^Error: http:\/\/127\.0\.0\.1:1\//,
  );
});
