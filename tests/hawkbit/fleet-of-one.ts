/** One device, the whole agent, and the double of hawkBit, on a network in memory and a clock of the test's own. */
import assert from "node:assert/strict";
import type { MemoryBoard } from "../../hal/model-chip/memory-board";
import { HawkbitPlatform } from "../../src/platforms/hawkbit/dialect";
import type { Package } from "../../host-sim/operators/hawkbit/operator";
import type { Fault } from "../../scripts/hawkbit/scenarios";
import type { AgentOptions } from "../../src/index";
import { DdiDevice } from "../doubles/hawkbit/device";
import { HawkbitDouble } from "../doubles/hawkbit/server";
import type { HawkbitOptions } from "../doubles/hawkbit/server";
import type { HttpAnswer } from "../doubles/http/message";
import { factoryBoard, firmwareImage } from "../kit/images";
import type { Connection, Peer } from "../kit/peer";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";

export const SIZE = 60_000;
/** Longest scenario, ms. */
const SPAN = 3 * 3_600_000;
const EPOCH = Date.UTC(2026, 10, 30);
export const CONTROLLER = "dev-1";

export interface Situation {
  readonly clock: VirtualClock;
  readonly device: VirtualDevice;
  readonly double: HawkbitDouble;
  readonly board: MemoryBoard;
  /** Uploads a version; one with a fault fails its trial. */
  upload(version: string, fault?: Fault, change?: Partial<Package>): Promise<string>;
  /** Uploads and assigns a version; returns the action. */
  assign(version: string, how?: Parameters<HawkbitDouble["operator"]["assign"]>[2]): Promise<string>;
  cancel(id: string): Promise<void>;
  /** Lets the next thing happen. */
  step(): void;
  /** Runs until the condition holds. */
  until(what: string, holds: () => boolean): void;
  untilState(state: string): void;
  /** Status of the action in the server's records. */
  status(id: string): string;
  /** Kinds of its entries, oldest first. */
  history(id: string): string[];
  /** Requests of the device, "METHOD path status", since the start. */
  requests(pattern: RegExp): string[];
  /** A request with the device's token that the agent does not make. */
  ask(method: string, path: string, body: unknown): HttpAnswer;
  powerCut(): void;
  powerOff(): void;
  /** Lets so much time pass, ms. */
  pass(milliseconds: number): void;
  /** Milliseconds since 1970. */
  now(): number;
  /** Connections break, and for so many ms nobody listens. */
  away(milliseconds: number): void;
}

export interface SituationOptions extends Pick<
  AgentOptions,
  "onHealthCheck" | "onOffer" | "onRestart" | "modules" | "policy"
> {
  readonly gateway?: boolean;
  readonly server?: Omit<HawkbitOptions, "now">;
  /** The application of a battery device: it sleeps so many seconds as soon as the agent lets it. */
  readonly sleepSeconds?: number;
}

