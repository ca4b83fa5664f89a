/**
 * A whole board in memory: flash chip, bootloader and the agent's ports, without an engine. Tests start it millions of
 * times: a fork costs microseconds, and an image that was verified once is not hashed again while its bytes are the
 * same.
 */
import type { Digest, ResetReason } from "../../src/ports";
import type { CreateExpander, Leaving, StoragePorts } from "./board-ports";
import { boardPorts } from "./board-ports";
import { OWN_BOOTLOADER } from "./bootloader";
import type { BootResult, BootloaderConfig } from "./bootloader";
import { MemoryCells } from "./flash-cells";
import { FlashChip } from "./flash-chip";
import { flashFactory } from "./flash-factory";
import type { PartitionTable } from "./partitions";
import { Slots, VerifyCache } from "./slots";
import type { SlotsOptions } from "./slots";
import { startChip } from "./start-up";
import type { RtcMemory } from "./start-up";

export interface MemoryBoardOptions {
  /** The first firmware, in ota_0. */
  readonly factoryImage: Uint8Array;
  /** A small one makes small, quick boards. */
  readonly table: PartitionTable;
  /** Bytes; default: where `table` ends. */
  readonly flashSize?: number;
  /** esp_chip_id_t; default 0. */
  readonly chipId?: number;
  /** See `SlotsOptions`. */
  readonly sha256?: () => Digest;
  /** The running firmware asked for a restart: nothing happens by itself, `powerOn("software")` is the caller's. */
  readonly onRestart?: (reason: Leaving) => void;
  /** Milliseconds, also over resets; default: always 0. */
  readonly time?: () => number;
  /** Default: OWN_BOOTLOADER. */
  readonly bootloader?: BootloaderConfig;
  /** See `BoardPortsOptions`. */
  readonly expander?: CreateExpander;
}

interface Parts {
  readonly cells: MemoryCells;
  readonly table: PartitionTable;
  readonly chipId: number;
  readonly slots: SlotsOptions;
  readonly onRestart: ((reason: Leaving) => void) | undefined;
  readonly time: () => number;
  readonly bootloader: BootloaderConfig;
  readonly expander: CreateExpander | undefined;
}

export class MemoryBoard {
  readonly chip: FlashChip;
  readonly table: PartitionTable;
  /** Set once the firmware asked for it, until the next start. */
  restartWanted: Leaving | undefined;
  /** Of the trial under way, until the power is lost. */
  readonly #rtc: RtcMemory = {};
  readonly #parts: Parts;
  readonly #slots: Slots;
  #ports: StoragePorts | undefined;

  constructor(options: MemoryBoardOptions | { readonly parts: Parts }) {
    if ("parts" in options) {
      this.#parts = options.parts;
    } else {
      const { table, flashSize = table.end } = options;
      this.#parts = {
        cells: new MemoryCells(flashSize),
        table,
        chipId: options.chipId ?? 0,
        slots: { cache: new VerifyCache(), ...(options.sha256 === undefined ? {} : { sha256: options.sha256 }) },
        onRestart: options.onRestart,
        time: options.time ?? (() => 0),
        bootloader: options.bootloader ?? OWN_BOOTLOADER,
        expander: options.expander,
      };
      flashFactory(new FlashChip(this.#parts.cells), table, options.factoryImage);
    }
    this.chip = new FlashChip(this.#parts.cells);
    this.table = this.#parts.table;
    this.#slots = new Slots(this.chip, this.table, this.#parts.chipId, this.#parts.slots);
  }

  /** Another board with the same flash content, counters at 0, not started. */
  fork(onRestart = this.#parts.onRestart, bootloader = this.#parts.bootloader): MemoryBoard {
    return new MemoryBoard({ parts: { ...this.#parts, cells: this.#parts.cells.fork(), onRestart, bootloader } });
  }

  /**
   * Starts the chip: bootloader, then new ports. A power cut that a fault injector makes in here comes out as
   * `PowerCut`; start again. The ports of the start before must not be used any more.
   */
  powerOn(resetReason: ResetReason = "power-on"): BootResult {
    this.chip.powerOn();
    this.#ports = undefined;
    this.restartWanted = undefined;
    const { chip, table } = this;
    const { time, bootloader } = this.#parts;
    const parts = { chip, table, slots: this.#slots, rtc: this.#rtc, rtcTime: time, bootloader };
    const { boot: result, ...started } = startChip(parts, resetReason);
    if (result.bricked !== undefined) return result;
    const start = time();
    this.#ports = boardPorts({
      ...parts,
      ...started,
      running: result.slot === "ota_0" ? 0 : 1,
      awake: () => time() - start,
      expander: this.#parts.expander,
      restart: (reason) => {
        this.restartWanted = reason;
        this.#parts.onRestart?.(reason);
      },
    });
    return result;
  }

  /** Of the running firmware. Throws before the first start and on a board that does not boot. */
  get ports(): StoragePorts {
    if (this.#ports === undefined) throw new Error("the board is not running");
    return this.#ports;
  }
}
