/** The ESP32 as a device of hal/moddable/device.ts: ports, settings, network and clock. */
import Net from "net";
import Time from "time";
// @ts-ignore: an application may map a module without declarations
import { bringUp as mapped } from "xs-ota/network";
import { ModdableClock } from "../moddable/clock";
import { ModdableCrypto } from "../moddable/crypto";
import type { PowerOn } from "../moddable/device";
import { lookupBy } from "../moddable/dns";
import type { Lookup } from "../moddable/host-names";
import { FaultRecord, LAST_RUN } from "../moddable/fault-record";
import type { AbortHost } from "../moddable/fault-record";
import { ModdableNetwork } from "../moddable/network";
import { NetworkWatch } from "../moddable/network-watch";
import { startUp } from "../moddable/start-up";
import { tellBuildFacts } from "./build-facts";
import { ChipConfig } from "./config";
import type { BringUp } from "./network/bring-up";
import { AbRecordStore, endedInOrder } from "../../src/store/ab-record-store";
import { EspBoot, EspFlash } from "./ota";
import { RtcRetained } from "./retained";
import { Sntp } from "./sntp";
import type { Datagrams } from "./sntp";
import { earliestTime } from "./source-time";
import { NvsStore } from "./store";
import { LwipSockets } from "./tcp/lwip-sockets";
import { LwipTcpSocket } from "./tcp/tcp-socket";
import { LwipUdpSocket } from "./tcp/udp-socket";
import { TimedNetwork, isClockSet } from "./timed-network";

/** NVS namespace of the agent's records. */
const AGENT = "xs-ota";

export const powerOn: PowerOn = (main, options = {}) => {
  const log = (line: string): void => options.log?.(line);
  const clock = new ModdableClock();
  const crypto = new ModdableCrypto();
  const settings = new ChipConfig();
  const faults = new FaultRecord(new NvsStore(LAST_RUN));
  const boot = new EspBoot();
  tellBuildFacts(boot, log);
  const earliest = earliestTime((offset, into) => boot.readRunning(offset, into));
  const isSet = (): boolean => isClockSet(earliest);
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
    store: new AbRecordStore(new NvsStore(AGENT), !endedInOrder(boot.resetReason())),
    network: new TimedNetwork(network, clock, isSet),
    crypto,
    clock,
    retained: new RtcRetained(),
    partition: (label: string) => new EspFlash(label),
    log,
  };
  startUp(main, {
    ports,
    faults,
    host: globalThis as AbortHost,
    setting: (key) => settings.stored(key),
    connect: (missing) =>
      connect({ settings, sockets, lookup, clock, earliest, random: () => crypto.random(), log }, missing),
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

/** Brings the network up, then the clock, and keeps both: see StartUpParts. */
const connect = (
  { settings, sockets, lookup, clock, earliest, random, log }: ConnectParts,
  missing: (what: string | undefined) => void,
): void => {
  const host = settings.text("sntp");
  const watch = new NetworkWatch({
    clock,
    isClockSet: () => isClockSet(earliest),
    ...(host === undefined ? { clockTimeout: 0 } : {}),
    missing,
  });
  const set = (seconds: number): void => {
    Time.set(seconds);
    log(`clock set: ${new Date().toISOString()}`);
    watch.clockSet();
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
      watch.up();
    },
    failed: (reason) => watch.down(reason),
    down(reason) {
      log(`network: ${reason}`);
      sntp?.stop();
      watch.down(reason);
    },
  });
};

export type { Device, DeviceOptions, Main, PowerOn, Program, Setting, Trust } from "../moddable/device";
