/**
 * A rollout to many devices, each the whole agent, in one process: the double of hawkBit with its rate limiter, and virtual
 * time. All devices stand behind one address, so they share what the limiter gives to it.
 */
import type { MemoryBoard } from "../../hal/model-chip/memory-board";
import type { RolloutRecord } from "../../host-sim/operators/hawkbit/operator";
import { HawkbitPlatform } from "../../src/platforms/hawkbit/dialect";
import { STOCK_LIMITS } from "../doubles/hawkbit/rate-limit";
import type { RateLimits } from "../doubles/hawkbit/rate-limit";
import { HawkbitDouble } from "../doubles/hawkbit/server";
import { FACTORY_VERSION, factoryBoard, firmwareImage } from "../kit/images";
import type { Peer } from "../kit/peer";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";
import { Random } from "../powercut/simulation/random";

const SIZE = 20_000;
const NEXT = "0.2.0";
const EPOCH = Date.UTC(2026, 10, 30);
/** Not a private one: the limiter spares those. */
const ADDRESS = "203.0.113.7";
/** The server's interval of polls, ms. */
const INTERVAL = 300_000;
const SUCCESS = '"closed","result":{"finished":"success"';
/** Longest rollout, and what is watched behind its end, ms. */
const SPAN = 6 * 3_600_000;
const AFTER = 3_600_000;

export interface FleetOptions {
  readonly devices: number;
  readonly groups: number;
  /** Percent of a group that failed, above which the rollout pauses. */
  readonly error: number;
  /** Share of the devices on which the firmware fails its health check. */
  readonly bad: number;
  /** Default: those of a stock server. */
  readonly limits?: RateLimits;
  /** All devices are switched on in the same moment. Default: over one interval. */
  readonly together?: boolean;
  readonly seed?: number;
}

export interface FleetResult {
  readonly rollout: RolloutRecord;
  /** Devices that run the new version in the end, and that were ever offered it. */
  readonly updated: number;
  readonly offered: number;
  /** Requests in all, and those that the limiter refused. */
  readonly requests: number;
  readonly refused: number;
  /** Reports of success from a device that had not confirmed the new firmware. */
  readonly early: number;
  /** Terminal outcomes beyond one of an action. */
  readonly repeated: number;
  /** Until the rollout was over, virtual minutes. */
  readonly minutes: number;
}

class Fleet {
  readonly clock = new VirtualClock();
  readonly double: HawkbitDouble;
  readonly devices: VirtualDevice[] = [];
  early = 0;
  readonly #restarts = new Set<VirtualDevice>();

  constructor(rateLimits: RateLimits) {
    this.double = new HawkbitDouble({ now: () => EPOCH + this.clock.now(), rateLimits });
  }

  /** Switched on at a time, ms. */
  async add(index: number, random: Random, isBad: boolean, at: number): Promise<void> {
    const { clock, double } = this;
    const controllerId = `fleet-${String(index).padStart(5, "0")}`;
    const { targetToken } = await double.operator.createDevice(controllerId);
    const board: MemoryBoard = factoryBoard(SIZE, () => void this.#restarts.add(device));
    const peer = this.#watched(() => device);
    const device: VirtualDevice = new VirtualDevice({
      board,
      clock,
      network: new VirtualNetwork({ clock, line: { latency: 20 }, peers: () => peer }),
      platform: () =>
        new HawkbitPlatform({ server: "http://hb.example:8080", controllerId, part: "firmware", targetToken }),
      policy: { allowHttp: true },
      random: () => random.fraction(),
      onHealthCheck: (report) =>
        report(!isBad || board.ports.boot.running().version === FACTORY_VERSION, "bad firmware"),
    });
    this.devices.push(device);
    clock.at(at, () => device.powerOn());
  }

  /** Until a time, or until it is `over`, which is looked at now and then. */
  run(until: number, over: () => boolean = () => false): void {
    const { clock } = this;
    for (let steps = 0; clock.now() < until && clock.step(until); steps++) {
      for (const device of this.#restarts) device.restartIfWanted();
      this.#restarts.clear();
      if (steps % 1_000 === 0 && over()) return;
    }
  }

  /** The server as a device sees it, whose success has to be that of a confirmed firmware. */
  #watched(device: () => VirtualDevice): Peer {
    const peer = this.double.peer(ADDRESS);
    return {
      opened: (connection) => peer.opened?.(connection),
      received: (bytes, connection) => {
        const isSuccess = Buffer.from(bytes).includes("deploymentBase") && Buffer.from(bytes).includes(SUCCESS);
        if (isSuccess && !device().notices.some(({ event }) => event === "confirmed")) this.early++;
        peer.received(bytes, connection);
      },
      closed: (connection) => peer.closed?.(connection),
    };
  }
}

/** Rejects where the rollout neither ends nor pauses in time. */
export async function rollOut(options: FleetOptions): Promise<FleetResult> {
  const { devices: count, groups, error, bad, limits = STOCK_LIMITS, together = false, seed = 1 } = options;
  const fleet = new Fleet(limits);
  const { clock, double, devices } = fleet;
  const { operator } = double;
  await operator.prepare();
  for (let index = 0; index < count; index++) {
    const random = new Random(seed + index * 7_919);
    await fleet.add(index, random, random.fraction() < bad, together ? 0 : (index * INTERVAL) / count);
  }
  fleet.run(INTERVAL);
  const bytes = firmwareImage(NEXT, SIZE);
  const firmware = await operator.upload({ name: "app", version: NEXT, part: "firmware", fileName: "app.bin", bytes });
  const targets = "controllerid==fleet-*";
  const id = await operator.rollOut({ name: "next", targets, firmware, groups, success: 50, error });
  const begun = clock.now();
  const rollout = double.rollouts.rollout(id);
  const isOver = (): boolean => rollout.status === "paused" || rollout.status === "finished";
  fleet.run(begun + SPAN, isOver);
  const minutes = (clock.now() - begun) / 60_000;
  if (!isOver()) throw new Error(`the rollout is ${rollout.status} after ${SPAN / 60_000} minutes`);
  fleet.run(clock.now() + AFTER);
  const { exchanges } = double;
  const closed = exchanges.filter(
    ({ request, answer }) => answer.status === 200 && Buffer.from(request.body).includes('"closed"'),
  );
  return {
    rollout: await operator.rollout(id),
    updated: devices.filter(({ version }) => version === NEXT).length,
    offered: devices.filter(({ notices }) => notices.some(({ event }) => event === "offer")).length,
    requests: exchanges.length,
    refused: exchanges.filter(({ answer }) => answer.status === 429).length,
    early: fleet.early,
    repeated: closed.length - new Set(closed.map(({ request }) => request.target)).size,
    minutes,
  };
}

export const lineOf = ({
  rollout,
  updated,
  offered,
  requests,
  refused,
  early,
  repeated,
  minutes,
}: FleetResult): string =>
  [
    `rollout ${rollout.status} after ${minutes.toFixed(1)} min`,
    `${updated} updated, ${offered} of ${rollout.total} offered it, ${rollout.perStatus["error"]} failed`,
    `${refused} of ${requests} requests refused by the limiter`,
    `${early} early, ${repeated} repeated outcomes`,
  ].join("; ");
