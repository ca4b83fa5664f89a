/**
 * The ESP32 as a device of hal/moddable/device.ts: ports, settings, network, clock, and the cause that ended the last
 * run.
 */
import Net from "net";
import Time from "time";
// @ts-ignore: an application may map a module without declarations
import { bringUp as mapped } from "xs-ota/network";
import { ModdableClock } from "../moddable/clock";
import { ModdableCrypto } from "../moddable/crypto";
import type { PowerOn } from "../moddable/device";
import { lookupBy } from "../moddable/dns";
import type { Lookup } from "../moddable/host-names";
import { ModdableNetwork } from "../moddable/network";
import { guardTrial } from "../moddable/trial-guard";
import { ChipConfig } from "./config";
import { FaultRecord, installAbortHook } from "./fault-record";
import type { AbortHost } from "./fault-record";
import type { BringUp } from "./network/bring-up";
import { AbRecordStore } from "../../src/store/ab-record-store";
import { EspBoot, EspFlash } from "./ota";
import { Sntp } from "./sntp";
import type { Datagrams } from "./sntp";
import { earliestTime } from "./source-time";
import { NvsStore } from "./store";
import { LwipSockets } from "./tcp/lwip-sockets";
import { LwipTcpSocket } from "./tcp/tcp-socket";
import { LwipUdpSocket } from "./tcp/udp-socket";
import { TimedNetwork, isClockSet } from "./timed-network";

/** NVS namespaces: the agent's records, and the fault record of the last run. */
const AGENT = "xs-ota";
const LAST_RUN = "xs-ota-run";
/**
 * With a network that has no time server, the agent starts all the same after this, ms: plain connections need no
 * clock.
 */
const CLOCK_TIMEOUT = 10_000;

export const powerOn: PowerOn = (main, options = {}) => {
  const log = (line: string): void => options.log?.(line);
  const clock = new ModdableClock();
  const crypto = new ModdableCrypto();
  const settings = new ChipConfig();
  const faults = new FaultRecord(new NvsStore(LAST_RUN));
  const boot = new EspBoot(() => faults.leave());
  const reason = boot.resetReason();
  const earliest = earliestTime((offset, into) => boot.readRunning(offset, into));
  const lastFault = faults.begin(reason);
  installAbortHook(globalThis as AbortHost, {
    faults,
    version: boot.running().version,
    restart: () => boot.restart(),
    log,
  });
  guardTrial(boot, clock, (why) => faults.record(boot.running().version, "trial", why));
  const sockets = new LwipSockets();
  const lookup = lookupBy(
    () => Net.get("DNS") ?? [],
    (options) => new LwipUdpSocket(sockets, options),
  );
  const network = new ModdableNetwork({
    lookup,
    ahead: 0,
    open: (options, events) => new LwipTcpSocket(sockets, options, events),
    trust: (kind) => settings.trust(kind) ?? options.trust?.(kind) ?? { roots: [] },
  });
  const ports = {
    flash: new EspFlash(),
    boot,
    store: new AbRecordStore(new NvsStore(AGENT), reason !== "software"),
    network: new TimedNetwork(network, clock, earliest),
    crypto,
    clock,
    partition: (label: string) => new EspFlash(label),
    log,
  };

  main({
    ports,
    setting: (key) => settings.stored(key),
    connect: (ready) =>
      connect({ settings, sockets, lookup, clock, earliest, random: () => crypto.random(), log }, ready),
    lastFault,
  });
};

interface ConnectParts {
  readonly settings: ChipConfig;
  readonly sockets: LwipSockets;
  readonly lookup: Lookup;
  readonly clock: ModdableClock;
  readonly earliest: number;
  readonly random: () => number;
  readonly log: (line: string) => void;
}

/**
 * Brings the network up, then the clock. `ready`: once, when both are there, or the clock's server has had its time.
 */
const connect = (
  { settings, sockets, lookup, clock, earliest, random, log }: ConnectParts,
  ready: () => void,
): void => {
  let waiting: (() => void) | undefined = ready;
  const start = (): void => {
    const callback = waiting;
    waiting = undefined;
    callback?.();
  };
  const host = settings.text("sntp");
  const set = (seconds: number): void => {
    Time.set(seconds);
    log(`clock set: ${new Date().toISOString()}`);
    start();
  };
  const open = (onReadable: (count: number) => void): Datagrams => new LwipUdpSocket(sockets, { onReadable });
  const sntp = host === undefined ? undefined : new Sntp({ host, lookup, open, clock, earliest, random, set, log });
  const bringUp = mapped as BringUp;
  bringUp({
    setting: (key) => settings.text(key),
    clock,
    random,
    log,
    up() {
      log("network: up");
      sntp?.start();
      clock.set(start, sntp === undefined || isClockSet(earliest) ? 0 : CLOCK_TIMEOUT);
    },
    down(reason) {
      log(`network: ${reason}`);
      sntp?.stop();
    },
  });
};

export type { Device, DeviceOptions, PowerOn, Program, Setting, Trust } from "../moddable/device";
