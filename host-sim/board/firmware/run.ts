/** The agent on the ports of a simulated board, started as on a chip, and nothing else. */
import { TimedNetwork } from "../../../hal/esp32/timed-network";
import { FaultRecord, LAST_RUN } from "../../../hal/moddable/fault-record";
import type { AbortHost } from "../../../hal/moddable/fault-record";
import type { Device, Main, Program } from "../../../hal/moddable/device";
import { startUp } from "../../../hal/moddable/start-up";
import { OtaAgent, PartitionInstaller } from "../../../src/index";
import type { ModuleInstaller } from "../../../src/index";
import type { AnyPlatform } from "../../../src/platforms/platform";
import { encodeBase64 } from "../../../src/util/base64";
import { withPortableMd5 } from "../../../src/crypto/portable-md5";
import type { App } from "./app";
import { bridgePorts } from "./bridge-ports";
import type { BridgePorts } from "./bridge-ports";
import type { FirmwareConstants } from "./configuration";
import { connector } from "./connector";
import { eventLine } from "./events";
import { NOWHERE, faultyApp } from "./faults";
import { createPlatform, definitionOf } from "./platforms";
import { SETTINGS, readSettings } from "./settings";

declare const FIRMWARE: FirmwareConstants;
/** The engine's only way to the board. */
declare function issueCommand(request: ArrayBuffer): ArrayBuffer;

/** Starts the agent with the settings in NVS, on one of `platforms`. */
export function runFirmware(platforms: readonly AnyPlatform[], app: App = faultyApp(FIRMWARE.fault)): void {
  const { fault, version } = FIRMWARE;
  const board = bridgePorts(issueCommand, version);
  const host = globalThis as AbortHost;
  Object.assign(globalThis, { handleCommand: guarded(host, board.handle), console: consoleOf(host) });
  const { flash, boot, store, crypto, clock, retained, partition, log } = board;
  const { connect, isClockSet } = connector(board.surroundings(), fault, clock);
  const network = fault === "offline" ? NOWHERE : new TimedNetwork(board.network, clock, isClockSet);
  const main: Main = (device) => {
    const agent = (): Program => agentOf(board, device, platforms, app);
    return app.main === undefined ? agent() : app.main(agent);
  };
  startUp(main, {
    ports: { flash, boot, store, crypto, clock, retained, partition, log, network },
    faults: new FaultRecord(board.space(LAST_RUN)),
    host,
    setting: () => undefined,
    connect,
  });
}

function agentOf(board: BridgePorts, { ports }: Device, platforms: readonly AnyPlatform[], app: App): OtaAgent {
  const {
    platform,
    broker,
    policy,
    download = {},
    modules = {},
    portableMd5 = false,
    recorder = true,
    diagnosticsTopic,
    sleep,
  } = readSettings(board.space(SETTINGS));
  const definition = definitionOf(platform.kind, platforms);
  const crypto = portableMd5 ? withPortableMd5(ports.crypto) : ports.crypto;
  const agent = new OtaAgent({
    ports: { ...ports, crypto },
    platform: createPlatform(platform, crypto, platforms),
    policy,
    download,
    modules: installers(board, modules),
    onNotice: (notice) => board.emit(eventLine(notice, definition)),
    recorder,
    ...(diagnosticsTopic === undefined ? {} : { diagnosticsTopic }),
    onDiagnostics: (recording, reference) =>
      board.emit(JSON.stringify({ event: "recording", reference, base64: encodeBase64(recording) })),
    ...app.options?.(ports.clock),
    broker,
    ...(sleep === undefined ? {} : { wake: { seconds: sleep.awake } }),
  });
  if (sleep !== undefined) agent.sleepUntil(sleep.asleep);
  return agent;
}

/** What the engine does not do for its abort hook, and a chip's does: an exception of a turn goes to it. */
const guarded =
  (host: AbortHost, handle: (event: ArrayBuffer) => void) =>
  (event: ArrayBuffer): void => {
    try {
      handle(event);
    } catch (error) {
      host.abort?.("unhandled exception", error);
      throw error;
    }
  };

/** This engine tells a console of promises that were rejected and that nobody handles. */
const consoleOf = (host: AbortHost) => ({
  error: (_what: string, error: unknown) => host.abort?.("unhandled rejection", error),
});

/** A module without a place on this board gets no installer: its offers are refused, and the rest works. */
function installers(
  board: BridgePorts,
  places: { readonly [name: string]: string },
): { readonly [name: string]: ModuleInstaller } {
  const found: { [name: string]: ModuleInstaller } = {};
  for (const [name, label] of Object.entries(places)) {
    try {
      found[name] = new PartitionInstaller(board.partition(label));
    } catch (error) {
      board.emit(JSON.stringify({ event: "warning", message: `module ${name}: ${(error as Error).message}` }));
    }
  }
  return found;
}
