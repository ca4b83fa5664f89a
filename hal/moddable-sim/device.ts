/**
 * The simulated device: powers the chip on, runs the app, and starts both anew when the app restarts the chip. All of
 * it is in one process, so that a whole update happens on one screen. Ending the process is a power cut.
 *
 * What a slot holds is written, verified and booted, but the code that runs is always the app that mcconfig built. The
 * booted image gives its version, and its fault (`xs-ota image --fault`), which the device carries out. Firmware whose
 * code is replaced runs on the simulated board (`xs-ota device`).
 */
import config from "mc/config";
import Timer from "timer";
import type { DeviceOptions, Main, PowerOn, Program } from "../moddable/device";
import { ModdableClock } from "../moddable/clock";
import { ModdableCrypto } from "../moddable/crypto";
import { lookupBy } from "../moddable/dns";
import { FaultRecord, LAST_RUN } from "../moddable/fault-record";
import type { AbortHost } from "../moddable/fault-record";
import { ModdableNetwork } from "../moddable/network";
import { startUp } from "../moddable/start-up";
import type { Network, ResetReason } from "../../src/ports";
import { start } from "./chip";
import type { StartedChip } from "./chip";
import { Folder } from "./folder";
import { Process } from "./process";

/** From the restart to the first instruction, ms: long enough to be seen. */
const RESTART_TIME = 600;
/** CONFIG_ESP_TASK_WDT_TIMEOUT_S, ms. */
const WATCHDOG_TIME = 5_000;

/** When firmware that fails late does, ms. */
const LATE = 500;
/** Faults that come before the cloud is reached. */
const UNREACHED: readonly string[] = Object.freeze(["offline", "throw-late", "out-of-memory"]);
/** What firmware made to fail never gets. */
const NEVER_THERE: { readonly [fault in string]?: string } = Object.freeze({
  "no-network": "no address",
  "no-clock": "clock not set",
});
/** Asked where the setting `dns` (addresses with commas between) names none. */
const DNS_SERVERS = "1.1.1.1,8.8.8.8";
/** The end of a stream is lost on the desktop while anything of it is unread: see TcpOptions. */
const READ_AHEAD = 16_384;

/** A network where nothing ever answers. */
const NOWHERE: Network = Object.freeze({ connect: () => ({ read: () => 0, write: () => 0, close() {} }) });

export const powerOn: PowerOn = (main, options = {}) => {
  Process.ignoreBrokenPipes();
  boot(main, options, "power-on");
};

function boot(main: Main, options: DeviceOptions, resetReason: ResetReason): void {
  const folder = new Folder();
  const setting = (key: string): string => String(folder.setting(key) ?? config[key] ?? "");
  const clock = new ModdableClock();
  const cells = folder.openFlash(setting("version") || "0.1.0");
  let program: Program | undefined;
  let leaving = false;
  /** Never from inside a call of the app: it does nothing more once it has asked for this. */
  const restart = (reason: ResetReason, delay: number, asleep = 0): void => {
    if (leaving) return;
    leaving = true;
    Timer.set(() => {
      program?.stop?.();
      clock.clearAll();
      cells.close();
      Timer.set(() => boot(main, options, reason), asleep * 1000 + RESTART_TIME);
    }, delay);
  };
  const chip = start(cells, resetReason, (why, seconds) =>
    restart(why === "sleep" ? "deep-sleep" : "software", 0, seconds),
  );
  options.log?.(
    `boot: ${chip.slot}, version ${chip.version}${chip.trial ? ", on trial" : ""} (${resetReason} reset); ${folder.path}`,
  );
  const { fault } = chip;
  if (fault === "throw") return restart("software", 0);
  if (fault === "hang") return restart("watchdog", WATCHDOG_TIME);
  const host = globalThis as AbortHost;
  // Each start installs its own.
  delete host.abort;
  const crypto = new ModdableCrypto();
  const network = UNREACHED.includes(fault ?? "") ? NOWHERE : networkOf(folder, options, setting);
  program = startUp(fault === "reject" ? () => Promise.reject(new Error("rejected at its start")) : main, {
    ports: {
      ...portsOf(chip),
      clock,
      network,
      crypto,
      ...(options.log === undefined ? {} : { log: (line: string) => options.log?.(line) }),
    },
    faults: new FaultRecord(chip.space(LAST_RUN)),
    host,
    setting: (key) => folder.setting(key),
    // Address and clock are the desktop's.
    connect: (missing) => void clock.set(() => missing(NEVER_THERE[fault ?? ""]), 0),
  });
  // The desktop's engine would end with the app.
  if (fault === "throw-late") clock.set(() => host.abort?.("unhandled exception", new Error("thrown late")), LATE);
  if (fault === "out-of-memory") clock.set(() => restart("software", 0), LATE);
}

const portsOf = ({ flash, boot, store, retained, partition }: StartedChip) => ({
  flash,
  boot,
  store,
  retained,
  partition,
});

function networkOf(folder: Folder, options: DeviceOptions, setting: (key: string) => string): Network {
  const servers = (setting("dns") || DNS_SERVERS).split(",");
  return new ModdableNetwork({
    lookup: lookupBy(() => servers),
    ahead: READ_AHEAD,
    trust: (kind) => folder.trust(kind) ?? options.trust?.(kind) ?? { roots: [] },
  });
}

export type { Device, DeviceOptions, Main, PowerOn, Program, Setting, Trust } from "../moddable/device";
