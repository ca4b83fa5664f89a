/**
 * The ports of one running board, from the bootloader's hand-over to the next restart. A new
 * start makes new ports. Each call does to flash what the ESP32 port's ESP-IDF calls would do.
 */
import type { Boot, Expander, Flash, ResetReason, Retained, Running, StartUp, Store } from "../../src/ports";
import { AbRecordStore, endedInOrder } from "../../src/store/ab-record-store";
import { SLOT_LABELS } from "./bootloader";
import { equalBytes } from "./bytes";
import { EspOta } from "./esp-ota";
import type { FlashChip } from "./flash-chip";
import { BLOCK_SIZE, PowerCut, SECTOR_SIZE } from "./flash-chip";
import { Nvs } from "./nvs";
import type { Partition, PartitionTable } from "./partitions";
import { RtcRetained } from "./retained";
import type { SlotIndex, Slots } from "./slots";
import type { RtcMemory } from "./start-up";
import { readHeader } from "../../src/image/esp-image";
import { readFirmware } from "../../src/image/firmware-block";

/** Why the firmware ends its own run. */
export type Leaving = "restart" | "rollback" | "sleep";

/** NVS namespace of the agent. */
export const NAMESPACE = "xs-ota";

/** Where a decoder reads: compressed bytes of the inactive slot, and the older image. Reads outside of the slots throw. */
export interface ExpanderSources {
  readonly oldLength: number;
  readBlock(offset: number, into: Uint8Array): void;
  readOld(offset: number, into: Uint8Array): void;
}
export type CreateExpander = (sources: ExpanderSources) => Expander;

export interface BoardPortsOptions {
  readonly chip: FlashChip;
  readonly table: PartitionTable;
  readonly slots: Slots;
  /** The slot that the bootloader started. */
  readonly running: SlotIndex;
  readonly resetReason: ResetReason;
  /** See `startChip`. */
  readonly startUp: StartUp;
  readonly rtc: RtcMemory;
  /** Time since this start, ms; default: always 0. */
  readonly awake?: () => number;
  /** The decoder of containers, which is the engine's. Without it none can be expanded. */
  readonly expander?: CreateExpander | undefined;
  /** The agent asked for a restart; the board must be started anew. Called at most once. `seconds`: of deep sleep. */
  readonly restart: (reason: Leaving, seconds?: number) => void;
  /** See `Boot.deadline`; at its end `giveUp`. */
  readonly deadline?: (milliseconds: number) => void;
}

export interface StoragePorts {
  readonly flash: Flash;
  readonly boot: Boot;
  readonly store: Store;
  readonly retained: Retained;
  partition(label: string): Flash;
  /** Another namespace of NVS. */
  space(name: string): Nvs;
}

/** Mounts NVS: may write to flash, so a power cut can come out of here. */
export function boardPorts(options: BoardPortsOptions): StoragePorts {
  const { chip, table } = options;
  const target = table.slots[options.running === 0 ? 1 : 0];
  const nvs = new Nvs(chip, table.nvs, NAMESPACE);
  const flash = new SlotFlash(chip, target);
  return {
    flash,
    partition: (label) => new SlotFlash(chip, table.data(label)),
    boot: new BoardBoot(options, flash),
    store: new AbRecordStore(nvs, !endedInOrder(options.resetReason)),
    retained: new RtcRetained(options.rtc),
    space: (name) => new Nvs(chip, table.nvs, name, nvs),
  };
}

/** The inactive slot, or a data partition. It reaches no other address of the chip. */
export class SlotFlash implements Flash {
  readonly size: number;
  readonly sectorSize = SECTOR_SIZE;
  readonly blockSectors: number;
  readonly #chip: FlashChip;
  readonly #slot: Partition;
  readonly #compare = new Uint8Array(SECTOR_SIZE);

  constructor(chip: FlashChip, slot: Partition) {
    this.#chip = chip;
    this.#slot = slot;
    this.size = slot.size;
    this.blockSectors = slot.address % BLOCK_SIZE === 0 && slot.size >= BLOCK_SIZE ? BLOCK_SIZE / SECTOR_SIZE : 1;
  }

  erase(sector: number): void {
    this.#check("erase", sector * SECTOR_SIZE, SECTOR_SIZE);
    this.#chip.erase(this.#slot.address + sector * SECTOR_SIZE);
  }

  eraseBlock(sector: number): void {
    const length = this.blockSectors * SECTOR_SIZE;
    this.#check("block erase", sector * SECTOR_SIZE, length);
    this.#chip.erase(this.#slot.address + sector * SECTOR_SIZE, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#check("write", offset, bytes.length);
    this.#chip.program(this.#slot.address + offset, bytes);
  }

