import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { TRIAL_SECONDS_MAX } from "../../../src/constants";
import { generator, WEAK } from "../../faults/weak-link";
import { buildImage } from "../../../hal/model-chip/build-image";
import { steadyNow } from "../core/running-time";
import type { DeviceOrder, FaultKind } from "./messages";
import { openServer } from "./servers/open";
import type { ServerChoice } from "./servers/open";
import type { DeviceSettings, FleetRollout, FleetServer, RolloutPlan } from "./servers/server";
import { FleetStatistics } from "./statistics";
import { Workers } from "./workers";

export interface FleetOptions extends RolloutPlan, ServerChoice {
  readonly devices: number;
  readonly processes: number;
  /** Bytes of the image. */
  readonly size: number;
  /** Shares of the devices, 0 to 1: those that fail on purpose, and those behind a weak link. */
  readonly failShare: number;
  readonly weakShare: number;
  /** Seconds for which the cloud is gone, killed in mid-rollout. Needs a cloud of our own. */
  readonly outage?: number;
  /** Milliseconds over which the devices are switched on. */
  readonly ramp: number;
  readonly seed: number;
  /** How many times faster than real time the devices' clocks go. Default: 1. */
  readonly speed?: number;
}

export interface FleetResult {
  readonly devices: number;
  readonly imageSize: number;
  readonly statistics: FleetStatistics;
  readonly rollout: FleetRollout;
  /**
   * Bytes of firmware that the server served for it, where it counts them. After an outage those since then: the counter
   * is the process's.
   */
  readonly served: number | undefined;
  /** Devices by what the server's own records say of them, where it has some. */
  readonly records: Readonly<Record<string, number>> | undefined;
  readonly outage: { readonly from: number; readonly to: number; readonly servedBefore: number } | undefined;
  /** Milliseconds from the rollout's creation to its end. */
  readonly took: number;
  /** Peak, of the fleet's processes together. */
  readonly memory: number;
  /** Devices that were to fail, and those that did though they were not to, or never came to an end. */
  readonly faulty: number;
  readonly unexpected: number;
  readonly halted: boolean;
}

export interface FleetProgress {
  say(line: string): void;
  /** Called again and again. */
  tick(statistics: FleetStatistics, phase: string): void;
}

const FACTORY_VERSION = "0.1.0";
const TARGET_VERSION = "0.2.0";
const POLL = 500;
/** An outage begins when this share of the devices is done. */
const OUTAGE_AT = 0.3;
const CONNECT_TIMEOUT = 120_000;
/** A little more than the agent's longest pause between attempts, and a connect that times out. */
const RECONNECT_TIMEOUT = 75_000;

/** Runs a fleet through one update. Rejects with one line; leaves no process and no file behind. */
export async function runFleet(options: FleetOptions, progress: FleetProgress): Promise<FleetResult> {
  const { devices, processes, ramp, seed, speed = 1 } = options;
  const server = await openServer(options);
  let workers: Workers | undefined;
  try {
    const run = randomBytes(3).toString("hex");
    const image = imageOf(TARGET_VERSION, options.size);
    const names = Array.from({ length: devices }, (_, index) => `fleet-${run}-${String(index).padStart(5, "0")}`);
    const orders = makeOrders(await server.addDevices(names), options);
    progress.say(`${devices} devices in ${processes} processes, image of ${image.length} bytes, ${server.place}`);
    const statistics = new FleetStatistics(devices, steadyNow());
    workers = new Workers(processes, (event) => statistics.take(event));
    const factory = imageOf(FACTORY_VERSION).toString("base64");
    await workers.start(orders, { factory, targets: server.targets, ramp, seed, speed });
    return await Promise.race([
      watch({ server, workers, statistics, image, orders, options, progress }),
      workers.failed,
    ]);
  } finally {
    await workers?.stop();
    await server.close();
  }
}

interface Run {
  readonly server: FleetServer;
  readonly workers: Workers;
  readonly statistics: FleetStatistics;
  readonly image: Buffer;
  readonly orders: readonly DeviceOrder[];
  readonly options: FleetOptions;
  readonly progress: FleetProgress;
}

type Tick = (phase: string) => Promise<void>;

