/** The device of the bench: a board in memory whose flash takes the time that ESP-IDF's model says, with its counts. */
import { BLOCK_SIZE, SECTOR_SIZE } from "../../hal/model-chip/flash-chip";
import type { MemoryBoard } from "../../hal/model-chip/memory-board";
import { factoryBoard } from "../../tests/kit/images";
import type { VirtualClock } from "../../tests/kit/virtual-clock";

/** As in hal/model-chip/flash-chip.ts: ESP-IDF's partition_linux.c per 4096 bytes, data sheets for a block of 64 KiB. */
export const ERASE_MS = 37.142;
export const ERASE_BLOCK_MS = 150;
export const PROGRAM_MS = 6.367;
export const READ_MS = 0.459;

/** Header and entry bitmap of an NVS page, and an entry, bytes (ESP-IDF, "NVS, internals"). */
const NVS_HEAD = 64;
const NVS_ENTRY = 32;

/** Bytes of the factory firmware: the bootloader reads and checks them at each start. */
const FACTORY_SIZE = 200_000;

export interface FlashSummary {
  /** Of both slots together; sectors of erased blocks count. */
  readonly erases: number;
  /** Commands that erased a block. */
  readonly blockErases: number;
  readonly mostErases: number;
  readonly programs: number;
  readonly bytesProgrammed: number;
  readonly bytesRead: number;
  /** Of the whole chip. */
  readonly milliseconds: number;
  readonly nvsEntries: number;
  readonly nvsErases: number;
  /** Of the NVS page that was erased most. */
  readonly nvsMostErases: number;
}

/** A factory board whose flash operations pass time on `clock`. `summary` counts over all its boot cycles. */
export class TimedBoard {
  readonly board: MemoryBoard;
  #nvsEntries = 0;

  constructor(clock: VirtualClock) {
    this.board = factoryBoard(FACTORY_SIZE);
    const { chip, table } = this.board;
    chip.onOperation = ({ kind, address, length }) => {
      if (kind === "erase") clock.spend(length === BLOCK_SIZE ? ERASE_BLOCK_MS : ERASE_MS);
      else clock.spend((length / SECTOR_SIZE) * PROGRAM_MS);
      const inNvs = address >= table.nvs.address && address < table.nvs.address + table.nvs.size;
      if (inNvs && kind === "program" && address % SECTOR_SIZE >= NVS_HEAD)
        this.#nvsEntries += Math.ceil(length / NVS_ENTRY);
    };
    chip.onRead = (_address, bytes) => clock.spend((bytes.length / SECTOR_SIZE) * READ_MS);
  }

  summary(): FlashSummary {
    const { chip, table } = this.board;
    // The slots lie side by side.
    const [first, second] = table.slots;
    const { erases, blockErases, mostErases, programs, bytesProgrammed, bytesRead } = chip.counts(
      first.address,
      second.address + second.size - first.address,
    );
    const nvs = chip.counts(table.nvs.address, table.nvs.size);
    return {
      erases,
      blockErases,
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

/** One erase, one program and one read of each sector, ms; erased by blocks, and its rest in what takes less time. */
export function flashFloor(size: number): number {
  const rest = Math.ceil((size % BLOCK_SIZE) / SECTOR_SIZE) * ERASE_MS;
  const erases = Math.floor(size / BLOCK_SIZE) * ERASE_BLOCK_MS + Math.min(rest, ERASE_BLOCK_MS);
  return erases + (size / SECTOR_SIZE) * (PROGRAM_MS + READ_MS);
}
