/** The firmware of a simulated board: the agent and nothing else. Bundled to one script, it is what lies in flash. */
import type { Network } from "../../hal/ports";
import { OtaAgent } from "../../src/index";
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
const { platform, broker, policy } = JSON.parse(board.configuration()) as FirmwareConfiguration;

new OtaAgent({
  ports: FIRMWARE.offline === true ? { ...board, network: NOWHERE } : board,
  platform: createPlatform(platform, board.crypto),
  broker,
  policy,
  onNotice: (notice) => board.emit(eventLine(notice, platform.kind)),
}).start();
