/**
 * A process that runs part of a fleet. Its orders come from, and its events go to, the process that started it; it ends
 * with that one.
 */
import type { Network, Socket } from "../../../src/ports";
import type { Notice } from "../../../src/index";
import { NodeClock } from "../../board/node-clock";
import { NodeNetwork } from "../../board/node-network";
import { generator, WeakLink, type Target } from "../../faults/weak-link";
import { steadyNow } from "../core/running-time";
import { FleetDevice } from "./fleet-device";
import type { DeviceOrder, DeviceState, FleetEvent, FromWorker, ToWorker, WorkerOrder } from "./messages";
import { SectorPool } from "./shared-cells";

/** Milliseconds in which events are gathered. */
const GATHER = 200;

const devices: FleetDevice[] = [];
let events: FleetEvent[] = [];

function tell(message: FromWorker): void {
  process.send?.(message);
}

setInterval(() => {
  tell({ type: "events", events, memory: process.memoryUsage.rss() });
  events = [];
}, GATHER);

async function start({ devices: orders, factory: image, targets, ramp, seed, speed }: WorkerOrder): Promise<void> {
  const [pool, network, factory, random] = [
    new SectorPool(),
    new NodeNetwork(),
    Buffer.from(image, "base64"),
    generator(seed),
  ];
  for (const order of orders) devices.push(await make(order, { pool, network, factory, targets, speed }));
  tell({ type: "ready" });
  for (const device of devices) setTimeout(() => device.powerOn(), ramp * random());
}

interface Shared {
  readonly pool: SectorPool;
  readonly network: Network;
  readonly factory: Uint8Array;
  readonly targets: WorkerOrder["targets"];
  readonly speed: number;
}

async function make(
  { index, configuration, fault, link }: DeviceOrder,
  { pool, network, factory, targets, speed }: Shared,
): Promise<FleetDevice> {
  const report = (
    event:
      | { kind: "state"; state: DeviceState; cause?: string; message?: string }
      | { kind: "boot"; version: string }
      | { kind: "link"; up: boolean },
  ): void => void events.push({ device: index, at: steadyNow(), ...event });
  const ports = link && (await WeakLink.open({ targets, quality: link, seed: index })).ports;
  // A device that polls has a connection now and then.
  const isPolled = configuration.broker === undefined;
  let last: DeviceState | undefined;
  const state = (next: DeviceState, about: { cause?: string; message?: string } = {}): void => {
    if (next === last) return;
    last = next;
    report({ kind: "state", state: next, ...about });
  };
  return new FleetDevice({
    configuration,
    factory,
    pool,
    fault,
    clock: new NodeClock(speed),
    network: watched(network, targets, ports, (up) => {
      if (isPolled && (last !== "connecting" || !up)) return;
      report({ kind: "link", up });
      if (last === undefined || last === "connecting") state(up ? "idle" : "connecting");
    }),
    onBoot: (version) => {
      report({ kind: "boot", version });
      if (last === undefined) state("connecting");
    },
    onNotice: (notice) => follow(notice, state),
  });
}

function follow(
  notice: Notice,
  state: (next: DeviceState, about?: { cause?: string; message?: string }) => void,
): void {
  if (notice.event !== "state" || notice.state === "idle") return;
  if (notice.state === "fail") state("fail", { cause: notice.cause, message: notice.message });
  else state(notice.state);
}

/** The network, with an eye on connections to the first target, and through the device's own link where it has one. */
function watched(
  network: Network,
  targets: readonly Target[],
  ports: readonly number[] | undefined,
  link: (up: boolean) => void,
): Network {
  return {
    connect: (asked, handlers): Socket => {
      const at = targets.findIndex(({ port }) => port === asked.port);
      const port = ports?.[at];
      const options = port === undefined ? asked : { ...asked, host: "127.0.0.1", port };
      if (at !== 0) return network.connect(options, handlers);
      let up = false;
      const change = (next: boolean): void => {
        if (up !== next) link((up = next));
      };
      const socket = network.connect(options, {
        ...handlers,
        opened: () => {
          change(true);
          handlers.opened();
        },
        readable: () => handlers.readable(),
        writable: () => handlers.writable(),
        closed: (error) => {
          change(false);
          handlers.closed(error);
        },
      });
      return {
        read: (into) => socket.read(into),
        write: (bytes) => socket.write(bytes),
        close: () => {
          change(false);
          socket.close();
        },
      };
    },
  };
}

process.on("message", (message: ToWorker) => {
  if (message.type === "stop") process.exit(0);
  start(message.order).catch((error: Error) => tell({ type: "failed", message: error.message }));
});
process.on("disconnect", () => process.exit(0));
