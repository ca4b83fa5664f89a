/** A device in the world: a board in memory whose flash takes the time that ESP-IDF's model says, with its counts. */
import type { Ports, ResetReason } from "../../src/ports";
import { MemoryBoard } from "../../hal/model-chip/memory-board";
import { NodeCrypto } from "../../host-sim/board/node-crypto";
import { SECTOR_SIZE } from "../../hal/model-chip/flash-chip";
import { buildImage } from "../../hal/model-chip/build-image";
import type { Timeline } from "./timeline";
import type { Wire } from "./wire";

/** As in hal/model-chip/flash-chip.ts (ESP-IDF, partition_linux.c). */
export const ERASE_MS = 37.142;
export const PROGRAM_MS = 6.367;
export const READ_MS = 0.459;

/** Header and entry bitmap of an NVS page, bytes (ESP-IDF, "NVS, internals"). */
const NVS_HEAD = 64;
const NVS_ENTRY = 32;

export function imageOf(version: string, size: number): Uint8Array {
  return buildImage({ version, payload: Buffer.from(`// firmware ${version}`), size });
}

let factory: MemoryBoard | undefined;
/** A board on 0.1.0, its counters at 0; all share one factory chip. */
function newBoard(onRestart: () => void): MemoryBoard {
  factory ??= new MemoryBoard({ factoryImage: imageOf("0.1.0", 200_000) });
  return factory.fork(onRestart);
}

export interface FlashSummary {
  readonly erases: number;
  readonly mostErases: number;
  readonly programs: number;
  readonly bytesProgrammed: number;
  readonly bytesRead: number;
  readonly milliseconds: number;
  readonly nvsEntries: number;
  readonly nvsErases: number;
  /** Of the NVS page that was erased most. */
  readonly nvsMostErases: number;
}

export class Device {
  readonly board: MemoryBoard;
  readonly crypto: NodeCrypto;
  readonly #timeline: Timeline;
  readonly #wire: Wire;
  #nvsEntries = 0;

  constructor(timeline: Timeline, wire: Wire, random: () => number, onRestart: () => void) {
    this.#timeline = timeline;
    this.#wire = wire;
    this.crypto = new NodeCrypto(random);
    this.board = newBoard(onRestart);
    const { chip, table } = this.board;
    chip.onOperation = ({ kind, address, length }) => {
      timeline.spend(kind === "erase" ? ERASE_MS : (length / SECTOR_SIZE) * PROGRAM_MS);
      const inNvs = address >= table.nvs.address && address < table.nvs.address + table.nvs.size;
      if (inNvs && kind === "program" && address % SECTOR_SIZE >= NVS_HEAD)
        this.#nvsEntries += Math.ceil(length / NVS_ENTRY);
    };
    chip.onRead = (_address, bytes) => timeline.spend((bytes.length / SECTOR_SIZE) * READ_MS);
  }

  /** Power on: bootloader, then ports of the running firmware. */
  start(reason: ResetReason): Ports {
    const boot = this.board.powerOn(reason);
    if (boot.bricked !== undefined) throw new Error(`the board does not boot: ${boot.bricked}`);
    return { ...this.board.ports, network: this.#wire.network(), crypto: this.crypto, clock: this.#timeline.clock() };
  }

  /** Of the whole life of the board: counts of the two slots and of NVS; the time of everything. */
  flash(): FlashSummary {
    const { chip, table } = this.board;
    // The slots lie side by side.
    const [first, second] = table.slots;
    const { erases, mostErases, programs, bytesProgrammed, bytesRead } = chip.counts(
      first.address,
      second.address + second.size - first.address,
    );
    const nvs = chip.counts(table.nvs.address, table.nvs.size);
    return {
      erases,
      mostErases,
      programs,
      bytesProgrammed,
      bytesRead,
      milliseconds: chip.counts().milliseconds,
      nvsEntries: this.#nvsEntries,
      nvsErases: nvs.erases,
      nvsMostErases: nvs.mostErases,
    };
  }
}

/** One erase, one program and one read of each sector, ms. */
export function flashFloor(size: number): number {
  return Math.ceil(size / SECTOR_SIZE) * ERASE_MS + (size / SECTOR_SIZE) * (PROGRAM_MS + READ_MS);
}
