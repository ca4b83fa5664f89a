/** The firmware of a simulated board: the agent and nothing else. Bundled to one script, it is what lies in flash. */
import type { Network } from "../../../src/ports";
import { OtaAgent, PartitionInstaller } from "../../../src/index";
import type { ModuleInstaller } from "../../../src/index";
import { bridgePorts } from "./bridge-ports";
import type { FirmwareConfiguration, FirmwareConstants } from "./configuration";
import { eventLine } from "./events";
import { createPlatform } from "./platforms";

declare const FIRMWARE: FirmwareConstants;
/** The engine's one door to the board. */
declare function issueCommand(request: ArrayBuffer): ArrayBuffer;

/** A network where nothing ever answers. */
const NOWHERE: Network = { connect: () => ({ read: () => 0, write: () => 0, close: () => {} }) };

const board = bridgePorts(issueCommand, FIRMWARE.version);
Object.assign(globalThis, { handleCommand: board.handle });
const {
  platform,
  broker,
  policy,
  download = {},
  modules = {},
} = JSON.parse(board.configuration()) as FirmwareConfiguration;

/** One that has no place on this board is left out: its offers are refused, the rest goes on. */
function installers(places: { readonly [name: string]: string }): { readonly [name: string]: ModuleInstaller } {
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

new OtaAgent({
  ports: FIRMWARE.offline === true ? { ...board, network: NOWHERE } : board,
  platform: createPlatform(platform, board.crypto),
  broker,
  policy,
  download,
  modules: installers(modules),
  onNotice: (notice) => board.emit(eventLine(notice, platform.kind)),
}).start();
