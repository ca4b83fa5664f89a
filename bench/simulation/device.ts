/** The device of the bench: a board in memory whose flash takes the time that a table says, with its counts. */
import { BLOCK_SIZE, SECTOR_SIZE } from "../../hal/model-chip/flash-chip";
import type { FlashTiming, FlashWork } from "../../hal/model-chip/flash-timing";
import { ESP_IDF } from "../../hal/model-chip/flash-timing";
import type { MemoryBoard } from "../../hal/model-chip/memory-board";
import { factoryBoard } from "../../tests/kit/images";
import type { VirtualClock } from "../../tests/kit/virtual-clock";

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
  readonly chip: FlashWork;
  readonly milliseconds: number;
  readonly nvsEntries: number;
  readonly nvsErases: number;
  /** Of the NVS page that was erased most. */
  readonly nvsMostErases: number;
}

/** A board whose flash operations pass time on `clock`. `summary` counts over all its boot cycles. */
export class TimedBoard {
  readonly board: MemoryBoard;
  #nvsEntries = 0;

  constructor(clock: VirtualClock, timing: FlashTiming = ESP_IDF, board = factoryBoard(FACTORY_SIZE)) {
    this.board = board;
    const { chip, table } = this.board;
    chip.timing = timing;
    chip.onOperation = ({ kind, address, length }) => {
      if (kind === "erase") clock.spend(length === BLOCK_SIZE ? timing.block : timing.sector);
      else clock.spend((length / SECTOR_SIZE) * timing.program);
      const inNvs = address >= table.nvs.address && address < table.nvs.address + table.nvs.size;
      if (inNvs && kind === "program" && address % SECTOR_SIZE >= NVS_HEAD)
        this.#nvsEntries += Math.ceil(length / NVS_ENTRY);
    };
    chip.onRead = (_address, bytes) => clock.spend((bytes.length / SECTOR_SIZE) * timing.read);
  }

  summary(): FlashSummary {
    const { chip, table } = this.board;
    // The slots lie side by side.
    const [first, second] = table.slots;
    const { erases, blockErases, mostErases, programs, bytesProgrammed, bytesRead } = chip.counts(
      first.address,
      second.address + second.size - first.address,
    );
    const whole = chip.counts();
    const nvs = chip.counts(table.nvs.address, table.nvs.size);
    return {
      erases,
      blockErases,
      mostErases,
      programs,
      bytesProgrammed,
      bytesRead,
      chip: whole,
      milliseconds: whole.milliseconds,
      nvsEntries: this.#nvsEntries,
      nvsErases: nvs.erases,
      nvsMostErases: nvs.mostErases,
    };
  }
}

/** One erase, one program and one read of each sector, ms; erased by blocks, and its rest in what takes less time. */
export function flashFloor(size: number, { sector, block, program, read }: FlashTiming = ESP_IDF): number {
  const rest = Math.ceil((size % BLOCK_SIZE) / SECTOR_SIZE) * sector;
  const erases = Math.floor(size / BLOCK_SIZE) * block + Math.min(rest, block);
  return erases + (size / SECTOR_SIZE) * (program + read);
}
