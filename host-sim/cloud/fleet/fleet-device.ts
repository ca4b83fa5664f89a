import type { Clock, Network } from "../../../src/ports";
import { OtaAgent, type Notice } from "../../../src/index";
import { boardPorts } from "../../../hal/model-chip/board-ports";
import { FlashChip } from "../../../hal/model-chip/flash-chip";
import { flashFactory } from "../../../hal/model-chip/flash-factory";
import { NodeCrypto, nodeSha256 } from "../../board/node-crypto";
import { nodeExpander } from "../../board/node-expander";
import { Slots } from "../../../hal/model-chip/slots";
import { startChip } from "../../../hal/model-chip/start-up";
import type { FirmwareConfiguration } from "../../board/firmware/configuration";
import { createPlatform } from "../../board/firmware/platforms";
import type { FaultKind } from "./messages";
import { SharedCells, type SectorPool } from "./shared-cells";
import { partitionTableFor } from "../../board/partition-tables";

export interface FleetDeviceOptions {
  readonly configuration: FirmwareConfiguration;
  /** Lies in ota_0 at the start. */
  readonly factory: Uint8Array;
  readonly pool: SectorPool;
  readonly network: Network;
  readonly clock: Clock;
  /** What is wrong with it, on purpose. */
  readonly fault: FaultKind | undefined;
  readonly onNotice: (notice: Notice) => void;
  readonly onBoot: (version: string) => void;
}

/** esp_chip_id_t: ESP32. */
const CHIP_ID = 0;
const FLASH_SIZE = 4 << 20;
/** Of a device whose flash is worn: this sector of the slot that is written to holds no bits. */
const WORN_SECTOR = 7;

/**
 * One device of a fleet: the agent as it is, on a board in memory. What it runs after an update it reads from its
 * flash, but for the code.
 */
export class FleetDevice {
  readonly #options: FleetDeviceOptions;
  readonly #chip: FlashChip;
  readonly #table = partitionTableFor(FLASH_SIZE);
  readonly #slots: Slots;
  readonly #crypto = new NodeCrypto();
  #agent: OtaAgent | undefined;

  constructor(options: FleetDeviceOptions) {
    this.#options = options;
    this.#chip = new FlashChip(new SharedCells(FLASH_SIZE, options.pool));
    flashFactory(this.#chip, this.#table, options.factory);
    this.#slots = new Slots(this.#chip, this.#table, CHIP_ID, { sha256: nodeSha256 });
    if (options.fault === "flash") this.#wearOut();
  }

  powerOn(reason: "power-on" | "software" = "power-on"): void {
    const { configuration, network, clock, fault, onNotice, onBoot } = this.#options;
    const parts = { chip: this.#chip, table: this.#table, slots: this.#slots, rtc: {}, rtcTime: () => clock.now() };
    const { boot, ...started } = startChip(parts, reason);
    if (boot.bricked !== undefined) throw new Error(boot.bricked);
    onBoot(boot.version);
    const ports = boardPorts({
      ...parts,
      ...started,
      running: boot.slot === "ota_0" ? 0 : 1,
      expander: nodeExpander,
      restart: () => this.#restart(),
    });
    this.#agent = new OtaAgent({
      ports: { ...ports, network, crypto: this.#crypto, clock },
      platform: createPlatform(configuration.platform, this.#crypto),
      broker: configuration.broker,
      policy: configuration.policy,
      onNotice,
      onHealthCheck: (answer) => (fault === "health" ? answer(false, "the application is not well") : answer(true)),
    });
    this.#agent.start();
  }

  powerOff(): void {
    this.#agent?.stop();
    this.#agent = undefined;
  }

  /** Not from inside the agent: it is in the middle of what led to this. */
  #restart(): void {
    setImmediate(() => {
      if (this.#agent === undefined) return;
      this.powerOff();
      this.powerOn("software");
    });
  }

  #wearOut(): void {
    const { address } = this.#table.slots[1];
    const worn = address + WORN_SECTOR * 4096;
    this.#chip.onOperation = (operation) =>
      operation.kind === "program" && operation.address <= worn && worn < operation.address + operation.length
        ? "done"
        : undefined;
  }
}