export async function situation(options: SituationOptions = {}): Promise<Situation> {
  const { gateway = false, server: settings, policy, ...agent } = options;
  const { sleepSeconds } = agent;
  const clock = new VirtualClock();
  const double = new HawkbitDouble({ ...settings, now: () => EPOCH + clock.now() });
  const { operator } = double;
  await operator.prepare(gateway ? { gatewayToken: "key" } : {});
  const { targetToken } = gateway ? { targetToken: "" } : await operator.createDevice(CONTROLLER);
  const credentials = gateway ? { gatewayToken: "key" } : { targetToken };
  const faults = new Map<string, Fault>();
  const board = factoryBoard(SIZE);
  const faultNow = (): Fault | undefined => faults.get(board.ports.boot.running().version);
  const server = new RestartingPeer(double.peer());
  const network = new VirtualNetwork({
    clock,
    line: { latency: 20, rate: 20_000 },
    peers: ({ host }) =>
      host === "hb.example" && clock.now() >= server.backAt && faultNow() !== "offline" ? server : undefined,
  });
  const device = new VirtualDevice({
    board,
    clock,
    network,
    platform: () =>
      new HawkbitPlatform({
        server: "http://hb.example:8080",
        controllerId: CONTROLLER,
        part: "firmware",
        ...credentials,
      }),
    policy: { allowHttp: true, ...policy },
    // Before the agent is made.
    ports(ports) {
      if (faultNow() === "throw") throw new FirmwareThrows();
      return ports;
    },
    ...agent,
  });
  const upload = (version: string, fault?: Fault, change: Partial<Package> = {}): Promise<string> => {
    if (fault !== undefined) faults.set(version, fault);
    const order = { name: "xs-app", version, part: "firmware", fileName: `app-${version}.bin` };
    return operator.upload({ ...order, bytes: firmwareImage(version, SIZE), ...change });
  };
  const restart = (how: () => void): void => {
    try {
      how();
    } catch (error) {
      if (!(error instanceof FirmwareThrows)) throw error;
      restart(() => device.powerOn("software"));
    }
  };
  /** What the board does after something has happened. */
  const follow = (): void => {
    if (sleepSeconds !== undefined && board.restartWanted === "sleep") {
      device.powerOff();
      clock.advance(sleepSeconds * 1_000);
      restart(() => device.powerOn("deep-sleep"));
    }
    restart(() => device.restartIfWanted());
    if (device.state !== "off" && faultNow() === "hang") device.powerOn("watchdog");
  };
  const step = (): void => {
    clock.step();
    follow();
  };
  const until = (what: string, holds: () => boolean): void => {
    const end = clock.now() + SPAN;
    while (!holds()) {
      assert.ok(clock.now() < end, `not so: ${what}; ${device.state}; ${JSON.stringify(device.notices.slice(-6))}`);
      step();
    }
  };
  const record = (id: string) => double.repository.actionOf(CONTROLLER, id);
  device.powerOn();
  return {
    clock,
    device,
    double,
    board,
    upload,
    async assign(version, how) {
      const id = await operator.assign(CONTROLLER, await upload(version), how);
      assert.ok(id !== undefined, `${version} is assigned already`);
      return id;
    },
    cancel: (id) => operator.cancel(CONTROLLER, id),
    step,
    until,
    untilState: (state) => until(`state ${state}`, () => device.state === state),
    status: (id) => record(id).status,
    history: (id) => record(id).entries.map(({ status }) => status),
    requests: (pattern) =>
      double.exchanges
        .map(({ request, answer }) => `${request.method} ${request.target} ${answer.status}`)
        .filter((line) => pattern.test(line)),
    ask: (method, path, body) =>
      new DdiDevice(double, CONTROLLER, `TargetToken ${targetToken}`).request(method, path, body),
    powerCut() {
      device.powerOff();
      restart(() => device.powerOn());
    },
    powerOff: () => device.powerOff(),
    pass(milliseconds) {
      const end = clock.now() + milliseconds;
      while (clock.step(end)) follow();
      clock.advance(Math.max(0, end - clock.now()));
    },
    now: () => EPOCH + clock.now(),
    away(milliseconds) {
      server.restart(clock.now() + milliseconds);
    },
  };
}

class FirmwareThrows extends Error {}

/** A server that can lose its connections. */
class RestartingPeer implements Peer {
  /** Time at which somebody listens again. */
  backAt = 0;
  readonly #peer: Peer;
  readonly #open = new Set<Connection>();

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  opened(connection: Connection): void {
    this.#open.add(connection);
    this.#peer.opened?.(connection);
  }

  received(bytes: Uint8Array, connection: Connection): void {
    this.#peer.received(bytes, connection);
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
    this.#peer.closed?.(connection);
  }

  restart(backAt: number): void {
    this.backAt = backAt;
    for (const connection of this.#open) connection.reset();
    this.#open.clear();
  }
}