async function watch(run: Run): Promise<FleetResult> {
  const { server, workers, statistics, image, orders, options, progress } = run;
  const tick: Tick = async (phase) => {
    await wait(POLL);
    statistics.sample(steadyNow());
    progress.tick(statistics, phase);
  };
  await connectAll(run, tick);
  const before = (await server.served?.()) ?? 0;
  const started = steadyNow();
  await server.begin({ version: TARGET_VERSION, bytes: image }, options);
  const { rollout, outage } = await follow(run, before, tick);
  const took = steadyNow() - started;
  // Devices that were done before the outage had no reason to connect quickly.
  for (const end = steadyNow() + RECONNECT_TIMEOUT; statistics.missing > 0 && steadyNow() < end;)
    await tick("the last reconnect");
  for (let last = 0; last < 3; last++) await tick(`rollout ${rollout.state}`);
  const served = await server.served?.();
  const faulty = orders.filter(({ fault }) => fault !== undefined).length;
  const { success, failure } = rollout.counts;
  const halted = rollout.state === "halted";
  const missing = halted ? 0 : options.devices - faulty - success;
  return {
    devices: options.devices,
    imageSize: image.length,
    statistics,
    rollout,
    served: served === undefined || outage !== undefined ? served : served - before,
    records: await server.records?.(),
    outage,
    took,
    memory: workers.memory,
    faulty,
    unexpected: Math.max(0, missing, failure - faulty),
    halted,
  };
}

/** Resolves when every device is connected, or after a time without that. */
async function connectAll({ server, statistics, options }: Run, tick: Tick): Promise<void> {
  const end = steadyNow() + options.ramp + CONNECT_TIMEOUT;
  while (statistics.counts().idle < options.devices && steadyNow() < end) await tick("connecting");
  // The device's end of a connection is open before the cloud has got round to its own.
  while (((await server.online?.()) ?? options.devices) < options.devices && steadyNow() < end)
    await tick("connecting");
}

/**
 * Resolves when the rollout is over, or has lasted longer than it may; kills the cloud in between if that was asked
 * for.
 */
async function follow(run: Run, before: number, tick: Tick): Promise<Pick<FleetResult, "rollout" | "outage">> {
  const { server, statistics, options, progress } = run;
  let outage: FleetResult["outage"];
  let rollout = await server.look(statistics);
  for (const end = steadyNow() + options.timeLimit; steadyNow() < end;) {
    const released = rollout.waves.filter(({ releasedAt }) => releasedAt !== undefined).length;
    const waves = rollout.waves.length === 0 ? "" : `, wave ${released} of ${rollout.waves.length}`;
    await tick(`rollout ${rollout.state}${waves}`);
    rollout = await server.look(statistics);
    const isDue = rollout.counts.success >= options.devices * OUTAGE_AT;
    if (options.outage !== undefined && outage === undefined && isDue) {
      outage = await interrupt(server, options.outage, before, statistics, tick);
      progress.say(`the cloud was killed and came back after ${options.outage} s`);
    }
    const { downloading, verifying, expanding, installing, burning, trial } = statistics.counts();
    const busy = downloading + verifying + expanding + installing + burning + trial;
    const idle = busy + rollout.counts.pushed + rollout.counts.upgrading === 0;
    if (rollout.state === "finished" || (rollout.state === "halted" && idle)) break;
  }
  return { rollout, outage };
}

async function interrupt(
  server: FleetServer,
  seconds: number,
  before: number,
  statistics: FleetStatistics,
  tick: Tick,
): Promise<NonNullable<FleetResult["outage"]>> {
  const cloud = server.process;
  if (cloud === undefined) throw new Error("only a cloud of our own can be killed");
  const servedBefore = ((await server.served?.()) ?? 0) - before;
  await cloud.kill();
  statistics.outageBegan();
  const from = steadyNow();
  while (steadyNow() < from + seconds * 1000) await tick("the cloud is gone");
  await cloud.start();
  const to = steadyNow();
  statistics.outageEnded(to);
  return { from, to, servedBefore };
}

function makeOrders(
  settings: readonly DeviceSettings[],
  { devices, failShare, weakShare, seed }: FleetOptions,
): DeviceOrder[] {
  const random = generator(seed);
  const faults = new Map(
    pick(devices, failShare, random).map((index, at): [number, FaultKind] => [
      index,
      at % 2 === 0 ? "health" : "flash",
    ]),
  );
  const weak = new Set(pick(devices, weakShare, random));
  return settings.map((own, index) => {
    const fault = faults.get(index);
    return {
      index,
      // By the wall clock: neither a loaded machine nor a long outage is the new firmware's fault.
      configuration: { ...own, policy: { allowHttp: true, trialSeconds: TRIAL_SECONDS_MAX } },
      ...(fault === undefined ? {} : { fault }),
      ...(weak.has(index) ? { link: WEAK } : {}),
    };
  });
}

/** That share of the numbers below `count`, drawn without replacement. */
function pick(count: number, share: number, random: () => number): number[] {
  const numbers = Array.from({ length: count }, (_, index) => index);
  return Array.from(
    { length: Math.round(count * share) },
    () => numbers.splice(Math.floor(random() * numbers.length), 1)[0]!,
  );
}

/** An image with nothing in it that runs: a fleet's agents are this process's own code. */
function imageOf(version: string, size?: number): Buffer {
  return Buffer.from(
    buildImage({ version, payload: Buffer.from(`"fleet ${version}"`), ...(size === undefined ? {} : { size }) }),
  );
}
