import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { TRIAL_SECONDS_MAX } from "../../../src/constants";
import type { Views } from "../api/schemas/views";
import { generator, WEAK, type Target } from "../../faults/weak-link";
import type { FirmwareConfiguration } from "../../board/firmware/configuration";
import { buildImage } from "../../../hal/model-chip/build-image";
import { steadyNow } from "../core/running-time";
import { CloudClient } from "./cloud-client";
import type { DeviceOrder, FaultKind } from "./messages";
import { OwnCloud } from "./own-cloud";
import { FleetStatistics } from "./statistics";
import { Workers } from "./workers";

export interface FleetOptions {
  readonly devices: number;
  readonly processes: number;
  /** Bytes of the image. */
  readonly size: number;
  /** Shares of the devices, 0 to 1: those that fail on purpose, and those behind a weak link. */
  readonly failShare: number;
  readonly weakShare: number;
  readonly waves?: readonly number[];
  /** Percent. */
  readonly failureLimit?: number;
  /** Seconds for which the cloud is gone, killed in mid-rollout. Needs a cloud of our own. */
  readonly outage?: number;
  /** Milliseconds over which the devices are switched on. */
  readonly ramp: number;
  /** Milliseconds that the rollout may take. */
  readonly timeLimit: number;
  readonly seed: number;
  /** A cloud that runs already; default: one of our own. */
  readonly cloud?: { readonly url: string; readonly token: string };
}

