/** The agent on the ports of a simulated board, and nothing else. */
import type { Network } from "../../../src/ports";
import { OtaAgent, PartitionInstaller } from "../../../src/index";
import type { ModuleInstaller } from "../../../src/index";
import type { AnyPlatform } from "../../../src/platforms/platform";
import { withPortableMd5 } from "../../../src/crypto/portable-md5";
import { bridgePorts } from "./bridge-ports";
import type { BridgePorts } from "./bridge-ports";
import type { FirmwareConfiguration, FirmwareConstants } from "./configuration";
import { eventLine } from "./events";
import { createPlatform, definitionOf } from "./platforms";

declare const FIRMWARE: FirmwareConstants;
/** The engine's only way to the board. */
declare function issueCommand(request: ArrayBuffer): ArrayBuffer;

/** A network that never answers. */
const NOWHERE: Network = { connect: () => ({ read: () => 0, write: () => 0, close: () => {} }) };

/** Starts the agent with the configuration that the board gives, on one of `platforms`. */
export function runFirmware(platforms: readonly AnyPlatform[]): void {
  const board = bridgePorts(issueCommand, FIRMWARE.version);
  Object.assign(globalThis, { handleCommand: board.handle });
  const configuration = JSON.parse(board.configuration()) as FirmwareConfiguration;
  const { platform, broker, policy, download = {}, modules = {}, portableMd5 = false, sleep } = configuration;
  const definition = definitionOf(platform.kind, platforms);
  const crypto = portableMd5 ? withPortableMd5(board.crypto) : board.crypto;
  const network = FIRMWARE.offline === true ? NOWHERE : board.network;
  const agent = new OtaAgent({
    ports: { ...board, crypto, network },
    platform: createPlatform(platform, crypto, platforms),
    broker,
    policy,
    download,
    modules: installers(board, modules),
    onNotice: (notice) => board.emit(eventLine(notice, definition)),
    ...(sleep === undefined ? {} : { wake: { seconds: sleep.awake } }),
  });
  agent.start();
  if (sleep !== undefined) agent.sleepUntil(sleep.asleep);
}

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
