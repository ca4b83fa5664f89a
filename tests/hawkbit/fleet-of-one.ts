/** One device, the whole agent, and the double of hawkBit, on a network in memory and a clock of the test's own. */
import assert from "node:assert/strict";
import type { MemoryBoard } from "../../hal/model-chip/memory-board";
import { HawkbitPlatform } from "../../src/platforms/hawkbit/dialect";
import type { AgentOptions } from "../../src/index";
import { HawkbitDouble } from "../doubles/hawkbit/server";
import { factoryBoard, firmwareImage } from "../kit/images";
import { VirtualClock } from "../kit/virtual-clock";
import { VirtualDevice } from "../kit/virtual-device";
import { VirtualNetwork } from "../kit/virtual-network";

const SIZE = 60_000;
/** Longest scenario, ms. */
const SPAN = 3 * 3_600_000;
const EPOCH = Date.UTC(2026, 10, 30);
export const CONTROLLER = "dev-1";

export interface Situation {
  readonly clock: VirtualClock;
  readonly device: VirtualDevice;
  readonly double: HawkbitDouble;
  readonly board: MemoryBoard;
  /** Uploads a version; a bad one fails its own check. */
  upload(version: string, bad?: boolean): Promise<string>;
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
  powerCut(): void;
}

export interface SituationOptions extends Pick<AgentOptions, "onHealthCheck" | "onOffer" | "onRestart"> {
  readonly gateway?: boolean;
}

export async function situation(options: SituationOptions = {}): Promise<Situation> {
  const { gateway = false, ...callbacks } = options;
  const clock = new VirtualClock();
  const double = new HawkbitDouble({ now: () => EPOCH + clock.now() });
  const { operator } = double;
  await operator.prepare(gateway ? { gatewayToken: "key" } : {});
  const { targetToken } = gateway ? { targetToken: "" } : await operator.createDevice(CONTROLLER);
  const credentials = gateway ? { gatewayToken: "key" } : { targetToken };
  const network = new VirtualNetwork({
    clock,
    line: { latency: 20, rate: 20_000 },
    peers: ({ host }) => (host === "hb.example" ? double.peer() : undefined),
  });
  const bad = new Set<string>();
  const board = factoryBoard(SIZE);
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
    policy: { allowHttp: true },
    onHealthCheck: (report) => report(!bad.has(board.ports.boot.running().version), "bad firmware"),
    ...callbacks,
  });
  const upload = (version: string, isBad = false): Promise<string> => {
    if (isBad) bad.add(version);
    const order = { name: "xs-app", version, part: "firmware", fileName: `app-${version}.bin` };
    return operator.upload({ ...order, bytes: firmwareImage(version, SIZE) });
  };
  const step = (): void => {
    clock.step();
    device.restartIfWanted();
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
    powerCut() {
      device.powerOff();
      device.powerOn();
    },
  };
}