export interface FleetResult {
  readonly devices: number;
  readonly imageSize: number;
  readonly statistics: FleetStatistics;
  readonly rollout: Views["rollout"];
  /** Bytes of firmware that the cloud served for it. After an outage those since then: the counter is the process's. */
  readonly served: number;
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
const PRODUCT = "XSOTAFLEET";
const POLL = 500;
/** An outage begins when this share of the devices is done. */
const OUTAGE_AT = 0.3;
const CONNECT_TIMEOUT = 120_000;
/** A little more than the agent's longest pause between attempts, and a connect that times out. */
const RECONNECT_TIMEOUT = 75_000;

/** Runs a fleet through one update. Rejects with one line; leaves no process and no file behind. */
export async function runFleet(options: FleetOptions, progress: FleetProgress): Promise<FleetResult> {
  const folder = options.cloud === undefined ? await mkdtemp(join(tmpdir(), "xs-ota-fleet-")) : undefined;
  const own = folder === undefined ? undefined : new OwnCloud(join(folder, "cloud"), ["--engine", "node"]);
  let workers: Workers | undefined;
  try {
    await own?.start();
    const client =
      own === undefined
        ? new CloudClient(options.cloud!.url, options.cloud!.token)
        : new CloudClient(own.url, await own.token());
    const targets = await client.targets();
    const run = randomBytes(3).toString("hex");
    const image = imageOf(TARGET_VERSION, options.size);
    const file = await client.upload(image, `fleet-${run}.bin`);
    const identities = Array.from({ length: options.devices }, (_, index) => identityOf(run, index));
    const ids = await client.addDevices("tencent", identities);
    try {
      progress.say(
        `${options.devices} devices in ${options.processes} processes, image of ${image.length} bytes, cloud at ${own?.url ?? options.cloud!.url}`,
      );
      const statistics = new FleetStatistics(options.devices, steadyNow());
      const orders = makeOrders(identities, targets[0], options);
      workers = new Workers(options.processes, (event) => statistics.take(event));
      const others = (await client.overview()).devices.online;
      await workers.start(orders, {
        factory: imageOf(FACTORY_VERSION).toString("base64"),
        targets,
        ramp: options.ramp,
        seed: options.seed,
      });
      const result = await Promise.race([
        watch({ client, own, workers, statistics, ids, file, orders, options, progress, others }),
        workers.failed,
      ]);
      return result;
    } finally {
      // In a cloud that goes on without us nothing is left behind.
      if (options.cloud !== undefined) for (const id of ids) await client.removeDevice(id);
    }
  } finally {
    await workers?.stop();
    await own?.kill();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

interface Run {
  readonly client: CloudClient;
  readonly own: OwnCloud | undefined;
  readonly workers: Workers;
  readonly statistics: FleetStatistics;
  readonly ids: readonly string[];
  readonly file: Views["package"];
  readonly orders: readonly DeviceOrder[];
  readonly options: FleetOptions;
  readonly progress: FleetProgress;
  /** Devices outside this fleet that were online before. */
  readonly others: number;
}

type Tick = (phase: string) => Promise<void>;

async function watch(run: Run): Promise<FleetResult> {
  const { client, workers, statistics, ids, file, orders, options, progress } = run;
  const tick: Tick = async (phase) => {
    await wait(POLL);
    statistics.sample(steadyNow());
    progress.tick(statistics, phase);
  };
  await connectAll(run, tick);
  const before = (await client.overview()).served.bytes;
  const started = steadyNow();
  const { rollout: created } = await client.createRollout({
    package: file.id,
    selection: { kind: "devices", devices: [...ids] },
    ...(options.waves === undefined ? {} : { waves: [...options.waves] }),
    ...(options.failureLimit === undefined ? {} : { failureLimit: options.failureLimit }),
    timeout: Math.ceil(options.timeLimit / 1000),
  });
  const { rollout, outage } = await follow(run, created, before, tick);
  const took = steadyNow() - started;
  // Devices that were done before the outage had no reason to connect quickly.
  for (const end = steadyNow() + RECONNECT_TIMEOUT; statistics.missing > 0 && steadyNow() < end;)
    await tick("the last reconnect");
  for (let last = 0; last < 3; last++) await tick(`rollout ${rollout.state}`);
  const served = (await client.overview()).served.bytes - (outage === undefined ? before : 0);
  const faulty = orders.filter(({ fault }) => fault !== undefined).length;
  const { success, failure } = rollout.counts;
  const halted = rollout.state === "halted";
  const missing = halted ? 0 : options.devices - faulty - success;
  return {
    devices: options.devices,
    imageSize: file.size,
    statistics,
    rollout,
    served,
    outage,
    took,
    memory: workers.memory,
    faulty,
    unexpected: Math.max(0, missing, failure - faulty),
    halted,
  };
}

/** Resolves when every device is connected, or after a time without that. */
async function connectAll({ client, statistics, options, others }: Run, tick: Tick): Promise<void> {
  const end = steadyNow() + options.ramp + CONNECT_TIMEOUT;
  while (statistics.counts().idle < options.devices && steadyNow() < end) await tick("connecting");
  // The device's end of a connection is open before the cloud has got round to its own.
  while ((await client.overview()).devices.online - others < options.devices && steadyNow() < end)
    await tick("connecting");
}

/**
 * Resolves when the rollout is over, or has lasted longer than it may; kills the cloud in between if that was asked
 * for.
 */
async function follow(
  { client, own, statistics, options, progress }: Run,
  created: Views["rollout"],
  before: number,
  tick: Tick,
): Promise<Pick<FleetResult, "rollout" | "outage">> {
  let outage: FleetResult["outage"];
  let rollout = created;
  for (const end = steadyNow() + options.timeLimit; steadyNow() < end;) {
    const released = rollout.waves.filter(({ releasedAt }) => releasedAt !== undefined).length;
    await tick(`rollout ${rollout.state}, wave ${released} of ${rollout.waves.length}`);
    rollout = (await client.rollout(created.id)).rollout;
    const isDue = rollout.counts.success >= options.devices * OUTAGE_AT;
    if (options.outage !== undefined && outage === undefined && own !== undefined && isDue) {
      outage = await interrupt(own, client, options.outage, before, statistics, tick);
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
  own: OwnCloud,
  client: CloudClient,
  seconds: number,
  before: number,
  statistics: FleetStatistics,
  tick: Tick,
): Promise<NonNullable<FleetResult["outage"]>> {
  const servedBefore = (await client.overview()).served.bytes - before;
  await own.kill();
  statistics.outageBegan();
  const from = steadyNow();
  while (steadyNow() < from + seconds * 1000) await tick("the cloud is gone");
  await own.start();
  const to = steadyNow();
  statistics.outageEnded(to);
  return { from, to, servedBefore };
}

function makeOrders(
  identities: readonly Identity[],
  broker: Target,
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
  return identities.map((identity, index) => {
    const fault = faults.get(index);
    const configuration: FirmwareConfiguration = {
      platform: { kind: "tencent", authMode: "KEY", ...identity },
      broker: { ...broker, tls: false },
      // By the wall clock: neither a loaded machine nor a long outage is the new firmware's fault.
      policy: { allowHttp: true, trialSeconds: TRIAL_SECONDS_MAX },
    };
    return {
      index,
      configuration,
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

type Identity = { readonly productId: string; readonly deviceName: string; readonly deviceSecret: string };

function identityOf(run: string, index: number): Identity {
  return {
    productId: PRODUCT,
    deviceName: `fleet-${run}-${String(index).padStart(5, "0")}`,
    deviceSecret: randomBytes(16).toString("base64"),
  };
}

/** An image with nothing in it that runs: a fleet's agents are this process's own code. */
function imageOf(version: string, size?: number): Buffer {
  return Buffer.from(
    buildImage({ version, payload: Buffer.from(`"fleet ${version}"`), ...(size === undefined ? {} : { size }) }),
  );
}