  read(offset: number, into: Uint8Array): void {
    this.#check("read", offset, into.length);
    this.#chip.read(this.#slot.address + offset, into);
  }

  equals(offset: number, bytes: Uint8Array): boolean {
    this.#check("compare", offset, bytes.length);
    for (let at = 0; at < bytes.length; at += SECTOR_SIZE) {
      const wanted = bytes.subarray(at, at + SECTOR_SIZE);
      const found = this.#compare.subarray(0, wanted.length);
      this.#chip.read(this.#slot.address + offset + at, found);
      if (!equalBytes(found, wanted)) return false;
    }
    return true;
  }

  #check(operation: string, offset: number, length: number): void {
    if (!(offset >= 0 && Number.isInteger(offset) && offset + length <= this.size)) {
      throw new Error(
        `flash ${operation} at ${offset}, ${length} bytes: outside ${this.#slot.label} of ${this.size} bytes`,
      );
    }
  }
}

export class BoardBoot implements Boot {
  readonly #options: BoardPortsOptions;
  readonly #flash: Flash;
  readonly #ota: EspOta;
  readonly #target: SlotIndex;
  #restarting = false;

  constructor(options: BoardPortsOptions, flash: Flash) {
    this.#options = options;
    this.#flash = flash;
    this.#ota = new EspOta(options.chip, options.table, options.slots);
    this.#target = options.running === 0 ? 1 : 0;
  }

  running(): Running {
    const first = new Uint8Array(SECTOR_SIZE);
    this.readRunning(0, first);
    const { version, product, securityFloor } = readFirmware(first, true);
    const slot = SLOT_LABELS[this.#options.running];
    return {
      slot,
      version,
      project: product,
      securityFloor,
      chip: readHeader(first).chip,
      state: this.#ota.state(this.#options.running),
    };
  }

  target(): string {
    return SLOT_LABELS[this.#target];
  }

  startUp(): StartUp {
    return this.#options.startUp;
  }

  resetReason(): ResetReason {
    return this.#options.resetReason;
  }

  targetStarted(): boolean | undefined {
    return this.#ota.started(this.#target);
  }

  readRunning(offset: number, into: Uint8Array): void {
    const { address, size, label } = this.#options.table.slots[this.#options.running];
    if (!(offset >= 0 && Number.isInteger(offset) && offset + into.length <= size)) {
      throw new Error(`read of ${label} at ${offset}, ${into.length} bytes: outside its ${size} bytes`);
    }
    this.#options.chip.read(address + offset, into);
  }

  expander(oldLength: number): Expander {
    const { expander } = this.#options;
    if (expander === undefined) throw new Error("this board expands no containers");
    return expander({
      oldLength,
      readBlock: (offset, into) => this.#flash.read(offset, into),
      readOld: (offset, into) => this.readRunning(offset, into),
    });
  }

  lastInvalid(): string | undefined {
    const slot = this.#ota.lastInvalid();
    return slot === undefined ? undefined : SLOT_LABELS[slot];
  }

  invalidateTarget(): void {
    this.#ota.invalidateInactive(this.#options.running);
  }

  verifyTarget(): number {
    return this.#because("verify", () => this.#options.slots.verify(this.#target).length);
  }

  activate(): void {
    this.#because("activate", () => {
      this.#ota.forgetMarks(this.#target, this.#options.running);
      this.#ota.setBoot(this.#target);
    });
  }

  /**
   * Nothing unless the running slot is on trial: ESP-IDF's call would confirm whatever entry decides, a just activated
   * one included.
   */
  confirm(): void {
    if (this.#isOnTrial()) this.#ota.markValid();
  }

  deadline(milliseconds: number): void {
    this.#options.deadline?.(milliseconds);
  }

  sleep(seconds: number): void {
    const { running, rtc, awake } = this.#options;
    // The same number, and NEW again: the wake is not the end of the trial.
    if (this.#ota.state(running) === "pending") this.#because("sleep", () => this.#ota.setBoot(running));
    if (rtc.trial !== undefined) rtc.trial = { ...rtc.trial, awake: rtc.trial.awake + (awake?.() ?? 0) };
    this.#restart("sleep", seconds);
  }

  rollback(): void {
    if (this.#ota.markInvalid()) this.#restart("rollback");
  }

  restart(): void {
    this.#restart("restart");
  }

  #isOnTrial(): boolean {
    return ["new", "pending", "undefined"].includes(this.#ota.state(this.#options.running));
  }

  #restart(reason: Leaving, seconds?: number): void {
    if (this.#restarting) return;
    this.#restarting = true;
    this.#options.restart(reason, seconds);
  }

  #because<T>(operation: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof PowerCut) throw error;
      throw new Error(`${operation} ${this.target()}: ${(error as Error).message}`, { cause: error });
    }
  }
}
